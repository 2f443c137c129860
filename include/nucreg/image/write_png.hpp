// Pictures for people to look at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace nucreg {

/// Red, green, blue, row by row, 3 * width * height values.
struct RgbPicture {
  std::size_t width_px = 0, height_px = 0;
  std::vector<std::uint8_t> values;
};

/// Whether a picture of that size can be a PNG: as most readers limit it, 2^31 - 1 bytes of pixels.
[[nodiscard]] bool fits_png(std::size_t width_px, std::size_t height_px);
/// Writes a PNG; replaces what is there. The same picture gives the same bytes. Throws OutputError
/// (path, reason), also for a picture without pixels, which PNG has not; no half file is left.
void write_png(const std::filesystem::path& file, const RgbPicture& picture);

}  // namespace nucreg
