// One battery over every solver: all models, losses and kinds of data.
#include <doctest/doctest.h>

#include <cmath>

#include "nucreg/solve/certificate.hpp"
#include "unit/solve/problems.hpp"

using namespace nucreg;
using solve_test::Named;

namespace {

// What a solver that has converged may lack: relative to the objective.
struct Claim {
  Named solver;
  double excess;
};

const std::vector<Claim> claims{
    {{"lm", {}}, 1e-9},
    {{"eigen-lm", {}}, 1e-9},
    {{"nlopt", "LD_LBFGS"}, 1e-9},
    {{"ceres", {}}, 1e-9},
    {{"gsl", {}}, 1e-9},
    {{"nlopt", "LD_SLSQP"}, 1e-7},
    {{"nlopt", "LD_MMA"}, 1e-3},
    {{"nlopt", "LD_TNEWTON_PRECOND_RESTART"}, 1e-7},
    {{"nlopt", "LD_VAR2"}, 1e-7},
    {{"nlopt", "LN_BOBYQA"}, 1e-6},
    {{"nlopt", "LN_SBPLX"}, 1e-4},
    {{"nlopt", "LN_NELDERMEAD"}, 1e-4},
};

SolveResult solve(const Solver& solver, const ScaledProblem& problem, Params start = {}) {
  SolveRequest request = problem.request;
  if (start.size() > 0) request.start = start;
  Objective objective = problem.objective();
  return solver.solve(objective, request);
}

}  // namespace

TEST_CASE("every solver reaches the reference on every model, loss and kind of data") {
  struct Data {
    const char* name;
    double noise_px;
    bool outliers;
  };
  for (const Data& data : {Data{"noisy", 1.0, false}, Data{"outliers", 1.0, true}})
    for (const Model model : fit_test::all_models)
      for (const Loss loss : fit_test::all_losses) {
        // Tukey has many minima where the model cannot follow the points.
        if (loss == Loss::tukey && model < Model::trs) continue;
        ScaledProblem problem(solve_test::pairs(200, data.noise_px, data.outliers), model, loss,
                              6.0, 4.0);
        problem.request.max_evaluations = 100000;
        // Robust losses have other minima; all start where the least squares of the data ends.
        problem.request.ftol_rel = problem.request.xtol_rel = 1e-15;
        problem.start_at(
            {Model::trs, (Params(5) << 29.5, -39.6, 4.02, 3.955, 4.045).finished(), 4});
        const double reference = problem.value_px(solve(*make_solver("lm"), problem));
        problem.request.ftol_rel = problem.request.xtol_rel = 1e-12;
        for (const Claim& claim : claims) {
          if (!solve_test::is_built(claim.solver)) continue;
          CAPTURE(data.name);
          CAPTURE(name_of(model));
          CAPTURE(name_of(loss));
          CAPTURE(claim.solver.text());
          const SolveResult result = solve(*claim.solver.make(), problem);
          CHECK(result.status != SolveStatus::failed);
          // On one set of data in six it ends up to 3 % short of tukey's minimum there.
          const bool may_fall_short = claim.solver.text() == "LN_BOBYQA" &&
                                      model == Model::projective && loss == Loss::tukey;
          CHECK(problem.value_px(result) <=
                reference * (1.0 + (may_fall_short ? 0.03 : claim.excess)));
          CHECK(problem.value_px(result) >= reference * (1.0 - 1e-9));
        }
      }
}

TEST_CASE("L-BFGS says that it has arrived, not that it cannot go on") {
  for (const Loss loss : {Loss::squared, Loss::cauchy})
    for (std::uint32_t trial = 0; trial < 40; ++trial) {
      CAPTURE(trial);
      PointPairs pairs = solve_test::pairs(5000, 0.0);
      RandomStream random(3, 0, trial, Purpose::noise);
      for (double& x : pairs.x40) x += 2.0 * random.normal();
      for (double& y : pairs.y40) y += 2.0 * random.normal();
      const ScaledProblem problem(pairs, Model::affine, loss, 6.0, 4.0);
      const SolveResult result = solve(*make_solver("nlopt", "LD_LBFGS"), problem);
      CHECK(result.status == SolveStatus::converged);
      const double reference = problem.value_px(solve(*make_solver("lm"), problem));
      CHECK(problem.value_px(result) <= reference * (1.0 + 1e-11));
    }
}

TEST_CASE("where NLopt's fixed stop comes too early, L-BFGS goes on from what it knows") {
  for (const double noise_px : {0.03, 0.1, 0.3, 1.0, 3.0})
    for (std::uint32_t trial = 0; trial < 10; ++trial) {
      CAPTURE(noise_px);
      CAPTURE(trial);
      PointPairs pairs = solve_test::pairs(5000, 0.0);
      RandomStream random(5, 0, trial, Purpose::noise);
      for (double& x : pairs.x40) x += noise_px * random.normal();
      for (double& y : pairs.y40) y += noise_px * random.normal();
      const ScaledProblem problem(pairs, Model::affine, Loss::squared, 6.0, 4.0);
      Objective objective = problem.objective();
      const SolveResult result =
          make_solver("nlopt", "LD_LBFGS")->solve(objective, problem.request);
      CHECK(result.status == SolveStatus::converged);
      const double reference = problem.value_px(solve(*make_solver("closed-form"), problem));
      CHECK(problem.value_px(result) <= reference * (1.0 + 1e-11));
      CHECK(objective.function_evaluations() <= 12);
    }
}

// SciPy's L-BFGS-B takes 45 evaluations on such problems, with the same tolerances.
TEST_CASE("L-BFGS keeps its corrections beyond NLopt's fixed stop") {
  std::int64_t evaluations = 0, solves = 0;
  for (std::uint32_t trial = 0; trial < 20; ++trial) {
    const double turn_deg = 60.0 + 6.0 * trial;
    const Map map{Model::trs, (Params(5) << 30.0, 40.0, turn_deg, 4.0, 4.0).finished(), 4.0};
    PointPairs pairs = fit_test::pairs_around(map, 200, 0.0);
    RandomStream random(6, 0, trial, Purpose::noise);
    for (double& x : pairs.x40) x += 2.0 * random.normal();
    for (double& y : pairs.y40) y += 2.0 * random.normal();
    const ScaledProblem problem(pairs, Model::projective, Loss::squared, 6.0, 4.0);
    Objective objective = problem.objective();
    const SolveResult result = make_solver("nlopt", "LD_LBFGS")->solve(objective, problem.request);
    if (tre_px(problem.map_of(result), map, {1000, 1000}) > 10.0) continue;  // to another minimum
    CHECK(result.status == SolveStatus::converged);
    ++solves;
    evaluations += objective.function_evaluations();
  }
  CHECK(solves >= 18);
  CHECK(evaluations <= 55 * solves);
}

TEST_CASE("L-BFGS follows a value that goes to 0 to its last digits") {
  int converged = 0, evaluations = 0;
  for (const std::size_t points : {3, 20})
    for (std::uint32_t trial = 0; trial < 50; ++trial) {
      const double turn_deg = 0.2 * trial - 5.0;
      const Map map{Model::trs, (Params(5) << 3.0, 0.0, turn_deg, 4.0, 4.0).finished(), 4.0};
      const PointPairs pairs = fit_test::pairs_around(map, points, 0.0);
      const ScaledProblem problem(pairs, Model::affine, Loss::squared, 6.0, 4.0);
      Objective objective = problem.objective();
      SolveResult result = make_solver("nlopt", "LD_LBFGS")->solve(objective, problem.request);
      judge(certify(problem.fit(), result.params, rounding_floor_px(pairs)), 1e-12, result);
      converged += result.status == SolveStatus::converged ? 1 : 0;
      evaluations += static_cast<int>(objective.function_evaluations());
    }
  CHECK(converged >= 98);
  CHECK(evaluations <= 20 * 100);
}

TEST_CASE("pairs without noise give the map back, from the nominal start") {
  const PointPairs pairs = solve_test::pairs(100, 0.0);
  const Map truth{Model::trs, (Params(5) << 30.0, -40.0, 4.0, 3.95, 4.05).finished(), 4.0};
  for (const Model model : {Model::trs, Model::affine, Model::projective})
    for (const Loss loss : fit_test::all_losses)
      for (const Named& named :
           {Named{"lm", {}}, Named{"eigen-lm", {}}, Named{"nlopt", "LD_LBFGS"}}) {
        CAPTURE(name_of(model));
        CAPTURE(name_of(loss));
        CAPTURE(named.text());
        // tukey sees nothing beyond its scale, which the nominal start is far from.
        const ScaledProblem problem(pairs, model, loss, loss == Loss::tukey ? 1000.0 : 3.0, 4.0);
        SolveResult result = solve(*named.make(), problem);
        CHECK(result.status != SolveStatus::failed);
        CHECK(tre_px(problem.map_of(result), truth, {1000, 1000}) < 1e-5);
        judge(certify(problem.fit(), result.params, rounding_floor_px(pairs)), 1e-12, result);
        // The digits of its gradient end ten times as far from the map as those of the pairs.
        const bool falls_short = named.algorithm == "LD_LBFGS" && model == Model::projective;
        if (!falls_short) CHECK(result.status == SolveStatus::converged);
      }
}

TEST_CASE("the closed form is where lm and L-BFGS end") {
  for (const Model model : {Model::rigid, Model::similarity, Model::affine}) {
    CAPTURE(name_of(model));
    const ScaledProblem problem(solve_test::pairs(500, 5.0), model, Loss::squared, 3.0, 4.0);
    const double exact = problem.value_px(solve(*make_solver("closed-form"), problem));
    for (const Named& named : {Named{"lm", {}}, Named{"eigen-lm", {}}, Named{"nlopt", "LD_LBFGS"}})
      CHECK(problem.value_px(solve(*named.make(), problem)) ==
            doctest::Approx(exact).epsilon(1e-11));
  }
}

TEST_CASE("solvers apply to what they claim and to nothing else") {
  for (const Named& named : solve_test::every_kind({"LD_LBFGS"}))
    for (const Model model : fit_test::all_models)
      for (const Loss loss : fit_test::all_losses) {
        const bool robust = loss != Loss::squared;
        const bool linear = model != Model::trs && model != Model::projective;
        const bool expected = named.kind == "closed-form" ? !robust && linear
                              : named.kind == "irls"      ? robust || linear
                              : named.kind == "consensus" ? robust
                                                          : true;
        CHECK(named.make()->applies_to(model, loss) == expected);
      }
}

TEST_CASE("a solve is the same when it is repeated, after whatever was solved before") {
  const std::vector<std::string> algorithms{
      "LD_LBFGS", "LN_BOBYQA", "LN_COBYLA", "LN_PRAXIS",  "GN_CRS2_LM",
      "GN_ISRES", "GN_ESCH",   "G_MLSL",    "G_MLSL_LDS", "GN_DIRECT_L_RAND"};
  ScaledProblem problem(solve_test::pairs(50, 2.0), Model::similarity, Loss::huber, 3.0, 4.0,
                        Coordinates::normalized, solve_test::whole_box());
  problem.request.max_evaluations = 300;
  ScaledProblem other(solve_test::pairs(30, 5.0), Model::trs, Loss::cauchy, 3.0, 4.0,
                      Coordinates::normalized, solve_test::whole_box());
  other.request.max_evaluations = 77;
  std::vector<SolveResult> first;
  const auto solvers = solve_test::every_kind(algorithms);
  for (const Named& named : solvers) first.push_back(solve(*named.make(), problem));
  for (std::size_t i = solvers.size(); i-- > 0;) {
    CAPTURE(solvers[i].text());
    static_cast<void>(solve(*make_solver("nlopt", "GN_CRS2_LM"), other));
    const auto solver = solvers[i].make();
    static_cast<void>(solve(*solver, other));
    const SolveResult again = solve(*solver, problem);
    CHECK(again.params == first[i].params);
    CHECK(again.status == first[i].status);
    CHECK(again.iterations == first[i].iterations);
  }
}
