// What an image file holds, for `image`.
#pragma once

#include <string>

#include "nucreg/image/image.hpp"

namespace nucreg {

/// One object: `file`, `format`, `sizes` (axes of more than one step, slowest first, then C where
/// there are several channels, Y, X), `width_px`, `height_px`, `pixel_type`, `significant_bits`,
/// `channel_names`, `channels`, `loops`, `pixel_size_um` (x, y, z_step), `objective`,
/// `position_names` and `frames` (one object each: indices along the loops, whether it is missing,
/// stage position in um, time in ms). What the file does not tell is null. Indented by two spaces,
/// no newline at the end. May take a look at every frame, to learn when it was taken.
[[nodiscard]] std::string to_json(ImageReader& reader, const std::string& file);

/// The same for people; of many frames only the first. Ends with a newline.
[[nodiscard]] std::string to_text(const ImageInfo& info, const std::string& file);

}  // namespace nucreg
