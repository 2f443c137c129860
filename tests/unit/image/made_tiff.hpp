// Opens TIFF files that a test has made.
#pragma once

#include <memory>

#include "support/scratch.hpp"
#include "support/tiff_builder.hpp"
#include "unit/image/plane_check.hpp"

namespace nucreg {

inline std::unique_ptr<ImageReader> open_made_tiff(const Scratch& scratch, const TiffSpec& spec) {
  write_test_tiff(scratch / "made.tif", spec);
  return open_image(scratch / "made.tif");
}

/// Frame and channel must be that page and sample.
inline void check_pixels(ImageReader& reader, const TiffSpec& spec, std::size_t frame,
                         std::size_t channel, std::uint32_t page, std::uint32_t sample = 0) {
  check_plane(reader.read(frame, channel), reader.info(), [&](std::size_t x, std::size_t y) {
    const std::uint32_t value =
        tiff_value(page, sample, static_cast<std::uint32_t>(y), static_cast<std::uint32_t>(x));
    if (spec.format == SAMPLEFORMAT_IEEEFP) return value + 0.5;
    return static_cast<double>(spec.bits == 8 ? value & 0xff : value);
  });
}

inline ImageError refused(const Scratch& scratch, const std::string& code, const TiffSpec& spec) {
  return image_error(code, [&] { static_cast<void>(open_made_tiff(scratch, spec)->read(0, 0)); });
}

}  // namespace nucreg
