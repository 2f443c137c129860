// The solvers that are compared on the global fit end where the one that is made for it ends.
#include "nucreg/mosaic/global_fit.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "nucreg/core/random.hpp"

using namespace nucreg;
using namespace nucreg::mosaic;

namespace {

constexpr std::uint32_t columns = 5, rows = 4;

// A grid of 10x tiles that overlap, noise of one deviation, some links that are plainly wrong.
GlobalFit grid_fit() {
  GlobalFit fit;
  fit.side.assign(columns * rows, Side::ten);
  RandomStream random(7, 0, 0, Purpose::draws);
  const auto link = [&](std::uint32_t a, std::uint32_t b, double dx, double dy, double wrong) {
    Observation o;
    o.a = a;
    o.b = b;
    o.link = static_cast<std::uint32_t>(fit.observations.size());
    o.sd_um = 0.2;
    o.pairs = 40.0;
    o.constant = {dx + wrong + 0.2 * random.normal(), dy + 0.2 * random.normal()};
    fit.observations.push_back(o);
  };
  for (std::uint32_t y = 0; y < rows; ++y)
    for (std::uint32_t x = 0; x < columns; ++x) {
      const std::uint32_t at = y * columns + x;
      if (x + 1 < columns) link(at, at + 1, 100.0, 0.0, at == 7 ? 40.0 : 0.0);
      if (y + 1 < rows) link(at, at + columns, 0.0, 100.0, at == 3 ? -25.0 : 0.0);
    }
  fit.priors.push_back({{0, 0, 0}, {1.0 / 0.1, 0.0, 0.0}, {}});
  return fit;
}

std::vector<double> start_for(const GlobalFit& fit, double off_um) {
  std::vector<double> start(fit.unknowns());
  RandomStream random(8, 0, 0, Purpose::draws);
  for (std::uint32_t t = 0; t < columns * rows; ++t) {
    start[t] = 100.0 * (t % columns) + off_um * random.normal();
    start[fit.shifts() + t] = 100.0 * (t / columns) + off_um * random.normal();
  }
  return start;
}

double distance_um(const std::vector<double>& one, const std::vector<double>& other,
                   std::size_t count) {
  double largest = 0.0;
  for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(one[i] - other[i]));
  return largest;
}

}  // namespace

TEST_CASE("all solvers of the global fit find the same minimum") {
  const GlobalFit fit = grid_fit();
  const std::vector<double> start = start_for(fit, 0.5);
  const FitSolution reference =
      solve(fit, start, {.max_iterations = 200, .tolerance = 1e-14, .first_inflation = 8.0});
  for (const SolverRun& run : {levenberg_marquardt(fit, start), lbfgs(fit, start)}) {
    CHECK(run.converged);
    CHECK(run.evaluations > 1);
    CHECK(run.gradients >= run.iterations);
    CHECK(run.objective == doctest::Approx(fit.objective(run.unknowns, nullptr)).epsilon(1e-12));
    CHECK(run.objective <= reference.objective * (1.0 + 1e-6));
    CHECK(distance_um(run.unknowns, reference.unknowns, 2 * fit.shifts()) < 2e-3);
  }
}

TEST_CASE("solvers stop where they are told to") {
  const GlobalFit fit = grid_fit();
  const std::vector<double> start = start_for(fit, 5.0);
  const SolverRun few = lbfgs(fit, start, {.max_evaluations = 5});
  CHECK(!few.converged);
  CHECK(few.evaluations >= 5);
  CHECK(few.evaluations <= 6);
  const SolverRun none = levenberg_marquardt(fit, start, {.stop = [] { return true; }});
  CHECK(none.iterations == 0);
  CHECK(none.unknowns == start);
}
