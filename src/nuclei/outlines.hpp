// From basins to nuclei: where each ends, and which are none.
#pragma once

#include <opencv2/core.hpp>

#include "basins.hpp"

namespace nucreg {

struct OutlineRules {
  double least_pixels = 0.0;            ///< of a nucleus
  double least_pixels_at_border = 0.0;  ///< of one that the edge of the image cuts
  double noise = 0.0;                   ///< standard deviation of a pixel
};

/// Cuts each basin back to its largest connected part brighter than half of what the nucleus is,
/// and drops what is too small or within what noise alone makes. `brightness` is above background.
/// Numbers what is left 1 ... count in order of its first pixel, row by row.
void cut_outlines(Basins& basins, const cv::Mat1f& brightness, const OutlineRules& rules);

}  // namespace nucreg
