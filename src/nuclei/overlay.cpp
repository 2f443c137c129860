#include "nucreg/nuclei/overlay.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "brightness.hpp"

namespace nucreg {
namespace {

constexpr double darkest = 0.01, brightest = 0.997;
constexpr std::array<std::uint8_t, 3> outline{255, 110, 0};
constexpr std::size_t max_pixels = std::size_t{1} << 25;  // what a viewer opens at once

// Brightened in the dark.
std::uint8_t grey(double value) {
  return static_cast<std::uint8_t>(255.0 * std::sqrt(std::clamp(value, 0.0, 1.0)));
}

}  // namespace

std::size_t overlay_factor(std::size_t width_px, std::size_t height_px) {
  std::size_t factor = 1;
  while ((width_px + factor - 1) / factor > max_pixels / ((height_px + factor - 1) / factor))
    ++factor;
  return factor;
}

RgbPicture overlay(const PlaneView& image, const LabelImage& labels) {
  const std::size_t width = image.width_px, height = image.height_px;
  if (width == 0 || height == 0) return {};
  const std::size_t factor = overlay_factor(width, height);
  RgbPicture picture{.width_px = (width + factor - 1) / factor,
                     .height_px = (height + factor - 1) / factor};
  picture.values.assign(3 * picture.width_px * picture.height_px, 0);
  const PlaneValues values = plane_values(image);
  double low = 0.0, range = 0.0;
  if (!values.flat) {
    low = quantile(values.numbers, darkest);
    range = quantile(values.numbers, brightest) - low;
  }
  const auto label = [&](std::size_t x, std::size_t y) { return labels.labels[y * width + x]; };
  const auto is_edge = [&](std::size_t x, std::size_t y) {
    const std::uint32_t own = label(x, y);
    return own != 0 && ((x > 0 && label(x - 1, y) != own) || (y > 0 && label(x, y - 1) != own) ||
                        (x + 1 < width && label(x + 1, y) != own) ||
                        (y + 1 < height && label(x, y + 1) != own));
  };
  auto out = picture.values.begin();
  for (std::size_t top = 0; top < height; top += factor)
    for (std::size_t left = 0; left < width; left += factor, out += 3) {
      // A block of the image, of one pixel in most.
      bool outlined = false;
      double sum = 0.0, pixels = 0.0;
      for (std::size_t y = top; y < std::min(top + factor, height); ++y)
        for (std::size_t x = left; x < std::min(left + factor, width); ++x) {
          outlined = outlined || is_edge(x, y);
          if (range > 0.0)
            sum += static_cast<double>(values.numbers(static_cast<int>(y), static_cast<int>(x)));
          pixels += 1.0;
        }
      if (outlined)
        std::copy(outline.begin(), outline.end(), out);
      else if (range > 0.0)
        std::fill_n(out, 3, grey((sum / pixels - low) / range));
    }
  return picture;
}

}  // namespace nucreg
