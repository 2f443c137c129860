#include "pairing.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "back_map.hpp"
#include "nucreg/fit/normalization.hpp"
#include "nucreg/fit/objective.hpp"
#include "nucreg/solve/registry.hpp"

namespace nucreg::matching {
namespace {

// More claims tell nothing new about a residual's spread.
constexpr std::size_t most_for_mixture = 20000;
constexpr double infinity = std::numeric_limits<double>::infinity();

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
  const auto& [a, b, tx, c, d, ty] = map;
  for (std::uint32_t j = 0; j < ten.size(); ++j) {
    if (asked_by[j] == nobody) continue;
    const Complex p = ten.at(j), q = forty.at(asked_by[j]);
    out.ten.push_back(j);
    out.forty.push_back(asked_by[j]);
    out.residual_px.push_back(std::hypot(a * p.real() + b * p.imag() + tx - q.real(),
                                         c * p.real() + d * p.imag() + ty - q.imag()));
  }
  return out;
}

ResidualMixture mixture(const std::vector<double>& residual_px, double density) {
  const std::size_t step = 1 + residual_px.size() / most_for_mixture;
  std::vector<double> squares;
  for (std::size_t i = 0; i < residual_px.size(); i += step)
    squares.push_back(residual_px[i] * residual_px[i]);
  std::sort(squares.begin(), squares.end());
  if (squares.empty()) return {};
  // Both distances are of Rayleigh's kind: r/v exp(-r^2 / 2v), v of chance 1 / (2 pi density).
  const double chance = 1.0 / (2.0 * std::numbers::pi * density);
  // Coordinates have limits: without noise the variance is not zero but their rounding.
  const double least = 1e-12;
  double variance = std::max(least, 0.25 * squares[squares.size() / 4]), share = 0.5;
  for (int round = 0; round < 50; ++round) {
    double weights = 0.0, sum = 0.0;
    for (const double s : squares) {
      const double good = share / variance * std::exp(-0.5 * s / variance);
      const double bad = (1.0 - share) / chance * std::exp(-0.5 * s / chance);
      const double weight = good + bad > 0.0 ? good / (good + bad) : 0.0;
      weights += weight;
      sum += weight * s;
    }
    if (!(weights > 0.0)) break;
    variance = std::max(least, 0.5 * sum / weights);
    share = std::clamp(weights / static_cast<double>(squares.size()), 0.01, 0.99);
  }
  // Where both are as likely; a spread as wide as chance's tells nothing apart.
  if (variance >= 0.5 * chance) return {std::sqrt(variance), std::sqrt(chance)};
  const double odds = share / (1.0 - share) * chance / variance;
  const double square = 2.0 * std::log(std::max(odds, 1.0)) / (1.0 / variance - 1.0 / chance);
  return {std::sqrt(variance), std::sqrt(square)};
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
  const double det = a * d - b * c, magnification = std::sqrt(std::abs(det));
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
  const SolveResult result = lm_kind().make({})->solve(objective, request);
  if (result.status == SolveStatus::failed || !result.params.allFinite()) return std::nullopt;
  return to_degrees(model, params_to_pixels(model, result.params, magnification, n));
}

}  // namespace nucreg::matching
