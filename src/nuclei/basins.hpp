// Watershed: each maximum of a relief gets the pixels that drain to it.
#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <vector>

namespace nucreg {

struct Basins {
  cv::Mat1i labels;  ///< 0 = outside the mask, k = basin k; numbers in no order
  int count = 0;
};

/// Floods `relief` from its maxima down within `mask`. Two basins that meet become one where the
/// lower peak stands less than `least_height` above the pass or is smaller than `least_pixels`
/// there. Linear in the pixels; `relief` is looked at in 2^16 steps.
[[nodiscard]] Basins flood(const cv::Mat1f& relief, const cv::Mat1b& mask, double least_height,
                           double least_pixels);

/// Joins basins that touch where both together look more like one ellipse of at most `most_pixels`
/// than each alone does.
void join_ellipses(Basins& basins, double most_pixels);

}  // namespace nucreg
