#include "nucreg/match/match.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "growth.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/random.hpp"
#include "pairing.hpp"

namespace nucreg {
namespace {

using namespace matching;

constexpr std::size_t min_points = 4;      // a constellation
constexpr double min_thickness = 1e-3;     // of a set that is no line
constexpr double loss_scale_noises = 3.0;  // keeps 95 % of the efficiency of least squares
constexpr double rayleigh_median = 1.1774100225154747;  // sqrt(2 ln 2), of deviation 1
constexpr double min_noise_px = 1e-6;                   // without noise there is still rounding
constexpr int refinements = 4;
constexpr std::uint64_t folds = 5;

void check(const MatchOptions& o) {
  const auto fail = [](const std::string& key, const std::string& problem,
                       const std::string& allowed) {
    throw JobError(problem, {.key = key, .allowed = allowed});
  };
  const auto [low, high] = o.magnification;
  if (!(low > 0.0 && low <= high && std::isfinite(high)))
    fail("magnification", fmt::format("{} to {}", low, high), "0 < low <= high");
  if (!(o.significance > 0.0 && o.significance < 1.0))
    fail("significance", fmt::format("{}", o.significance), "more than 0, less than 1");
  if (o.max_seeds == 0) fail("most seeds", "0", "at least 1");
  if (o.model != Model::trs && o.model != Model::affine)
    fail("model", std::string(name_of(o.model)), "trs, affine");
  if (!o.stage) return;
  std::vector<std::array<double, 2>> places = o.stage->ten_px;
  places.push_back(o.stage->forty_px);
  if (places.size() < 2 || !std::ranges::all_of(places, [](const auto& p) {
        return std::isfinite(p[0]) && std::isfinite(p[1]);
      }))
    fail("stage place", "none, or one that is no place", "at least one, finite numbers");
  const double uncertainty_px = o.stage->uncertainty_px;
  if (!(uncertainty_px > 0.0 && std::isfinite(uncertainty_px)))
    fail("stage uncertainty", fmt::format("{} px", uncertainty_px), "more than 0 px, finite");
}

MatchResult no_match(NoMatch why, std::string reason) {
  MatchResult result;
  result.no_match = why;
  result.reason = std::move(reason);
  return result;
}

void keep_within(Claims& claims, double radius_px) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < claims.ten.size(); ++i) {
    if (!(claims.residual_px[i] <= radius_px)) continue;
    claims.ten[kept] = claims.ten[i];
    claims.forty[kept] = claims.forty[i];
    claims.residual_px[kept++] = claims.residual_px[i];
  }
  claims.ten.resize(kept);
  claims.forty.resize(kept);
  claims.residual_px.resize(kept);
}

// Density of 10x where 40x overlaps it, in the px^2 of 40x, and which nuclei of 40x do.
struct Overlap {
  std::vector<bool> ten, forty;
  std::vector<double> density;  // around each nucleus of 40x that overlaps
};

Overlap overlap_of(const Cloud& ten, const Cloud& forty, const std::vector<float>& density,
                   const AffineMap& map) {
  Overlap o{std::vector<bool>(ten.size()), std::vector<bool>(forty.size()), {}};
  const double area = std::abs(determinant(map));
  for (std::uint32_t j = 0; j < ten.size(); ++j) {
    const Complex p = ten.at(j);
    const auto [x, y] = apply(map, {p.real(), p.imag()});
    o.ten[j] = forty.covers({x, y});
  }
  const BackMap back = inverse(map);
  for (std::uint32_t i = 0; i < forty.size(); ++i) {
    const Complex p = back(forty.at(i));
    o.forty[i] = ten.covers(p);
    if (o.forty[i]) o.density.push_back(static_cast<double>(density[ten.nearest(p).index]) / area);
  }
  return o;
}

double median(std::vector<double> values) {
  if (values.empty()) return MatchResult::nan;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double root_mean_square(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double v : values) sum += v * v;
  return std::sqrt(sum / static_cast<double>(values.size()));
}

// Distance of each pair under a map fitted to the pairs of the other folds.
std::vector<double> heldout_residuals(const PointPairs& pairs, const MatchOptions& options,
                                      double loss_scale_px, const AffineMap& start) {
  RandomStream random(options.seed, 0, 1, Purpose::draws);
  std::vector<std::uint64_t> fold(pairs.size());
  for (auto& f : fold) f = random.below(folds);
  std::vector<double> out(pairs.size(), MatchResult::nan);
  for (std::uint64_t f = 0; f < folds; ++f) {
    PointPairs rest;
    for (std::size_t i = 0; i < pairs.size(); ++i)
      if (fold[i] != f) rest.add(pairs, i);
    const auto params = fit_map(rest, options.model, options.loss, loss_scale_px, start);
    if (!params) continue;
    const auto [a, b, tx, c, d, ty] = affine_of(options.model, *params);
    for (std::size_t i = 0; i < pairs.size(); ++i)
      if (fold[i] == f)
        out[i] = std::hypot(a * pairs.x10[i] + b * pairs.y10[i] + tx - pairs.x40[i],
                            c * pairs.x10[i] + d * pairs.y10[i] + ty - pairs.y40[i]);
  }
  return out;
}

// The map refined with its pairs, what was measured on them, and the indices as given.
MatchResult refine(const Target& target, const Cloud& forty, const Grown& grown,
                   const MatchOptions& options) {
  const Cloud& ten = target.cloud;
  MatchResult result;
  result.mirrored = grown.mirrored;
  AffineMap map = inverse(grown.map);
  const Overlap overlap = overlap_of(ten, forty, target.density, map);
  const double density = median(overlap.density);
  Claims found;
  double loss_scale_px = 0.0;
  for (int round = 0; round <= refinements; ++round) {
    found = claims(ten, forty, map);
    result.match_radius_px = match_radius_px(found.residual_px, density);
    keep_within(found, result.match_radius_px);
    result.noise_px = median(found.residual_px) / rayleigh_median;
    if (round == refinements) break;
    loss_scale_px = loss_scale_noises * std::max(min_noise_px, result.noise_px);
    const PointPairs pairs = pairs_of(ten, forty, found);
    const auto fitted = fit_map(pairs, options.model, options.loss, loss_scale_px, map);
    if (!fitted) return no_match(NoMatch::not_significant, "the pairs do not determine a map");
    map = affine_of(options.model, *fitted);
  }
  const PointPairs pairs = pairs_of(ten, forty, found);
  const auto trs = fit_map(pairs, Model::trs, options.loss, loss_scale_px, map);
  if (!trs) return no_match(NoMatch::not_significant, "the pairs do not determine a map");
  result.affine = map;
  std::copy(trs->begin(), trs->end(), result.trs.begin());
  result.heldout_residual_px = heldout_residuals(pairs, options, loss_scale_px, map);
  result.heldout_rmsd_px = root_mean_square(result.heldout_residual_px);

  // Pairs just outside the other's hull are in the overlap as well: it ends at the outermost
  // nuclei.
  std::vector<bool> ten_in = overlap.ten, forty_in = overlap.forty;
  for (std::size_t i = 0; i < found.ten.size(); ++i)
    ten_in[found.ten[i]] = forty_in[found.forty[i]] = true;
  result.ten_in_overlap = static_cast<std::size_t>(std::count(ten_in.begin(), ten_in.end(), true));
  result.forty_in_overlap =
      static_cast<std::size_t>(std::count(forty_in.begin(), forty_in.end(), true));
  const auto possible = static_cast<double>(
      std::max<std::size_t>(1, std::min(result.ten_in_overlap, result.forty_in_overlap)));
  result.match_rate = static_cast<double>(found.ten.size()) / possible;
  const double disk = std::numbers::pi * result.match_radius_px * result.match_radius_px;
  double by_chance = 0.0;
  for (const double d : overlap.density) by_chance -= std::expm1(-d * disk);
  result.chance_rate = std::min(1.0, by_chance / possible);

  std::vector<std::size_t> order(found.ten.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) {
    return ten.original(found.ten[i]) < ten.original(found.ten[j]);
  });
  const std::vector<double> heldout = std::move(result.heldout_residual_px);
  result.heldout_residual_px.clear();
  for (const std::size_t i : order) {
    result.ten.push_back(ten.original(found.ten[i]));
    result.forty.push_back(forty.original(found.forty[i]));
    result.residual_px.push_back(found.residual_px[i]);
    result.heldout_residual_px.push_back(heldout[i]);
  }
  return result;
}

}  // namespace

struct MatchTarget::State {
  explicit State(const Points& ten) : target(ten) {}
  Target target;
};

MatchTarget::MatchTarget(const Points& ten) : state_(std::make_unique<State>(ten)) {}
MatchTarget::~MatchTarget() = default;

MatchResult match_nuclei(const Points& ten, const Points& forty, const MatchOptions& options) {
  check(options);
  return match_nuclei(MatchTarget(ten), forty, options);
}

MatchResult match_nuclei(const MatchTarget& ten, const Points& forty_points,
                         const MatchOptions& options) {
  check(options);
  const Target& target = ten.state_->target;
  const Cloud forty(forty_points, "forty");
  const auto sides = {std::pair("10x", &target.cloud), std::pair("40x", &forty)};
  for (const auto& [name, cloud] : sides)
    if (cloud->size() < min_points)
      return no_match(NoMatch::too_few, fmt::format("{} distinct points at {}, at least {} needed",
                                                    cloud->size(), name, min_points));
  for (const auto& [name, cloud] : sides)
    if (cloud->thickness() < min_thickness)
      return no_match(NoMatch::collinear, fmt::format("the points at {} lie on a line", name));

  Growth growth(target, forty);
  const Found found = search(target, forty, growth, options);
  MatchResult result;
  if (!found.best)
    result =
        no_match(NoMatch::not_significant, "no map explains more coincidences than chance would");
  else if (found.ambiguous)
    result = no_match(NoMatch::ambiguous, "several maps explain the points about as well");
  else
    result = refine(target, forty, *found.best, options);
  result.log10_significance = found.log10_significance;
  result.hypotheses = found.hypotheses;
  if (options.stage && result.matched())
    result.stage_error_px = distance_px(*options.stage, inverse(result.affine));
  return result;
}

std::optional<OtherMatch> other_match(const Points& ten, const Points& forty,
                                      MatchOptions options) {
  const auto [low, high] = options.magnification;
  options.stage.reset();
  const auto attempt = [&](bool exchanged, double from, double to) -> std::optional<OtherMatch> {
    if (from >= to) return std::nullopt;
    options.magnification = {from, to};
    const MatchResult result =
        exchanged ? match_nuclei(forty, ten, options) : match_nuclei(ten, forty, options);
    if (!result.matched()) return std::nullopt;
    return OtherMatch{exchanged, std::sqrt(std::abs(determinant(result.affine)))};
  };
  if (const auto found = attempt(true, low, high)) return found;
  for (const bool exchanged : {false, true}) {
    if (const auto found = attempt(exchanged, high, widest_magnification[1])) return found;
    if (const auto found = attempt(exchanged, widest_magnification[0], low)) return found;
  }
  return std::nullopt;
}

namespace {

bool has_place(const TilePlace& tile) {
  return tile.stage_x_um && tile.stage_y_um;
}

// For a tile whose pixel size is known.
double pixel_height_um(const TilePlace& tile) {
  return tile.pixel_height_um.value_or(*tile.pixel_size_um);
}

double radius_um(const TilePlace& tile) {
  return 0.5 * std::hypot(*tile.pixel_size_um * static_cast<double>(tile.width_px),
                          pixel_height_um(tile) * static_cast<double>(tile.height_px));
}

}  // namespace

bool far_apart(const TilePlace& ten, const TilePlace& forty, double stage_error_um) {
  if (!ten.pixel_size_um || !forty.pixel_size_um || !has_place(ten) || !has_place(forty))
    return false;
  const double distance =
      std::hypot(*ten.stage_x_um - *forty.stage_x_um, *ten.stage_y_um - *forty.stage_y_um);
  return distance > radius_um(ten) + radius_um(forty) + stage_error_um;
}

std::optional<StagePrior> stage_prior(const TilePlace& ten, const TilePlace& forty,
                                      double stage_error_um) {
  if (!has_place(ten) || !has_place(forty) || !ten.pixel_size_um || !(stage_error_um > 0.0))
    return std::nullopt;
  const auto middle = [](const TilePlace& tile) {
    return std::array{0.5 * (static_cast<double>(tile.width_px) - 1.0),
                      0.5 * (static_cast<double>(tile.height_px) - 1.0)};
  };
  const auto [x, y] = middle(ten);
  const double width_um = *ten.pixel_size_um, height_um = pixel_height_um(ten);
  const double u_um = *forty.stage_x_um - *ten.stage_x_um;
  const double v_um = *forty.stage_y_um - *ten.stage_y_um;
  StagePrior prior{.forty_px = middle(forty),
                   .uncertainty_px = stage_error_um / std::min(width_um, height_um)};
  for (const auto& [dx, dy] : {std::array{u_um, v_um}, {v_um, u_um}})
    for (const double across : {1.0, -1.0})
      for (const double down : {1.0, -1.0})
        prior.ten_px.push_back({x + across * dx / width_um, y + down * dy / height_um});
  const auto finite = [](const auto& place) {
    return std::isfinite(place[0]) && std::isfinite(place[1]);
  };
  if (!std::ranges::all_of(prior.ten_px, finite) || !std::isfinite(prior.uncertainty_px))
    return std::nullopt;
  return prior;
}

}  // namespace nucreg
