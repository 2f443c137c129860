// What was found, drawn over the image.
#pragma once

#include "nucreg/image/image.hpp"
#include "nucreg/image/label_image.hpp"
#include "nucreg/image/write_png.hpp"

namespace nucreg {

/// The image in grey, from its 1 % to its 99.7 % quantile and brightened in the dark, with the
/// outline of each label in orange. Image and labels are of one size.
[[nodiscard]] RgbPicture overlay(const PlaneView& image, const LabelImage& labels);

}  // namespace nucreg
