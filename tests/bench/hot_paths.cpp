// The hot paths, each in a function of its own name, for callgrind to count their instructions.
// Prints what the counts depend on besides the source.
#include <cstdio>
#include <string>

#include "support/scaled_problem.hpp"
#include "unit/fit/random_pairs.hpp"

namespace {

using namespace nucreg;

constexpr double map_px[6] = {3.9, -0.3, 120.0, 0.25, 4.1, -160.0};
volatile double sink = 0.0;

void normal_pass(const PointPairs& pairs, Loss loss) {
  sink = pass_over_points(pairs, map_px, false, loss, 3.0, PassLevel::normal).value;
}

void solve(const Solver& solver, const ScaledProblem& problem) {
  Objective objective = problem.objective();
  sink = solver.solve(objective, problem.request).params[0];
}

}  // namespace

extern "C" {
[[gnu::noinline]] void count_squared_pass(const PointPairs& p) {
  normal_pass(p, Loss::squared);
}
[[gnu::noinline]] void count_huber_pass(const PointPairs& p) {
  normal_pass(p, Loss::huber);
}
[[gnu::noinline]] void count_cauchy_pass(const PointPairs& p) {
  normal_pass(p, Loss::cauchy);
}
[[gnu::noinline]] void count_tukey_pass(const PointPairs& p) {
  normal_pass(p, Loss::tukey);
}
[[gnu::noinline]] void count_moments(const PointPairs& p) {
  sink = Moments(p).sums(map_px, PassLevel::normal).value;
}
[[gnu::noinline]] void count_lm_solve(const Solver& lm, const ScaledProblem& p) {
  solve(lm, p);
}
}

int main() {
  const PointPairs pairs = fit_test::pairs_around(fit_test::sample_map(Model::affine), 10000, 3.0);
  const PointPairs few = fit_test::pairs_around(fit_test::sample_map(Model::trs), 100, 3.0);
  const ScaledProblem problem(few, Model::affine, Loss::squared, 3.0, 4.0);
  const auto lm = make_solver("lm");
  solve(*lm, problem);  // chooses the instruction set; libraries are bound
  count_squared_pass(pairs);
  count_huber_pass(pairs);
  count_cauchy_pass(pairs);
  count_tukey_pass(pairs);
  count_moments(pairs);
  count_lm_solve(*lm, problem);
  std::printf("%s, %s\n", __VERSION__, std::string(kernel_instruction_set()).c_str());
}
