// The maps from 10x to 40x: evaluation, derivatives, conversion between models.
#pragma once

#include <Eigen/Core>
#include <array>
#include <numbers>
#include <optional>

#include "nucreg/core/terms.hpp"
#include "nucreg/fit/points.hpp"

namespace nucreg {

inline constexpr double radians_per_degree = std::numbers::pi / 180.0;

/// Parameters of a model. Never on the heap.
using Params = Eigen::Matrix<double, Eigen::Dynamic, 1, Eigen::ColMajor, max_parameters, 1>;

/// A model with its parameters: a map from 10x px to 40x px. Outside units (angles in degrees) in
/// the order of model_parameters(). `magnification` is the fixed scale of a rigid map.
struct Map {
  Model model = Model::affine;
  Params params;
  double magnification = 1.0;
};

/// Where a map takes the point (x, y).
[[nodiscard]] std::array<double, 2> apply(const Map& map, double x, double y);

/// The same map in another model, or nothing if that model does not contain it (scales that
/// differ by more than 1e-12 relative are different).
[[nodiscard]] std::optional<Map> convert(const Map& map, Model to, double magnification);

/// The map entries a b tx c d ty (g h) on which all models rest, their derivative by the parameters
/// in radians, and whether g and h exist. `derivative` has entries x parameters.
struct MapEntries {
  std::array<double, 8> entries{};
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor, 8, 8> derivative;
  bool projective = false;
};
/// How similarity and trs hold their shift. Jobs and results hold it `scaled`, X = s (R x + d).
/// Solvers work in the `plain` one, X = s R x + t: where s shrinks on its way through a turn, the
/// scaled shift must grow without end for the map to stay where it is, and s = 0 is reached at
/// infinity only. rigid has no scale to vary, affine and projective are plain: both forms are one.
enum class ShiftForm { scaled, plain };

/// Scaled shifts made plain (t = s d), and back. d is not finite if a scale is 0.
[[nodiscard]] Params to_plain_shift(Model model, Params params);
[[nodiscard]] Params to_scaled_shift(Model model, Params params);

/// `radians` are parameters in the order of the model with angles in radians.
[[nodiscard]] MapEntries map_entries(Model model, const Params& radians, double magnification,
                                     bool with_derivative, ShiftForm form = ShiftForm::scaled);
/// Without derivative.
[[nodiscard]] MapEntries map_entries(const Map& map);
/// Where a map takes the point (x, y).
[[nodiscard]] std::array<double, 2> apply(const MapEntries& map, double x, double y);

/// Position of the angle in the parameters of a model, or -1.
[[nodiscard]] int angle_index(Model model);
/// Degrees to radians in the angle, and back (in -180 ... 180).
[[nodiscard]] Params to_radians(Model model, Params params);
[[nodiscard]] Params to_degrees(Model model, Params params);

}  // namespace nucreg
