// What an ND2 file says of its pictures (size and layout, channels, calibration, objective) and of
// the order in which they were taken (loops over time, places and focus).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nd2_metadata.hpp"
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

/// For the first frame; what is not there or makes no sense is left out.
struct Nd2Picture {
  std::vector<ImageChannel> channels;  ///< one per component
  std::optional<double> pixel_size_um, pixel_height_um;
  std::optional<double> x_um, y_um, z_um;
  ObjectiveLens objective;
};
[[nodiscard]] Nd2Picture read_nd2_picture(const Nd2Node* picture, const Nd2Node* calibration,
                                          std::uint64_t components);

struct Nd2Point {
  std::optional<double> x_um, y_um, z_um;  ///< nothing if it is no number
  std::string name;
};

struct Nd2Experiment {
  std::vector<ImageLoop> loops;  ///< outermost first
  std::vector<Nd2Point> points;  ///< of loop P
  std::optional<double> z_step_um;

  [[nodiscard]] std::uint64_t frames() const;  ///< product of the counts; 1 without loops
};

/// More frames than this are taken for a broken file.
inline constexpr std::uint64_t max_frames = std::uint64_t{1} << 20;

/// What an experiment asks for that this reader does not know or believe.
struct Nd2ExperimentError {
  std::string code, problem;
};

/// Throws Nd2ExperimentError.
[[nodiscard]] Nd2Experiment read_nd2_experiment(const Nd2Node& root);

}  // namespace nucreg
