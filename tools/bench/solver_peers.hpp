// The fits of other libraries that bench_solvers measures: affine map, squared loss.
#pragma once

#include <array>
#include <functional>

#include "nucreg/fit/points.hpp"

namespace nucreg::bench {

/// What a fit found, from the start a b tx c d ty = 1 0 0 0 1 0.
struct Fit {
  std::array<double, 6> params{};
  long evaluations = 0;  ///< of objective or residuals
  bool converged = false;
};
/// A fit that is ready to run, as often as one likes: memory that a library can keep is kept.
using Fitter = std::function<Fit()>;

inline constexpr std::array<double, 6> start{1.0, 0.0, 0.0, 0.0, 1.0, 0.0};
inline constexpr int max_evaluations = 1000;
inline constexpr double tolerance = 1e-12;  ///< relative, of the objective and of the parameters

enum class Linear { qr, normal_cholesky };

/// Ceres Solver: one residual block with analytic Jacobian, one thread. `radius` is that of the
/// first trust region: 1e4 is its default, a huge one lets the first step be undamped.
[[nodiscard]] Fitter ceres_fit(const PairsView& pairs, Linear linear, double radius);
/// GSL's multifit_nlinear: Levenberg-Marquardt with analytic Jacobian.
[[nodiscard]] Fitter gsl_fit(const PairsView& pairs, Linear linear);

}  // namespace nucreg::bench
