#include "nucreg/nuclei/overlay.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "brightness.hpp"

namespace nucreg {
namespace {

constexpr double darkest = 0.01, brightest = 0.997;
constexpr std::array<std::uint8_t, 3> outline{255, 110, 0};

}  // namespace

RgbPicture overlay(const PlaneView& image, const LabelImage& labels) {
  RgbPicture picture{.width_px = image.width_px, .height_px = image.height_px};
  picture.values.assign(3 * image.width_px * image.height_px, 0);
  const PlaneValues values = plane_values(image);
  double low = 0.0, range = 0.0;
  if (!values.flat) {
    low = quantile(values.numbers, darkest);
    range = quantile(values.numbers, brightest) - low;
  }
  const auto label = [&](std::size_t x, std::size_t y) {
    return labels.labels[y * image.width_px + x];
  };
  auto out = picture.values.begin();
  for (std::size_t y = 0; y < image.height_px; ++y)
    for (std::size_t x = 0; x < image.width_px; ++x, out += 3) {
      const std::uint32_t own = label(x, y);
      const bool edge =
          own != 0 && ((x > 0 && label(x - 1, y) != own) || (y > 0 && label(x, y - 1) != own) ||
                       (x + 1 < image.width_px && label(x + 1, y) != own) ||
                       (y + 1 < image.height_px && label(x, y + 1) != own));
      if (edge) {
        std::copy(outline.begin(), outline.end(), out);
      } else if (range > 0.0) {
        const double value =
            static_cast<double>(values.numbers(static_cast<int>(y), static_cast<int>(x)));
        std::fill_n(out, 3,
                    static_cast<std::uint8_t>(
                        255.0 * std::sqrt(std::clamp((value - low) / range, 0.0, 1.0))));
      }
    }
  return picture;
}

}  // namespace nucreg
