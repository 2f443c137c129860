// What an answer is, found out by nucreg itself and alike for every solver.
#pragma once

#include "nucreg/fit/scaled_fit.hpp"
#include "nucreg/solve/solver.hpp"

namespace nucreg {

/// Whether the 10x points determine a map of the model at all, whatever their 40x partners: not too
/// few, and not on a line where that matters. Points within rounding of a line are on it.
[[nodiscard]] bool determines_map(const ScaledFit& fit, Model model);

/// What a Gauss-Newton step from the answer would still gain.
struct Certificate {
  /// Gain that the step promises / objective; 0 if the gain is within rounding of the points,
  /// NaN if the objective is not finite. Within the box: what a bound holds back is no gain.
  double stationarity = 0.0;
  /// Whether the pairs that the loss gives weight to determine the map. They do not on a plateau,
  /// such as tukey's, where the gradient says nothing about the pairs beyond the scale.
  bool weighted = true;
  bool any_weight = true;  ///< whether any pair has weight
};

/// One more pass over the points at `params` (solver's coordinates), which counts as none.
/// `rounding_floor_px2`: objective that rounding of the coordinates alone can make.
[[nodiscard]] Certificate certify(const ScaledFit& fit, const Params& params,
                                  double rounding_floor_px2);

/// Takes the word `converged` away from an answer that does not deserve it: `stalled`, with the
/// reason. An answer deserves it when a step promises no more than 1e-6 of the objective (or
/// ftol_rel, where the job asks for less than that) and the pairs with weight determine the map.
/// One that `stalled` has converged where a step promises no more than ftol_rel: the job's
/// tolerance is met, and only rounding kept the solver from seeing it. Other statuses stay.
void judge(const Certificate& certificate, double ftol_rel, SolveResult& result);

}  // namespace nucreg
