// In which order an ND2 file was taken: its loops over time, places and focus.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nd2_node.hpp"
#include "nucreg/image/image.hpp"

namespace nucreg {

struct Nd2Point {
  std::optional<double> x_um, y_um, z_um;  ///< nothing where it is no number
  std::string name;
};

struct Nd2Experiment {
  std::vector<ImageLoop> loops;  ///< outermost first
  std::vector<Nd2Point> points;  ///< of loop P
  std::optional<double> z_step_um;

  [[nodiscard]] std::uint64_t frames() const;  ///< product of the counts; 1 without loops
};

/// More frames than this are taken for a broken file.
inline constexpr std::uint64_t most_frames = std::uint64_t{1} << 20;

/// What an experiment asks for that this reader does not know or believe.
struct Nd2ExperimentError {
  std::string code, problem;
};

/// Throws Nd2ExperimentError.
[[nodiscard]] Nd2Experiment read_nd2_experiment(const Nd2Node& root);

}  // namespace nucreg
