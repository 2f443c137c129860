#include <doctest/doctest.h>

#include <cmath>

#include "unit/solve/problems.hpp"

using namespace nucreg;
using solve_test::Named;
using solve_test::within;

namespace {

const std::vector<std::string> algorithms{
    "LD_LBFGS",   "LD_SLSQP",   "LD_MMA",         "LD_CCSAQ",  "LD_TNEWTON_PRECOND_RESTART",
    "LD_VAR1",    "LD_VAR2",    "LN_BOBYQA",      "LN_COBYLA", "LN_NELDERMEAD",
    "LN_SBPLX",   "LN_PRAXIS",  "LN_AUGLAG",      "LD_AUGLAG", "GN_DIRECT_L",
    "GN_CRS2_LM", "G_MLSL_LDS", "LN_NEWUOA_BOUND"};

SolveResult solve(const Named& named, const ScaledProblem& problem) {
  Objective objective = problem.objective();
  return named.make()->solve(objective, problem.request);
}

// The optimum lies outside: its scales are 3.95 and 4.05, its angle 4 degrees.
const Bounds tight{
    .scale = {3.6, 3.9}, .angle_deg = {-3, 3}, .dx_px = {-100, 100}, .dy_px = {-100, 100}};

}  // namespace

TEST_CASE("the solvers that cannot honour bounds say so") {
  for (const Named& named : solve_test::every_kind({"LD_LBFGS", "LN_NEWUOA", "LN_COBYLA"}))
    CHECK(named.make()->honours_bounds() ==
          (named.kind == "lm" || named.kind == "consensus" || named.kind == "ceres" ||
           (named.kind == "nlopt" && named.algorithm != "LN_NEWUOA")));
}

TEST_CASE("answers lie within the box where the optimum does not, and are as good as the best") {
  for (const Model model : {Model::rigid, Model::similarity, Model::trs, Model::affine}) {
    for (const Loss loss : {Loss::squared, Loss::huber}) {
      ScaledProblem problem(solve_test::pairs(100, 1.0), model, loss, 6.0, 4.0,
                            Coordinates::normalized, tight);
      REQUIRE(within(problem.request.start, problem.request.box));
      problem.request.max_evaluations = 20000;
      problem.request.ftol_rel = problem.request.xtol_rel = 1e-13;
      const double best = std::min(problem.value_px(solve({"nlopt", "LN_BOBYQA"}, problem)),
                                   problem.value_px(solve({"nlopt", "LD_SLSQP"}, problem)));
      for (const Named& named : solve_test::every_kind(algorithms)) {
        if (!named.make()->honours_bounds() || !named.make()->applies_to(model, loss)) continue;
        CAPTURE(name_of(model));
        CAPTURE(name_of(loss));
        CAPTURE(named.text());
        // NLopt may loop for ever in it at a stricter ftol_rel; jobs are refused that.
        problem.request.ftol_rel = named.text() == "LN_NEWUOA_BOUND" ? 1e-8 : 1e-13;
        const SolveResult result = solve(named, problem);
        CHECK(within(result.params, problem.request.box));
        // PRAXIS meets a bound as a wall of infinite height and may fail at it.
        if (named.text() != "LN_PRAXIS") CHECK(result.status != SolveStatus::failed);
        if (named.text() == "lm" || named.text() == "LD_LBFGS" || named.text() == "LD_SLSQP")
          CHECK(problem.value_px(result) <= best * (1.0 + 1e-7));
      }
    }
  }
}

TEST_CASE("a start on the bound or in a corner can leave it") {
  Bounds bounds{.scale = {3.0, 5.0}, .angle_deg = {-20, 20}};
  for (const Named& named : {Named{"lm", {}}, Named{"nlopt", "LD_LBFGS"},
                             Named{"nlopt", "LD_SLSQP"}, Named{"nlopt", "LN_BOBYQA"}})
    for (const double scale : {3.0, 5.0}) {
      CAPTURE(named.text());
      CAPTURE(scale);
      ScaledProblem problem(solve_test::pairs(100, 1.0), Model::trs, Loss::squared, 3.0, 4.0,
                            Coordinates::normalized, bounds);
      problem.request.max_evaluations = 20000;
      const double inside = problem.value_px(solve({"lm", {}}, problem));
      problem.start_at(
          {Model::trs, (Params(5) << 0, 0, scale > 4 ? 20 : -20, scale, scale).finished(), 4.0});
      const SolveResult result = solve(named, problem);
      CHECK(within(result.params, problem.request.box));
      CHECK(problem.value_px(result) <= inside * (1.0 + 1e-6));
    }
}

TEST_CASE("a parameter without any freedom stays where it is held") {
  Bounds bounds{.scale = {4.0, 4.0}, .angle_deg = {-20, 20}};
  for (const Named& named : {Named{"lm", {}}, Named{"nlopt", "LD_LBFGS"}}) {
    CAPTURE(named.text());
    const ScaledProblem problem(solve_test::pairs(100, 1.0), Model::trs, Loss::squared, 3.0, 4.0,
                                Coordinates::normalized, bounds);
    const ScaledProblem rigid(solve_test::pairs(100, 1.0), Model::rigid, Loss::squared, 3.0, 4.0);
    const SolveResult result = solve(named, problem);
    CHECK(problem.map_of(result).params[3] == 4.0);
    CHECK(problem.map_of(result).params[4] == 4.0);
    CHECK(problem.value_px(result) ==
          doctest::Approx(rigid.value_px(solve({"closed-form", {}}, rigid))).epsilon(1e-8));
  }
}

TEST_CASE(
    "without bounds, lm takes full steps: affine is linear, so the second pass is the answer") {
  for (const double noise_px : {0.5, 2.0, 10.0})
    for (const std::size_t n : {50u, 1000u}) {
      ScaledProblem problem(solve_test::pairs(n, noise_px), Model::affine, Loss::squared, 3.0, 4.0,
                            Coordinates::normalized);
      Objective objective = problem.objective();
      const SolveResult result = make_solver("lm")->solve(objective, problem.request);
      CAPTURE(noise_px);
      CAPTURE(n);
      CHECK(result.status == SolveStatus::converged);
      CHECK(objective.function_evaluations() == 2);
    }
}

TEST_CASE("bounds on the scale hold in pixels for every model, projective included") {
  // Away from the origin, where centring changes what a, b, c and d of a projective map are.
  PointPairs pairs = solve_test::pairs(60, 20.0);
  for (double& x : pairs.x10) x += 3000.0;
  const Bounds bounds{.scale = {3.97, 4.0}, .angle_deg = {-10, 10}};
  for (const Model model : fit_test::all_models) {
    if (model == Model::rigid) continue;  // its scale is not fitted
    for (const char* kind : {"lm", "nlopt"}) {
      ScaledProblem problem(pairs, model, Loss::squared, 3.0, 4.0, Coordinates::normalized, bounds);
      Objective objective = problem.objective();
      const SolveResult result = make_solver(kind)->solve(objective, problem.request);
      const Params px = to_radians(model, problem.map_of(result).params);
      const Box box = box_of(bounds, model);
      CAPTURE(name_of(model));
      CAPTURE(kind);
      for (Eigen::Index i = 0; i < px.size(); ++i) {
        CHECK(px[i] >= box.lower[i] - 1e-12);
        CHECK(px[i] <= box.upper[i] + 1e-12);
      }
    }
  }
}

TEST_CASE("bounds of a whole turn are no wall, and box enough for a global algorithm") {
  const Map truth{Model::similarity, (Params(4) << 30.0, -40.0, 150.0, 4.0).finished(), 4.0};
  const PointPairs pairs = fit_test::pairs_around(truth, 60, 1.0);
  Bounds bounds{.scale = {3.5, 4.5}, .angle_deg = {-180, 180}};
  for (const Named& named : {Named{"lm", {}}, Named{"nlopt", "LD_LBFGS"}, Named{"eigen-lm", {}}}) {
    CAPTURE(named.text());
    ScaledProblem problem(pairs, Model::similarity, Loss::squared, 3.0, 4.0,
                          Coordinates::normalized, bounds);
    // From here the way down leads over 180 degrees.
    problem.start_at({Model::trs, (Params(5) << 0, 0, -170, 4, 4).finished(), 4});
    Objective objective = problem.objective();
    const SolveResult result = named.make()->solve(objective, problem.request);
    CHECK(tre_px(problem.map_of(result), truth, {1000, 1000}) < 2.0);
  }
  bounds.dx_px = bounds.dy_px = {-2000, 2000};
  ScaledProblem problem(pairs, Model::similarity, Loss::squared, 3.0, 4.0, Coordinates::normalized,
                        bounds);
  problem.request.max_evaluations = 3000;
  Objective objective = problem.objective();
  const SolveResult result = make_solver("nlopt", "GN_DIRECT_L")->solve(objective, problem.request);
  CHECK(tre_px(problem.map_of(result), truth, {1000, 1000}) < 200.0);
}
