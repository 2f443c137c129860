#include "nucreg/nuclei/overlay.hpp"

#include <doctest/doctest.h>

#include <array>
#include <vector>

using namespace nucreg;

namespace {

PlaneView view(const std::vector<std::uint8_t>& values, std::size_t width) {
  return {.data = reinterpret_cast<const std::byte*>(values.data()),
          .width_px = width,
          .height_px = values.size() / width,
          .row_bytes = width,
          .pixel_bytes = 1,
          .type = PixelType::u8};
}

std::array<int, 3> colour(const RgbPicture& picture, std::size_t x, std::size_t y) {
  const auto* at = &picture.values[3 * (y * picture.width_px + x)];
  return {at[0], at[1], at[2]};
}

constexpr std::array<int, 3> orange{255, 110, 0};

}  // namespace

TEST_CASE("outlines are orange, the rest is grey and brighter where the image is") {
  std::vector<std::uint8_t> values(64, 10);
  LabelImage labels{8, 8, std::vector<std::uint32_t>(64, 0)};
  for (std::size_t y = 2; y < 6; ++y)
    for (std::size_t x = 2; x < 6; ++x) {
      values[y * 8 + x] = 200;
      labels.labels[y * 8 + x] = 1;
    }
  const RgbPicture picture = overlay(view(values, 8), labels);
  CHECK((picture.width_px == 8 && picture.height_px == 8));
  CHECK(colour(picture, 2, 2) == orange);
  CHECK(colour(picture, 5, 4) == orange);
  CHECK(colour(picture, 3, 3) == std::array{255, 255, 255});
  CHECK(colour(picture, 0, 0) == std::array{0, 0, 0});
}

TEST_CASE("of a large image the overlay is smaller and has every nucleus") {
  CHECK(overlay_factor(5792, 5792) == 1);
  CHECK(overlay_factor(5793, 5793) == 2);
  CHECK(overlay_factor(1 << 30, 1) == 32);
  CHECK(overlay_factor(1 << 15, 1 << 15) == 6);
  constexpr std::size_t width = 8193, height = 4097;  // one more than 2^25 pixels
  std::vector<std::uint8_t> values(width * height, 10);
  LabelImage labels{width, height, std::vector<std::uint32_t>(width * height, 0)};
  const auto mark = [&](std::size_t x, std::size_t y, std::uint32_t label) {
    values[y * width + x] = 200;
    labels.labels[y * width + x] = label;
  };
  mark(101, 51, 1);
  mark(width - 1, height - 1, 2);  // in a block that the image does not fill
  const RgbPicture picture = overlay(view(values, width), labels);
  CHECK((picture.width_px == 4097 && picture.height_px == 2049));
  CHECK(colour(picture, 50, 25) == orange);
  CHECK(colour(picture, 4096, 2048) == orange);
  CHECK(colour(picture, 49, 25) == std::array{0, 0, 0});
}
