// One fit of all tiles of both sides: a sparse robust least-squares problem, as
// a value, so that any solver can be run on it.
//
// Unknowns, in this order: x of all tiles, x of all spline nodes, y of both,
// then what all share: k1 of 10x, k1 of 40x, and change of scale and turn of
// the 40x camera (no deformation) or the four elements of the linear
// deformation (affine), or nothing (spline: it holds both). Observations are
// means over the pairs of a part of a link; their residuals are linear:
//     r = (c_a - c_b + constant + k1_a lens_a - k1_b lens_b - shared terms -
//     spline(at)) / sd
// and the objective is sum 1/2 rho(|r|^2) + 1/2 |priors|^2, rho being a loss of
// fit/loss.hpp with scale c.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "nucreg/job/map.hpp"
#include "nucreg/mosaic/well_map.hpp"

namespace nucreg::mosaic {

struct Observation {
  std::uint32_t a = 0, b = 0;  ///< tiles; across sides a is of 10x and b of 40x
  std::uint32_t link = 0;      ///< which link it is a part of
  double sd_um = 1.0;          ///< of a coordinate of the mean
  double pairs = 0.0;
  Point constant{};          ///< camera_a v_a - camera_b v_b, um
  Point lens_a{}, lens_b{};  ///< camera q, um
  Point arm_a{}, arm_b{};    ///< of a 40x tile: camera v, um; else 0
  Point at{};                ///< where the deformation is taken, um of the well
};

/// sum of coefficient times unknown, for x and for y alike, should be the
/// target.
struct PriorRow {
  std::array<std::uint32_t, 3> unknown{};  ///< among tiles and nodes
  std::array<double, 3> coefficient{};     ///< over its deviation; 0: not used
  Point target{};                          ///< over its deviation
};

struct GlobalFit {
  std::vector<Side> side;  ///< of each tile
  std::vector<Observation> observations;
  std::vector<PriorRow> priors;
  Deformation grid;  ///< kind, origin, spacing and size of what is fitted;
                     ///< coefficients unused
  Loss loss = Loss::cauchy;
  double loss_scale = 3.0;     ///< c, deviations
  double k1_deviation = 0.01;  ///< of the prior of k1, mean 0

  [[nodiscard]] std::size_t nodes() const { return std::size_t{grid.nx} * grid.ny; }
  [[nodiscard]] std::size_t shifts() const { return side.size() + nodes(); }
  [[nodiscard]] std::size_t shared() const;
  [[nodiscard]] std::size_t unknowns() const { return 2 * shifts() + shared(); }
  [[nodiscard]] bool across(const Observation& o) const { return side[o.a] != side[o.b]; }

  /// Residuals in deviations: x, y of each observation, then of each prior,
  /// then of both k1.
  [[nodiscard]] std::vector<double> residuals(std::span<const double> unknowns) const;
  /// Their derivatives, which are constant: fills rows, columns and values of
  /// what is not zero.
  void jacobian(std::vector<std::uint32_t>& row, std::vector<std::uint32_t>& column,
                std::vector<double>& value) const;
  /// The robust objective, its loss scale inflated; fills the gradient unless it is null.
  [[nodiscard]] double objective(std::span<const double> unknowns, std::vector<double>* gradient,
                                 double inflation = 1.0) const;
};

struct FitOptions {
  MapSolver solver = MapSolver::irls;
  int max_iterations = 30;       ///< of irls
  double tolerance = 1e-7;       ///< of the relative change of the objective
  double first_inflation = 1.0;  ///< of the loss scale at first; halved step by step to 1
};

struct FitSolution {
  std::vector<double> unknowns;
  std::vector<double> weight;  ///< of each observation, 0 to 1: how far the robust loss keeps it
  double objective = 0.0;
  std::uint32_t iterations = 0;  ///< of irls; evaluations of other solvers
  bool converged = false;
};

/// irls: iteratively reweighted least squares; each step one sparse Cholesky factorisation for both
/// axes, the shared unknowns eliminated last, the loss narrower in each; it ends with L-BFGS, which
/// the last factor preconditions. Other solvers (below) end before the loss gets narrower. Throws
/// std::runtime_error if the matrix cannot be factored.
[[nodiscard]] FitSolution solve(const GlobalFit& fit, std::span<const double> start,
                                const FitOptions& options = {});

/// Deviation of each tile's shift under the given weights, um.
[[nodiscard]] std::vector<double> tile_deviations(const GlobalFit& fit,
                                                  std::span<const double> weight);

// Rows of the Jacobian of a global fit.

/// What an observation knows of tiles and nodes; the same for x and for y. Not
/// over its deviation.
struct Row {
  std::size_t size = 0;
  std::array<std::uint32_t, 18> unknown{};
  std::array<double, 18> coefficient{};
  void add(std::uint32_t index, double value) {
    unknown[size] = index;
    coefficient[size++] = value;
  }
};
[[nodiscard]] Row row_of(const GlobalFit& fit, const Observation& o);

/// Derivatives by the shared unknowns.
struct SharedTerms {
  std::array<double, 6> x{}, y{};
};
[[nodiscard]] SharedTerms shared_terms(const GlobalFit& fit, const Observation& o);

// General solvers on the global fit, to be compared with the one that is made for it.

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
