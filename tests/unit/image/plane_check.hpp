// Compares what a reader gives with what a test wrote.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "nucreg/image/image.hpp"

namespace nucreg {

inline double value_of(const PlaneView& plane, std::size_t x, std::size_t y) {
  switch (plane.type) {
    case PixelType::u8:
      return plane.at<std::uint8_t>(x, y);
    case PixelType::u16:
      return plane.at<std::uint16_t>(x, y);
    case PixelType::u32:
      return plane.at<std::uint32_t>(x, y);
    case PixelType::f32:
      return static_cast<double>(plane.at<float>(x, y));
  }
  return 0.0;
}

/// `expected(x, y)` gives a number.
template <class Expected>
void check_plane(const Plane& plane, const ImageInfo& info, const Expected& expected) {
  const PlaneView& view = plane.view();
  REQUIRE(view.width_px == info.width_px);
  REQUIRE(view.height_px == info.height_px);
  REQUIRE(view.type == info.type);
  for (std::size_t y = 0; y < view.height_px; ++y)
    for (std::size_t x = 0; x < view.width_px; ++x) REQUIRE(value_of(view, x, y) == expected(x, y));
}

inline void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream stream(file, std::ios::binary);
  stream << bytes;
  REQUIRE(stream.flush());
}

inline std::string bytes_of_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Runs `act`, which must throw an ImageError with that code; returns it.
template <class Act>
ImageError image_error(const std::string& code, const Act& act) {
  try {
    act();
  } catch (const ImageError& error) {
    CAPTURE(std::string(error.what()));
    CHECK(error.image_fields().code == code);
    CHECK(error.status() == ExitStatus::input);
    return error;
  }
  FAIL("nothing was thrown, expected ", code);
  throw;
}

}  // namespace nucreg
