// Label images: what a segmentation tool made of a microscope image.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nucreg {

/// Row by row, x right, y down; 0 = background, k = nucleus k.
struct LabelImage {
  std::uint32_t width = 0, height = 0;
  std::vector<std::uint32_t> labels;
};

/// Reads the first page of a TIFF of 8, 16 or 32-bit integers or of floats that are whole numbers,
/// none negative, one sample per pixel, in strips or tiles, with any compression that libtiff
/// knows. Throws InputError (path, reason) on anything else, on more than 2^30 pixels and on files
/// cut off.
[[nodiscard]] LabelImage read_label_tiff(const std::filesystem::path& file);

/// What the first page of a TIFF says of itself; empty where it says nothing. Throws InputError.
[[nodiscard]] std::string read_tiff_description(const std::filesystem::path& file);

}  // namespace nucreg
