// Where nuclei are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nucreg/image/image.hpp"

namespace nucreg {

/// One nucleus of a label image; pixel centres at integers.
struct Nucleus {
  std::uint32_t label = 0;
  double x_px = 0.0, y_px = 0.0;  ///< mean of its pixels
  double area_px = 0.0;           ///< number of its pixels
};

/// The nuclei of a label image by rising label. Throws InputError naming `file` where the image
/// cannot be one of labels: fewer than two nuclei (a mask of 0 and 255 is none), no background,
/// many of hardly more than a pixel, values in many pieces each as levels of brightness are, or
/// scattered over the image as intensities are (bounding boxes that together cover the image
/// several times).
[[nodiscard]] std::vector<Nucleus> centroids(const LabelImage& image, const std::string& file);

}  // namespace nucreg
