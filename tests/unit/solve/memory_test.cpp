#include <doctest/doctest.h>

#include "nucreg/core/allocation.hpp"
#include "unit/solve/problems.hpp"

using namespace nucreg;

namespace {

std::size_t peak_bytes(const solve_test::Named& named, Model model, Loss loss, std::size_t n) {
  ScaledProblem problem(solve_test::pairs(n, 2.0), model, loss, 3.0, 4.0);
  Objective objective = problem.objective();
  const auto solver = named.make();
  const AllocationMeter meter;
  const SolveResult result = solver->solve(objective, problem.request);
  return result.params.size() > 0 ? meter.peak_bytes() : 0;
}

}  // namespace

TEST_CASE("lm allocates nothing, for any model and loss") {
  for (const Model model : fit_test::all_models)
    for (const Loss loss : fit_test::all_losses)
      CHECK(peak_bytes({"lm", {}}, model, loss, 500) == 0);
}

TEST_CASE("lm by moments allocates nothing, reaches what points reach and applies to them alone") {
  SolverSpec spec{.name = "S", .kind = "lm"};
  spec.options["evaluation"] = std::string("moments");
  const auto solver = standard_solvers().make(spec, Job{});
  for (const Model model : fit_test::all_models) {
    for (const Loss loss : fit_test::all_losses)
      CHECK(solver->applies_to(model, loss) == has_moments(model, loss));
    if (!has_moments(model, Loss::squared)) continue;
    ScaledProblem problem(solve_test::pairs(500, 2.0), model, Loss::squared, 3.0, 4.0);
    Objective objective = problem.objective(), by_points = problem.objective();
    const AllocationMeter meter;
    const SolveResult result = solver->solve(objective, problem.request);
    CHECK(meter.peak_bytes() == 0);
    const SolveResult points = make_solver("lm")->solve(by_points, problem.request);
    CHECK(result.status == SolveStatus::converged);
    CHECK(problem.value_px(result) == doctest::Approx(problem.value_px(points)).epsilon(1e-12));
  }
}

TEST_CASE("what Eigen allocates is seen: the Jacobian and a few copies of it") {
  const std::size_t n = 10000, jacobian = 2 * n * 6 * sizeof(double);
  const std::size_t measured = peak_bytes({"eigen-lm", {}}, Model::affine, Loss::squared, n);
  CHECK(measured >= jacobian);
  CHECK(measured <= 5 * jacobian);
}

TEST_CASE("what NLopt allocates in its library is seen and does not grow with the points") {
  const std::size_t few = peak_bytes({"nlopt", "LD_LBFGS"}, Model::affine, Loss::squared, 100);
  const std::size_t many = peak_bytes({"nlopt", "LD_LBFGS"}, Model::affine, Loss::squared, 20000);
  CHECK(few > 0);
  CHECK(many <= few + 4096);
}
