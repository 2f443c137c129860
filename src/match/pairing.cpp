#include "pairing.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <numbers>

#include "growth.hpp"
#include "nucreg/fit/normalization.hpp"
#include "nucreg/fit/objective.hpp"
#include "nucreg/solve/registry.hpp"

namespace nucreg::matching {
namespace {

// More claims add nothing to what is known of a residual's spread.
constexpr std::size_t max_for_mixture = 20000;
// Variance of the tail at most, in that of chance: it then reaches to where chance alone gives one
// or two nuclei in a hundred a neighbour.
constexpr double largest_tail = 1.0 / 400.0;
constexpr double infinity = std::numeric_limits<double>::infinity();

std::unique_ptr<Solver> standard_lm() {
  const SolverKind kind = lm_kind();
  SolverOptions options;
  for (const SolverOption& option : kind.options) options[option.name] = option.standard;
  return kind.make(options);
}

}  // namespace

Claims claims(const Cloud& ten, const Cloud& forty, const AffineMap& map) {
  const BackMap back = inverse(map);
  constexpr std::uint32_t nobody = 0xffffffff;
  std::vector<std::uint32_t> asked_by(ten.size(), nobody);
  std::vector<float> nearest(ten.size(), std::numeric_limits<float>::infinity());
  for (std::uint32_t i = 0; i < forty.size(); ++i) {
    const Neighbour near = ten.nearest(back(forty.at(i)));
    const auto square = static_cast<float>(near.square);
    if (square >= nearest[near.index]) continue;
    nearest[near.index] = square;
    asked_by[near.index] = i;
  }
  Claims out;
  for (std::uint32_t j = 0; j < ten.size(); ++j) {
    if (asked_by[j] == nobody) continue;
    const Complex p = ten.at(j), q = forty.at(asked_by[j]);
    out.ten.push_back(j);
    out.forty.push_back(asked_by[j]);
    const auto [x, y] = apply(map, {p.real(), p.imag()});
    out.residual_px.push_back(std::hypot(x - q.real(), y - q.imag()));
  }
  return out;
}

double match_radius_px(const std::vector<double>& residual_px, double density) {
  const std::size_t step = 1 + residual_px.size() / max_for_mixture;
  std::vector<double> squares;
  for (std::size_t i = 0; i < residual_px.size(); i += step)
    squares.push_back(residual_px[i] * residual_px[i]);
  std::sort(squares.begin(), squares.end());
  if (squares.empty()) return 0.0;
  // All distances are of Rayleigh's kind, r/v exp(-r^2 / 2v): v of chance is 1 / (2 pi density).
  const double chance = 1.0 / (2.0 * std::numbers::pi * density);
  // Coordinates have limits: without noise the variance is not zero but their rounding.
  const double least = 1e-12;
  std::array<double, 3> variance{std::max(least, 0.25 * squares[squares.size() / 4]), 0.0, chance};
  // From narrower on, expectation and maximisation may share the best pairs out between the first
  // two and leave the tail to chance, which is far less likely.
  variance[1] = largest_tail * chance;
  std::array<double, 3> share{0.5, 0.25, 0.25};
  const auto at = [&](std::size_t kind, double square) {
    return share[kind] / variance[kind] * std::exp(-0.5 * square / variance[kind]);
  };
  for (int round = 0; round < 50; ++round) {
    std::array<double, 3> weights{}, sums{};
    for (const double s : squares) {
      const std::array<double, 3> likely{at(0, s), at(1, s), at(2, s)};
      const double all = likely[0] + likely[1] + likely[2];
      if (!(all > 0.0)) continue;  // farther off than any number: chance, and it moves nothing
      for (std::size_t kind = 0; kind < 3; ++kind) {
        weights[kind] += likely[kind] / all;
        sums[kind] += likely[kind] / all * s;
      }
    }
    for (std::size_t kind = 0; kind < 3; ++kind) {
      share[kind] = std::max(0.001, weights[kind] / static_cast<double>(squares.size()));
      if (kind < 2 && weights[kind] > 0.0)
        variance[kind] = std::clamp(0.5 * sums[kind] / weights[kind], least,
                                    std::max(least, kind == 0 ? chance : largest_tail * chance));
    }
  }
  // The last distance at which true is as likely as false; beyond all of them it is not.
  double low = 0.0, high = squares.back() + chance;
  for (int halving = 0; halving < 100; ++halving) {
    const double middle = 0.5 * (low + high);
    (at(0, middle) + at(1, middle) >= at(2, middle) ? low : high) = middle;
  }
  return std::sqrt(low);
}

PointPairs pairs_of(const Cloud& ten, const Cloud& forty, const Claims& claims) {
  PointPairs pairs;
  pairs.resize(claims.ten.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const Complex p = ten.at(claims.ten[i]), q = forty.at(claims.forty[i]);
    pairs.x10[i] = p.real();
    pairs.y10[i] = p.imag();
    pairs.x40[i] = q.real();
    pairs.y40[i] = q.imag();
  }
  return pairs;
}

AffineMap affine_of(Model model, const Params& params) {
  const MapEntries map = map_entries(model, to_radians(model, params), 1.0, false);
  AffineMap out;
  std::copy_n(map.entries.begin(), out.size(), out.begin());
  return out;
}

std::optional<Params> fit_map(const PointPairs& pairs, Model model, Loss loss, double loss_scale_px,
                              const AffineMap& start) {
  const auto count = static_cast<Eigen::Index>(parameter_count(model));
  if (2 * pairs.size() < static_cast<std::size_t>(count)) return std::nullopt;
  const auto& [a, b, tx, c, d, ty] = start;
  const double det = determinant(start), magnification = std::sqrt(std::abs(det));
  Params params(count);
  if (model == Model::trs) {
    const double scale_x = std::hypot(a, b), scale_y = std::copysign(std::hypot(c, d), det);
    params << tx / scale_x, ty / scale_y, std::atan2(-b, a), scale_x, scale_y;
  } else {
    params << a, b, tx, c, d, ty;
  }
  const Normalization n = normalization_of(pairs, magnification, true);
  const PointPairs scaled = normalize(pairs, n);
  Objective objective(scaled, model, loss, loss_scale_px / n.scale40, 1.0,
                      1.0 / static_cast<double>(pairs.size()));
  SolveRequest request{.start = params_to_normalized(model, params, magnification, n),
                       .max_evaluations = 200};
  request.box = {Params::Constant(count, -infinity), Params::Constant(count, infinity)};
  const SolveResult result = standard_lm()->solve(objective, request);
  if (result.status == SolveStatus::failed || !result.params.allFinite()) return std::nullopt;
  return to_degrees(model, params_to_pixels(model, result.params, magnification, n));
}

}  // namespace nucreg::matching
