// Planes and label images as TIFF.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "nucreg/image/image.hpp"
#include "nucreg/image/label_image.hpp"

namespace nucreg {

struct TiffOptions {
  std::optional<double> pixel_size_um;  ///< kept as resolution
  std::string description;              ///< such as OME-XML; empty: none
};

/// Writes one page, losslessly compressed (deflate), in the type of the plane; replaces what is
/// there. The same plane gives the same bytes. Throws OutputError (path, reason); no half file is
/// left behind.
void write_tiff(const std::filesystem::path& file, const PlaneView& plane,
                const TiffOptions& options = {});

/// A label image as u16 where every label fits, else as u32; `read_label_tiff` reads it back.
void write_label_tiff(const std::filesystem::path& file, const LabelImage& image,
                      const TiffOptions& options = {});

}  // namespace nucreg
