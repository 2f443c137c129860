// Planes and label images as TIFF, pictures for people as PNG.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "nucreg/image/image.hpp"

namespace nucreg {

struct TiffOptions {
  std::optional<double> pixel_size_um;    ///< kept as resolution
  std::optional<double> pixel_height_um;  ///< if pixels are not square
  std::string description;                ///< such as OME-XML; empty: none
};

/// Writes one page, losslessly compressed (deflate), in the type of the plane; replaces what is
/// there. The same plane gives the same bytes. Throws OutputError (path, reason); no half file is
/// left behind.
void write_tiff(const std::filesystem::path& file, const PlaneView& plane,
                const TiffOptions& options = {});

/// A label image as u16 if every label fits, else as u32; `read_label_tiff` reads it back.
void write_label_tiff(const std::filesystem::path& file, const LabelImage& image,
                      const TiffOptions& options = {});

/// A picture for people to look at: red, green, blue, row by row, 3 * width * height values.
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
