#include "well_tables.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>

#include "nucreg/core/clock.hpp"
#include "nucreg/core/random.hpp"

namespace nucreg {
namespace {

using Limits = mosaic::SolverLimits;

// Loss scales at first: the start is this many times further off than the noise.
constexpr double first_inflation = 64.0;

// A solver that is made for anything may need hours of a fit with many knots.
constexpr double max_s = 60.0;

// Where the fit ends, from anywhere: at first all residuals count alike.
std::vector<double> answer_of(const mosaic::GlobalFit& fit) {
  const std::vector<double> zeros(fit.unknowns());
  return mosaic::solve(fit, zeros, {.max_iterations = 60, .first_inflation = 1048576.0}).unknowns;
}

std::vector<double> start_of(const mosaic::GlobalFit& fit, std::uint32_t model,
                             std::uint64_t seed) {
  constexpr double deviation_um = 5.0;
  std::vector<double> start = answer_of(fit);
  RandomStream random(seed, model, 0, Purpose::draws);
  for (std::size_t i = 0; i < 2 * fit.shifts(); ++i) start[i] += deviation_um * random.normal();
  std::fill(start.begin() + static_cast<std::ptrdiff_t>(2 * fit.shifts()), start.end(), 0.0);
  return start;
}

mosaic::SolverRun by_reweighting(const mosaic::GlobalFit& fit, std::span<const double> start) {
  const mosaic::FitSolution found =
      mosaic::solve(fit, start, {.max_iterations = 60, .first_inflation = first_inflation});
  return {.unknowns = found.unknowns,
          .objective = found.objective,
          .iterations = found.iterations,
          .evaluations = found.iterations,
          .gradients = found.iterations,
          .converged = found.converged};
}

template <class Solve>
Record timed(std::uint32_t model, std::uint32_t solver, const mosaic::GlobalFit& fit,
             Solve&& solve) {
  Record row;
  row.configuration = model;
  row.solver = solver;
  row.pairs = static_cast<std::int64_t>(fit.observations.size());
  row.repeats = 1;
  const double wall = wall_seconds(), cpu = thread_cpu_seconds();
  bool late = false;
  const mosaic::SolverRun run =
      solve({.stop = [&] { return late = wall_seconds() - wall > max_s; }, .inverse = {}});
  row.wall_seconds = wall_seconds() - wall;
  row.cpu_seconds = thread_cpu_seconds() - cpu;
  row.iterations = run.iterations;
  row.function_evaluations = run.evaluations;
  row.jacobian_evaluations = run.gradients;
  row.objective = run.objective;
  row.status = !std::isfinite(run.objective) ? SolveStatus::failed
               : run.converged               ? SolveStatus::converged
               : late                        ? SolveStatus::max_time
                                             : SolveStatus::max_evaluations;
  return row;
}

}  // namespace

Table compared_solvers() {
  const std::vector<std::string> names{"IRLS", "LM", "L-BFGS"},
      kinds{"map-irls", "map-lm", "map-lbfgs"},
      algorithms{"reweighted least squares, sparse Cholesky",
                 "Levenberg-Marquardt, sparse Cholesky", "L-BFGS, strong Wolfe line search"},
      options{"", "ftol_rel = 1e-12", "corrections = 10, ftol_rel = 1e-12"};
  return {"solvers",
          {{"name", "1", names},
           {"kind", "1", kinds},
           {"algorithm", "1", algorithms},
           {"options", "1", options}}};
}

std::vector<Record> compare_solvers(const mosaic::GlobalFit& fit, std::uint32_t model,
                                    std::uint64_t seed) {
  const std::vector<double> start = start_of(fit, model, seed);
  std::vector<Record> rows{
      timed(model, 0, fit, [&](const Limits&) { return by_reweighting(fit, start); }),
      timed(model, 1, fit,
            [&](const Limits& limits) { return mosaic::levenberg_marquardt(fit, start, limits); }),
      timed(model, 2, fit,
            [&](const Limits& limits) { return mosaic::lbfgs(fit, start, limits); })};
  double best = std::numeric_limits<double>::infinity();
  for (const Record& row : rows) best = std::min(best, row.objective);
  for (Record& row : rows) row.gap = best > 0.0 ? (row.objective - best) / best : row.objective;
  return rows;
}

}  // namespace nucreg
