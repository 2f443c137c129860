// How far a fitted map is from the points and from the truth.
#pragma once

#include <array>

#include "nucreg/fit/model.hpp"
#include "nucreg/fit/points.hpp"

namespace nucreg {

/// Sum of rho over all pairs, 40x px^2. NaN if a number is not finite.
[[nodiscard]] double objective_px(const PairsView& pairs, const Map& fitted, Loss loss,
                                  double loss_scale_px);

/// Root mean square distance of all pairs, 40x px; NaN for no pairs.
[[nodiscard]] double rmsd_px(const PairsView& pairs, const Map& fitted);

/// Target registration error: root mean square distance between two maps over the corners
/// (0, 0) ... (width, height) and the centre of the 10x field, 40x px (Fitzpatrick, West and
/// Maurer, "Predicting error in rigid-body point-based registration", 1998).
[[nodiscard]] double tre_px(const Map& fitted, const Map& truth,
                            const std::array<double, 2>& field_px);

/// Quantile (NumPy's default) of the distance from each 40x point of `pairs` and `more` to its
/// nearest neighbour among them, 40x px. Points at one place are one nucleus, as in a resample. NaN
/// for fewer than two places.
[[nodiscard]] double neighbour_distance_px(const PairsView& pairs, const PairsView& more,
                                           double fraction);

/// Euclidean norm of fitted minus true parameters of the same model, in the units of
/// model_parameters(); the angle's difference is the shorter way round.
[[nodiscard]] double param_error(const Map& fitted, const Map& truth);

/// (objective - best) / best, not below zero. Differences that rounding alone makes are none: what
/// is at most rounding_floor(pairs) above best counts as equal. NaN if either is not finite.
[[nodiscard]] double gap(double objective, double best, double rounding_floor);

/// The objective that rounding of the coordinates alone can make: sum of (8 eps |coordinate|)^2,
/// 40x px^2.
[[nodiscard]] double rounding_floor_px(const PairsView& pairs);

}  // namespace nucreg
