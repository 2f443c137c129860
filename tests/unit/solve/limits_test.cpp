// Budgets, time, numbers that are not finite, points that determine nothing.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "unit/solve/problems.hpp"

using namespace nucreg;
using solve_test::Named;

namespace {

std::vector<Named> everything() {
  return solve_test::every_kind(nlopt_algorithms());
}

ScaledProblem bounded(std::size_t n) {
  return {solve_test::pairs(n, 2.0), Model::similarity,      Loss::squared, 3.0, 4.0,
          Coordinates::normalized,   solve_test::whole_box()};
}

// What a solver then reads before it has written it is a number that no check lets pass.
[[gnu::noinline]] void soil_stack() {
  volatile unsigned char soil[1 << 14];
  for (auto& byte : soil) byte = 0xa5;
}

}  // namespace

TEST_CASE("every algorithm that NLopt names can be made, runs, and keeps to its evaluations") {
  for (const std::int64_t budget : {1, 2, 5, 40, 300})
    for (const Named& named : everything()) {
      CAPTURE(named.text());
      CAPTURE(budget);
      if (!named.make()->applies_to(Model::similarity, Loss::squared)) continue;
      ScaledProblem problem = bounded(20);
      problem.request.max_evaluations = budget;
      Objective objective = problem.objective();
      const double at_start = problem.objective().value(problem.request.start);
      const SolveResult result = named.make()->solve(objective, problem.request);
      CHECK(objective.function_evaluations() <= budget);
      REQUIRE(result.params.size() == 4);
      CHECK(result.params.allFinite());
      // Global algorithms search the box and not from the start.
      const bool from_start = named.kind != "closed-form" && !named.algorithm.starts_with("G");
      if (from_start) CHECK(problem.objective().value(result.params) <= at_start);
      if (budget == 1 && named.kind != "closed-form")
        CHECK((result.status == SolveStatus::max_evaluations ||
               result.status == SolveStatus::failed));
    }
}

TEST_CASE("every solver ends when its time is over") {
  for (const Named& named : everything()) {
    if (named.kind == "closed-form") continue;
    CAPTURE(named.text());
    ScaledProblem problem(solve_test::pairs(20000, 2.0), Model::similarity, Loss::huber, 1.0, 4.0,
                          Coordinates::normalized, solve_test::whole_box());
    problem.request.max_evaluations = 2000;
    problem.request.ftol_rel = problem.request.xtol_rel = 0.0;
    Objective objective = problem.objective();
    int asked = 0;
    objective.set_out_of_time([&] { return ++asked >= 2; });  // asked at each pass of 20,000
    const auto solver = named.make();
    soil_stack();
    const SolveResult result = solver->solve(objective, problem.request);
    const bool known_not_to_run = result.status == SolveStatus::failed && asked < 2;
    CHECK((result.status == SolveStatus::max_time || known_not_to_run));
    CHECK(objective.function_evaluations() <= 3);
    CHECK(result.iterations >= -1);
    CHECK(result.iterations <= 3);
    CHECK(result.params.allFinite());
  }
}

TEST_CASE("an objective that is not a number is a failure, at the start or later") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Named& named : everything()) {
    CAPTURE(named.text());
    PointPairs pairs = solve_test::pairs(30, 1.0);
    pairs.x40[7] = nan;
    const bool squared = named.make()->applies_to(Model::similarity, Loss::squared);
    ScaledProblem problem(pairs, Model::similarity, squared ? Loss::squared : Loss::huber, 3.0, 4.0,
                          Coordinates::normalized, solve_test::whole_box());
    problem.request.max_evaluations = 200;
    Objective objective = problem.objective();
    const SolveResult result = named.make()->solve(objective, problem.request);
    CHECK(result.status == SolveStatus::failed);
    CHECK(objective.function_evaluations() <= 200);
  }
}

TEST_CASE("too few points and points on a line end without harm") {
  PointPairs line = solve_test::pairs(30, 0.5);
  for (std::size_t i = 0; i < 30; ++i) {
    line.x10[i] = 10.0 * static_cast<double>(i);
    line.y10[i] = 5.0 * static_cast<double>(i);
    line.x40[i] = 4.0 * line.x10[i];
    line.y40[i] = 4.0 * line.y10[i];
  }
  const PointPairs same{{5, 5, 5}, {7, 7, 7}, {20, 20, 20}, {28, 28, 28}};
  for (const PointPairs& pairs : {solve_test::pairs(0, 1.0), solve_test::pairs(1, 1.0),
                                  solve_test::pairs(2, 1.0), line, same})
    for (const Model model : fit_test::all_models)
      for (const Loss loss : fit_test::all_losses)
        for (const Named& named : solve_test::every_kind({"LD_LBFGS", "LN_BOBYQA"})) {
          if (!named.make()->applies_to(model, loss)) continue;
          CAPTURE(pairs.size());
          CAPTURE(name_of(model));
          CAPTURE(name_of(loss));
          CAPTURE(named.text());
          ScaledProblem problem(pairs, model, loss, 3.0, 4.0);
          problem.request.max_evaluations = 500;
          Objective objective = problem.objective();
          const auto solver = named.make();
          soil_stack();
          const SolveResult result = solver->solve(objective, problem.request);
          CHECK(objective.function_evaluations() <= 500);
          REQUIRE(result.params.size() == objective.parameters());
          CHECK(result.params.allFinite());
          CHECK(result.iterations >= -1);
          CHECK(result.iterations <= objective.function_evaluations());
          CHECK(problem.objective().value(result.params) <=
                problem.objective().value(problem.request.start) * (1 + 1e-12) + 1e-20);
        }
}

TEST_CASE("a start at the minimum stays there") {
  for (const Named& named : solve_test::every_kind({"LD_LBFGS"})) {
    CAPTURE(named.text());
    if (!named.make()->applies_to(Model::affine, Loss::squared)) continue;
    ScaledProblem problem(solve_test::pairs(100, 3.0), Model::affine, Loss::squared, 3.0, 4.0);
    Objective first = problem.objective();
    problem.request.start = make_solver("closed-form")->solve(first, problem.request).params;
    const double best = problem.objective().value(problem.request.start);
    Objective objective = problem.objective();
    const SolveResult result = named.make()->solve(objective, problem.request);
    // GSL finds no step that gains and calls that no progress.
    if (named.kind != "gsl") CHECK(result.status == SolveStatus::converged);
    CHECK(result.status != SolveStatus::failed);
    CHECK(problem.objective().value(result.params) <= best * (1 + 1e-12));
    CHECK(objective.function_evaluations() <= 30);
  }
}
