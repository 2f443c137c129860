// Pairs for tests: random, with a map that nearly fits them.
#pragma once

#include <numbers>
#include <optional>
#include <vector>

#include "nucreg/core/random.hpp"
#include "nucreg/fit/model.hpp"
#include "nucreg/fit/points.hpp"

namespace fit_test {

inline constexpr nucreg::Model all_models[] = {nucreg::Model::rigid, nucreg::Model::similarity,
                                               nucreg::Model::trs, nucreg::Model::affine,
                                               nucreg::Model::projective};
inline constexpr nucreg::Loss all_losses[] = {nucreg::Loss::squared, nucreg::Loss::huber,
                                              nucreg::Loss::cauchy, nucreg::Loss::tukey};

/// A map of each model in outside units, at magnification 4.
inline nucreg::Map sample_map(nucreg::Model model) {
  using nucreg::Model;
  nucreg::Params p(static_cast<Eigen::Index>(nucreg::parameter_count(model)));
  switch (model) {
    case Model::rigid:
      p << 30.0, -40.0, 4.0;
      break;
    case Model::similarity:
      p << 30.0, -40.0, 4.0, 3.9;
      break;
    case Model::trs:
      p << 30.0, -40.0, 4.0, 3.9, 4.1;
      break;
    case Model::affine:
      p << 3.9, -0.3, 120.0, 0.25, 4.1, -160.0;
      break;
    case Model::projective:
      p << 3.9, -0.3, 120.0, 0.25, 4.1, -160.0, 2e-5, -1e-5;
      break;
  }
  return {model, p, 4.0};
}

/// n pairs in a field of 1000 px whose 40x side lies around `map` with `noise_px`.
inline nucreg::PointPairs pairs_around(const nucreg::Map& map, std::size_t n, double noise_px,
                                       std::uint64_t seed = 1) {
  nucreg::RandomStream random(seed, 0, 0, nucreg::Purpose::noise);
  nucreg::PointPairs pairs;
  pairs.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    pairs.x10[i] = random.uniform(0.0, 1000.0);
    pairs.y10[i] = random.uniform(0.0, 1000.0);
    const auto at = nucreg::apply(map, pairs.x10[i], pairs.y10[i]);
    pairs.x40[i] = at[0] + noise_px * random.normal();
    pairs.y40[i] = at[1] + noise_px * random.normal();
  }
  return pairs;
}

}  // namespace fit_test
