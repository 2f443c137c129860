// Problems and solvers for the battery.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "nucreg/core/error.hpp"
#include "support/scaled_problem.hpp"
#include "unit/fit/random_pairs.hpp"

namespace solve_test {

/// A solver as a job names it.
struct Named {
  std::string kind, algorithm;
  [[nodiscard]] std::string text() const { return algorithm.empty() ? kind : algorithm; }
  [[nodiscard]] std::unique_ptr<nucreg::Solver> make() const {
    return nucreg::make_solver(kind, algorithm);
  }
};

/// Whether this build has it: Ceres and GSL may be missing.
inline bool is_built(const Named& named) {
  try {
    return named.make() != nullptr;
  } catch (const nucreg::JobError&) {
    return false;
  }
}

/// Every kind that ships and needs no other program, NLopt by each of `algorithms`.
inline std::vector<Named> every_kind(const std::vector<std::string>& algorithms) {
  std::vector<Named> named;
  const nucreg::SolverRegistry registry = nucreg::standard_solvers();
  for (const nucreg::SolverKind& kind : registry.kinds()) {
    if (kind.name == "nlopt" || kind.name == "process") continue;
    if (const Named one{kind.name, {}}; is_built(one)) named.push_back(one);
  }
  for (const std::string& algorithm : algorithms) named.push_back({"nlopt", algorithm});
  return named;
}

/// Bounds that every model but projective turns into a whole box, with the sample map inside.
inline nucreg::Bounds whole_box() {
  return {.scale = {3.5, 4.5}, .angle_deg = {-10, 10}, .dx_px = {-60, 60}, .dy_px = {-60, 60}};
}

/// n pairs around a trs map, every tenth of them anywhere where `outliers`.
inline nucreg::PointPairs pairs(std::size_t n, double noise_px, bool outliers = false) {
  const nucreg::Map map{nucreg::Model::trs,
                        (nucreg::Params(5) << 30.0, -40.0, 4.0, 3.95, 4.05).finished(), 4.0};
  nucreg::PointPairs out = fit_test::pairs_around(map, n, noise_px);
  nucreg::RandomStream random(9, 0, 0, nucreg::Purpose::outliers);
  for (std::size_t i = 0; outliers && i < n; i += 10) {
    out.x40[i] = random.uniform(0.0, 4000.0);
    out.y40[i] = random.uniform(0.0, 4000.0);
  }
  return out;
}

inline bool within(const nucreg::Params& p, const nucreg::Box& box) {
  return (p.array() >= box.lower.array()).all() && (p.array() <= box.upper.array()).all();
}

}  // namespace solve_test
