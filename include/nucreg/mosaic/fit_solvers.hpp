// General solvers on the global fit, to be compared with the one that is made for it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "nucreg/mosaic/global_fit.hpp"

namespace nucreg::mosaic {

struct SolverRun {
  std::vector<double> unknowns;
  double objective = 0.0;
  std::uint32_t iterations = 0;
  std::uint32_t evaluations = 0;  ///< of the objective
  std::uint32_t gradients = 0;    ///< of it or of the residuals' Jacobian
  bool converged = false;         ///< no step lowered the objective by ftol_rel any more
};

struct SolverLimits {
  std::uint32_t max_evaluations = 20000;
  double ftol_rel = 1e-12;  ///< relative change of the objective in an iteration
  /// Asked after each evaluation; true: stop. Empty: never.
  std::function<bool()> stop;
  /// lbfgs: approximately the inverse Hessian, times its argument. Empty: a multiple of the
  /// identity.
  std::function<std::vector<double>(std::span<const double>)> inverse;
};

/// Levenberg-Marquardt with weights of the robust loss (iteratively reweighted), damping after
/// Nielsen, Damping parameter in Marquardt's method, IMM-REP-1999-05; sparse Cholesky.
[[nodiscard]] SolverRun levenberg_marquardt(const GlobalFit& fit, std::span<const double> start,
                                            const SolverLimits& limits = {});

/// L-BFGS (Nocedal and Wright, Numerical Optimization, 2006, algorithm 7.5) with 10 corrections
/// and a line search for the strong Wolfe conditions (algorithms 3.5 and 3.6).
[[nodiscard]] SolverRun lbfgs(const GlobalFit& fit, std::span<const double> start,
                              const SolverLimits& limits = {});

}  // namespace nucreg::mosaic
