// One frame of an image file, segmented, as files.
#pragma once

#include <cstddef>
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

/// A channel by its name or, where none has that name, by its number from 0. Throws InputError,
/// which names the channels that `file` has.
[[nodiscard]] std::size_t find_channel(const ImageInfo& info, const std::string& channel,
                                       const std::string& file);

struct SegmentSummary {
  std::size_t nuclei = 0;
  double diameter_px = 0.0;
};

/// Reads, segments, and writes the three files; each appears when it is whole. Throws InputError
/// and OutputError.
[[nodiscard]] SegmentSummary segment_image(const SegmentTask& task, bool overwrite);

}  // namespace nucreg
