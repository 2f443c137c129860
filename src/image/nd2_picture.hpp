// What an ND2 file says of its pictures: their size and layout, channels, calibration, objective.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nd2_node.hpp"
#include "nucreg/image/image.hpp"

namespace nucreg {

/// How the pixels of each frame lie in the file.
struct Nd2Attributes {
  std::uint64_t width_px = 0, height_px = 0, components = 0;
  std::uint64_t row_bytes = 0;  ///< with padding
  std::optional<std::uint64_t> sequence_count;
  unsigned bits = 16, significant_bits = 16;
  bool compressed = false;

  [[nodiscard]] std::uint64_t value_bytes() const { return bits / 8; }
  [[nodiscard]] std::uint64_t frame_bytes() const { return row_bytes * height_px; }
};

/// An attribute that is missing, out of range or not supported.
struct Nd2AttributeError {
  std::string code, problem;
};

/// Throws Nd2AttributeError.
[[nodiscard]] Nd2Attributes read_nd2_attributes(const Nd2Node& root);

/// Of the first frame; what is not there or makes no sense is left out.
struct Nd2Picture {
  std::vector<ImageChannel> channels;  ///< one per component
  std::optional<double> pixel_size_um, pixel_height_um;
  std::optional<double> x_um, y_um, z_um;
  ObjectiveLens objective;
};
[[nodiscard]] Nd2Picture read_nd2_picture(const Nd2Node* picture, const Nd2Node* calibration,
                                          std::uint64_t components);

}  // namespace nucreg
