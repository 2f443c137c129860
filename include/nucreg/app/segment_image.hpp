// One frame of an image file, segmented, as files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "nucreg/image/image.hpp"

namespace nucreg {

/// What a rank must know to do its share of `segment`.
struct SegmentTask {
  std::filesystem::path image;
  std::size_t frame = 0, channel = 0;
  std::optional<double> diameter_px;
  std::filesystem::path outputs;  ///< the outputs' path up to what tells them apart
};

/// `<outputs>.csv`, `<outputs>_labels.tif`, `<outputs>_overlay.png`.
struct SegmentFiles {
  std::filesystem::path table, labels, overlay;

  explicit SegmentFiles(const std::filesystem::path& outputs);
};

struct SegmentSummary {
  std::size_t nuclei = 0;
  double diameter_px = 0.0;
  bool one_value = false;  ///< of all pixels
  bool kept = false;       ///< outputs of the same pixels and diameter were there
  bool replaced = false;   ///< outputs of other ones were there
};

/// What is done about outputs that are there: an error, made anew, or made anew where they were not
/// made of the same pixels with the same diameter by the same version.
enum class Existing : std::uint8_t { refused, replaced, kept_if_same };

/// Reads, segments, and writes the three files; each appears when it is whole. Throws InputError,
/// also where memory does not suffice, and OutputError. No nuclei: an empty table.
[[nodiscard]] SegmentSummary segment_image(const SegmentTask& task, Existing existing);

}  // namespace nucreg
