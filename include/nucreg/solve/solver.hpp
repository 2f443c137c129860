// The seam where optimizers plug in.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "nucreg/fit/normalization.hpp"
#include "nucreg/fit/objective.hpp"

namespace nucreg {

/// What every solver of a trial gets alike, in the solver's coordinates, angles in radians.
struct SolveRequest {
  Params start;                         ///< within `box`
  Box box;                              ///< infinite if there is no bound
  std::int64_t max_evaluations = 1000;  ///< of the objective (or the residuals)
  double ftol_rel = 1e-12;    ///< converged when a step changes F by less than this times F
  double xtol_rel = 1e-12;    ///< converged when a step is shorter than this times |p|
  std::uint64_t seed = 1;     ///< of what a solver draws; follows from the trial
  double max_seconds = 10.0;  ///< for solvers that cannot ask Objective::out_of_time
};

struct SolveResult {
  Params params;  ///< the best point seen
  SolveStatus status = SolveStatus::failed;
  std::int64_t iterations = -1;  ///< -1 = the library does not report it
  std::int32_t native_code = 0;  ///< what the library returned; 0 for our own
  const char* reason = "";       ///< why it stalled or failed, in words; lives for ever
  std::string message = {};      ///< the same in words of its own; stands before `reason`
  /// Time of the solve by a clock of the solver's own, s; NaN: nucreg's clock counts.
  double own_seconds = std::numeric_limits<double>::quiet_NaN();
};

/// An optimizer with its options. solve() is const and keeps nothing between calls, so that a
/// trial's result does not depend on the trials before it.
class Solver {
 public:
  virtual ~Solver() = default;
  /// Whether a result always lies within SolveRequest::box.
  [[nodiscard]] virtual bool honours_bounds() const = 0;
  /// Whether the solver has an answer for this model and loss at all.
  [[nodiscard]] virtual bool applies_to(Model, Loss) const { return true; }
  /// Minimises. Asks objective.out_of_time() after each evaluation and then ends with max_time.
  /// May throw; the trial then counts as failed.
  [[nodiscard]] virtual SolveResult solve(Objective& objective,
                                          const SolveRequest& request) const = 0;
};

}  // namespace nucreg
