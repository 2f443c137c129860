// Matches two point sets, then fits the map once more with a solver that is named at run time.
#include <cmath>
#include <cstdio>

#include "nucreg/job/job.hpp"
#include "nucreg/match/match.hpp"
#include "nucreg/solve/registry.hpp"

int main() {
  using namespace nucreg;
  Points ten, forty;
  unsigned state = 1;
  const auto random = [&] { return (state = state * 1664525u + 1013904223u) / 4294967296.0; };
  for (int i = 0; i < 300; ++i) {
    const double x = 1000.0 * random(), y = 1000.0 * random();
    ten.x.push_back(x), ten.y.push_back(y);
    forty.x.push_back(4.0 * x - 0.1 * y + 20.0), forty.y.push_back(0.1 * x + 4.0 * y - 7.0);
  }
  const MatchResult match = match_nuclei(ten, forty);
  if (!match.matched()) return 1;

  PointPairs pairs;
  for (std::size_t i = 0; i < match.ten.size(); ++i) {
    pairs.x10.push_back(ten.x[match.ten[i]]), pairs.y10.push_back(ten.y[match.ten[i]]);
    pairs.x40.push_back(forty.x[match.forty[i]]), pairs.y40.push_back(forty.y[match.forty[i]]);
  }
  Objective objective(PairsView(pairs), Model::affine, Loss::squared, 3.0, 4.0, 1.0);
  Job job;
  job.solvers = {{.name = "LM", .kind = "lm"}};
  SolveRequest request;
  request.start = Params(6);
  request.start << 4.0, 0.0, 0.0, 0.0, 4.0, 0.0;
  request.box = {.lower = Params::Constant(6, -INFINITY), .upper = Params::Constant(6, INFINITY)};
  const SolveResult fit = standard_solvers().make(job.solvers[0], job)->solve(objective, request);
  std::printf("%zu pairs, a %.6f b %.6f tx %.4f\n", pairs.size(), fit.params[0], fit.params[1],
              fit.params[2]);
  const bool right = std::abs(fit.params[0] - 4.0) < 1e-6 && std::abs(fit.params[2] - 20.0) < 1e-4;
  return right && match.ten.size() == 300 ? 0 : 1;
}
