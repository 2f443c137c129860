// What was found, drawn over the image.
#pragma once

#include "nucreg/image/image.hpp"
#include "nucreg/image/label_image.hpp"
#include "nucreg/image/write_png.hpp"

namespace nucreg {

/// Pixels of an image along each side of a pixel of its overlay: 1 up to 2^25 pixels.
[[nodiscard]] std::size_t overlay_factor(std::size_t width_px, std::size_t height_px);

/// The image in grey, from its 1 % to its 99.7 % quantile and brightened in the dark, with the
/// outline of each label in orange. Image and labels are of one size; the picture is smaller by
/// overlay_factor(): means of brightness, and every outline.
[[nodiscard]] RgbPicture overlay(const PlaneView& image, const LabelImage& labels);

}  // namespace nucreg
