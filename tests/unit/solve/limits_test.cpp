// Budgets, time, numbers that are not finite, points that determine nothing.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <map>
#include <memory>

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

// Robust searches, and solves that start from what one finds.
std::vector<std::unique_ptr<Solver>> searches() {
  const auto made = [](const std::string& kind, const std::map<std::string, OptionValue>& options) {
    return standard_solvers().make({.name = "S", .kind = kind, .options = options}, Job{});
  };
  std::vector<std::unique_ptr<Solver>> all;
  all.push_back(made("consensus", {}));
  all.push_back(made("lm", {{"start", std::string("consensus")}}));
  all.push_back(made("irls", {}));
  all.push_back(made("lm", {{"start", std::string("irls")}}));
  return all;
}

// Pairs about a map turned by 25 degrees, so many of every ten anywhere.
const Map turned{Model::similarity, (Params(4) << 30.0, 40.0, 25.0, 4.0).finished(), 4.0};
PointPairs partly_wrong(std::size_t n, std::size_t wrong_of_ten, std::uint64_t seed) {
  PointPairs pairs = fit_test::pairs_around(turned, n, 1.0, seed);
  RandomStream random(seed, 0, 0, Purpose::outliers);
  for (std::size_t i = 0; i < n; ++i) {
    if (i % 10 >= wrong_of_ten) continue;
    const double x = random.uniform(0.0, 1000.0), y = random.uniform(0.0, 1000.0);
    const auto at = apply(turned, x, y);
    pairs.x40[i] = at[0];
    pairs.y40[i] = at[1];
  }
  return pairs;
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

TEST_CASE("a search that its evaluations cut short answers with what it found") {
  constexpr int trials = 10;
  for (const Model model : {Model::similarity, Model::affine})
    for (const std::int64_t budget : {50, 300, 1000}) {
      const auto solvers = searches();
      for (std::size_t k = 0; k < solvers.size(); ++k) {
        CAPTURE(name_of(model));
        CAPTURE(budget);
        CAPTURE(k);
        int arrived = 0;
        for (int trial = 0; trial < trials; ++trial) {
          ScaledProblem problem(partly_wrong(100, 8, static_cast<std::uint64_t>(trial + 1)), model,
                                Loss::cauchy, 3.0, 4.0);
          problem.request.max_evaluations = budget;
          problem.request.seed = static_cast<std::uint64_t>(trial);
          Objective objective = problem.objective();
          const SolveResult result = solvers[k]->solve(objective, problem.request);
          CHECK(objective.function_evaluations() <= budget);
          CHECK(problem.objective().value(result.params) <
                problem.objective().value(problem.request.start));
          arrived += tre_px(problem.map_of(result), turned, {1000, 1000}) < 5.0;
        }
        // Of three pairs one sample in 125 is right: 50 evaluations may well find none.
        const int expected = k >= 2 ? 7 : budget > 50 ? 9 : model == Model::similarity ? 5 : 0;
        CHECK(arrived >= expected);
      }
    }
}

TEST_CASE("a search that its time cuts short answers with what it found") {
  constexpr std::size_t n = 20000;  // so many pairs are passed between two looks at the clock
  for (const Model model : {Model::similarity, Model::affine}) {
    CAPTURE(name_of(model));
    ScaledProblem problem(partly_wrong(n, 7, 1), model, Loss::cauchy, 3.0, 4.0);
    const auto solvers = searches();
    for (std::size_t k = 0; k < solvers.size(); ++k) {
      CAPTURE(k);
      const double looks = k < 2 ? 40.0 * (model == Model::affine ? 3.0 : 1.0) : 30.0;
      Objective objective = problem.objective();
      double asked = 0.0;
      objective.set_clock([&] { return ++asked / looks; });
      const SolveResult result = solvers[k]->solve(objective, problem.request);
      CHECK(tre_px(problem.map_of(result), turned, {1000, 1000}) < 1.0);
      CHECK(problem.objective().value(result.params) <
            problem.objective().value(problem.request.start));
    }
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
    objective.set_clock([&] { return ++asked >= 2 ? 1.0 : 0.0; });  // asked at each pass of 20,000
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
