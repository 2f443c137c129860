// What is said of each tile in the end.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "matching.hpp"
#include "placer_state.hpp"

namespace nucreg::mosaic {
namespace {

constexpr double min_used = 0.1;   // mean weight of the parts of a link that is used
constexpr double wrong_um = 20.0;  // a stage position off by more is wrong
constexpr double wrong_deviations = 8.0;
constexpr double wrong_by_others_um = 150.0;  // if only tissue of the other visit shows it
constexpr double twin_area = 0.8;             // of two tiles that show the same
constexpr double blur_scatter = 1.5;          // times the noise of its side
constexpr double blur_rate = 0.8;             // times the nuclei that tiles of its side show

class Verdicts {
 public:
  Verdicts(const PlacerState& state, Placement& placement) : s_(state), p_(placement) {}

  void links() {
    for (std::size_t l = 0; l < s_.links.size(); ++l) {
      const LinkResult& r = s_.links[l];
      const LinkError e = error_of(s_.model_of(r.tile_a), r);
      Link link;
      link.tile_a = std::min(r.tile_a, r.tile_b);
      link.tile_b = std::max(r.tile_a, r.tile_b);
      link.pairs = static_cast<std::uint32_t>(r.pairs);
      link.log10_significance = r.log10_significance;
      link.residual_um = e.residual_um;
      link.closure_um = std::hypot(e.shift_um[0], e.shift_um[1]);
      link.used = s_.fit.link_weight[l] > min_used;
      if (link.used)
        for (const std::uint32_t t : {r.tile_a, r.tile_b}) ++p_.tiles[t].links;
      p_.links.push_back(link);
    }
  }

  void places() {
    const std::vector<double> sd = tile_deviations(*s_.fit.problem, s_.fit.solution.weight);
    const std::vector<double> by_camera = own_camera_deviations(s_.model, s_.fit);
    for (std::uint32_t t = 0; t < s_.tiles.size(); ++t) {
      PlacedTile& tile = p_.tiles[t];
      tile.island = std::max(0, s_.component[t]);
      if (const WellMap* island = island_of(t)) tile.to_well = island->affine_to_well(t);
      if (s_.component[t] != 0) continue;
      tile.centre_um = p_.map.tiles[t].centre_um;
      tile.centre_sd_um = std::hypot(sd[t], by_camera[t]);
      tile.to_well = p_.map.affine_to_well(t);
    }
  }

  void statuses() {
    measure();
    find_rigid();
    for (std::uint32_t t = 0; t < s_.tiles.size(); ++t) judge(t);
  }

  void stages() {
    for (const std::size_t side : {0U, 1U}) {
      StageModel& m = p_.stage[side];
      const StageFit& f = s_.stage[side];
      m.known = f.found;
      if (!f.found) {
        constexpr std::ptrdiff_t enough = 8;
        const auto placed_and_recorded = std::ranges::count_if(
            s_.of_side[side], [&](std::uint32_t t) { return placed(t) && s_.tiles[t].stage_um; });
        if (placed_and_recorded >= enough)
          m.message = fmt::format(
              "the recorded positions at {} do not follow the places of the tiles: they are not "
              "used, and none of them is called wrong",
              side == 0 ? "10x" : "40x");
        continue;
      }
      m.scatter_um = f.scatter_um;
      m.flipped = determinant(f.map) < 0.0;
      m.unit_um = std::sqrt(std::abs(determinant(f.map)));
      if (std::abs(m.unit_um / 1000.0 - 1.0) < 0.1) {
        m.message = "the recorded positions are in mm";
      } else if (std::abs(m.unit_um - 1.0) > 0.1) {
        m.message = fmt::format("a unit of the recorded positions is {:.4g} um", m.unit_um);
      } else if (!f.lays_tiles) {
        m.message = fmt::format(
            "the recorded positions at {} are off by some {:.0f} um: they only tell where to look "
            "for tiles, and which positions are off by {:.0f} um or more",
            side == 0 ? "10x" : "40x", f.scatter_um, wrong_deviations * f.scatter_um);
      }
    }
  }

 private:
  [[nodiscard]] bool placed(std::uint32_t t) const { return s_.component[t] == 0; }
  /// The map of its island, if the tile is part of one whose nuclei can be compared.
  [[nodiscard]] const WellMap* island_of(std::uint32_t t) const {
    if (s_.component[t] <= 0) return nullptr;
    const WellMap& map = p_.islands.at(static_cast<std::size_t>(s_.component[t] - 1));
    return map.placed(t) ? &map : nullptr;
  }

  // Medians over the links of each tile, and over the tiles of each side.
  void measure() {
    const std::size_t n = s_.tiles.size();
    std::vector<std::vector<double>> scatter(n), rate(n);
    for (std::size_t l = 0; l < s_.links.size(); ++l) {
      const LinkResult& r = s_.links[l];
      if (r.pairs < 15.0) continue;
      const double noise = s_.model.noise_um[s_.model.kind(r.tile_a, r.tile_b)];
      for (const std::uint32_t t : {r.tile_a, r.tile_b}) {
        scatter[t].push_back(r.scatter_um / noise);
        const double self = t == r.tile_a ? r.common_a : r.common_b;
        const double other = t == r.tile_a ? r.common_b : r.common_a;
        rate[t].push_back(self / std::max(1.0, other));
      }
    }
    std::array<std::vector<double>, 2> all;
    for (std::uint32_t t = 0; t < n; ++t) {
      scatter_.push_back(median(scatter[t], 1.0));
      rate_.push_back(median(rate[t], 1.0));
      if (!rate[t].empty()) all[s_.model.index(t)].push_back(rate_[t]);
    }
    for (const std::size_t side : {0U, 1U}) usual_rate_[side] = median(all[side], 1.0);
    twin_.assign(n, -1);
    for (const LinkResult& r : s_.links) {
      if (s_.model.side[r.tile_a] != s_.model.side[r.tile_b]) continue;
      if (r.pairs < 0.5 * std::min(r.common_a, r.common_b)) continue;
      const Laid a = s_.model.laid(r.tile_a, false), b = s_.model.laid(r.tile_b, false);
      // The smaller one adds nothing; of equals the one that comes later.
      const double area_a = area_um2(a), area_b = area_um2(b);
      const auto is_twin = [&](std::uint32_t t, std::uint32_t other, double area) {
        if (overlap_um2(a, b, {}) < twin_area * area) return;
        if (twin_[t] < 0) twin_[t] = static_cast<std::int64_t>(other);
      };
      const bool same = std::abs(area_a - area_b) <= 0.01 * area_a;
      if (same ? r.tile_a > r.tile_b : area_a < area_b)
        is_twin(r.tile_a, r.tile_b, area_a);
      else
        is_twin(r.tile_b, r.tile_a, area_b);
    }
  }

  // The tiles of a side that links within it tie to most others. The place of the rest in their
  // visit follows from the other visit's tissue, which may have moved or been torn since.
  void find_rigid() {
    DisjointSets sets(s_.tiles.size());
    for (std::size_t l = 0; l < s_.links.size(); ++l) {
      const LinkResult& r = s_.links[l];
      if (s_.fit.link_weight[l] > min_used && s_.model.side[r.tile_a] == s_.model.side[r.tile_b])
        sets.join(r.tile_a, r.tile_b);
    }
    rigid_.assign(s_.tiles.size(), false);
    for (const auto& of_side : s_.of_side) {
      const auto in_well =
          std::ranges::count_if(of_side, [&](std::uint32_t t) { return placed(t); });
      for (const std::uint32_t t : of_side)
        rigid_[t] = 2 * std::int64_t{sets.size(sets.root(t))} > in_well;
    }
  }

  void judge(std::uint32_t t) {
    PlacedTile& tile = p_.tiles[t];
    const double nuclei = s_.summary[t].nuclei;
    const auto say = [&](TileStatus status, std::string message) {
      tile.status = status;
      tile.message = std::move(message);
    };
    if (nuclei == 0.0) return say(TileStatus::empty, "It shows no nucleus.");
    if (const std::string wrong = wrong_position(t); !wrong.empty())
      return say(TileStatus::position_wrong, wrong);
    if (!placed(t) && nuclei < sparse_nuclei)
      return say(TileStatus::few,
                 fmt::format("It shows {:.0f} nuclei, too few to be placed by them.", nuclei));
    if (!placed(t)) {
      if (s_.component[t] > 0)
        return say(
            TileStatus::not_placed,
            fmt::format("It belongs to island {}, which nothing ties to the well{}.",
                        s_.component[t],
                        island_of(t) ? ": its nuclei are paired, its place is unknown" : ""));
      return say(TileStatus::not_placed,
                 fmt::format("None of its {:.0f} nuclei ties it to another tile.", nuclei));
    }
    if (twin_[t] >= 0)
      return say(
          TileStatus::duplicate,
          fmt::format("It shows what {} shows.", s_.label(static_cast<std::uint32_t>(twin_[t]))));
    const double usual = usual_rate_[s_.model.index(t)];
    if (scatter_[t] > blur_scatter && rate_[t] < blur_rate * usual)
      return say(TileStatus::blurred,
                 fmt::format("Its nuclei scatter {:.1f} times as far as usual, and it shows {:.2f} "
                             "times as many as other tiles at its place, not {:.2f}.",
                             scatter_[t], rate_[t], usual));
  }

  // A sentence if the recorded position is wrong.
  [[nodiscard]] std::string wrong_position(std::uint32_t t) const {
    const StageFit& f = s_.stage[s_.model.index(t)];
    if (!f.found || !s_.tiles[t].stage_um) return {};
    const Point stage = nucreg::apply(f.map, *s_.tiles[t].stage_um);
    if (!placed(t)) {
      // Tiles that lie there show other nuclei. One that is not placed itself may be the wrong one.
      const auto n = std::ranges::count_if(s_.refused, [&](const auto& pair) {
        return (pair[0] == t && placed(pair[1])) || (pair[1] == t && placed(pair[0]));
      });
      if (n < 2) return {};
      return fmt::format(
          "{} tiles at its position show other nuclei; where it "
          "was taken is unknown.",
          n);
    }
    const auto off = [&](std::uint32_t other) {
      return std::hypot(s_.model.centre_um[other][0] - stage[0],
                        s_.model.centre_um[other][1] - stage[1]);
    };
    const double limit = std::max(wrong_um, wrong_deviations * f.scatter_um);
    if (off(t) <= (rigid_[t] ? limit : std::max(limit, wrong_by_others_um))) return {};
    std::string text = fmt::format("It was taken {:.0f} um from its recorded position", off(t));
    for (const std::uint32_t o : s_.of_side[s_.model.index(t)])
      if (o != t && placed(o) && off(o) <= limit)
        return text + ", which is that of " + s_.label(o) + ".";
    return text + ".";
  }

  const PlacerState& s_;
  Placement& p_;
  std::vector<double> scatter_, rate_;
  std::array<double, 2> usual_rate_{};
  std::vector<std::int64_t> twin_;
  std::vector<bool> rigid_;
};

// From the frame of the well to that of the 40x visit: turned as its stage is,
// not mirrored, and in um of its own pixels.
AffineMap turn_to_visit(const AffineMap& stage_to_visit) {
  const double sign = determinant(stage_to_visit) < 0.0 ? -1.0 : 1.0;
  const double turn = -std::atan2(stage_to_visit[3] - sign * stage_to_visit[1],
                                  stage_to_visit[0] + sign * stage_to_visit[4]);
  return {std::cos(turn), -std::sin(turn), 0.0, std::sin(turn), std::cos(turn), 0.0};
}

WellMap map_of(const PlacerState& s, const WellModel& m) {
  WellMap map;
  for (std::size_t k = 0; k < 2; ++k) map.cameras[k] = {m.camera[k], m.k1[k], 0.0};
  const std::array<double, 3>& noise = m.noise_um;
  // Same-side differences hold one noise twice. Without them the difference
  // across is shared.
  for (std::size_t k = 0; k < 2; ++k) map.cameras[k].noise_um = noise[k] / std::numbers::sqrt2;
  AffineMap to_visit = s.stage[1].found ? turn_to_visit(s.stage[1].map) : identity_map;
  if (const double um = s.pixel_um(1); um > 0.0)
    for (double& v : to_visit) v *= um / std::sqrt(std::abs(determinant(m.camera[1])));
  map.visit_to_well = invert(to_visit);
  const Matrix2 turned{to_visit[0], to_visit[1], to_visit[3], to_visit[4]};
  map.cameras[1].um_per_px = times(turned, m.camera[1]);
  map.deformation = m.deformation;
  for (std::uint32_t t = 0; t < s.tiles.size(); ++t) {
    TileFrame frame{m.side[t], m.middle_px[t]};
    frame.centre_um = {std::nan(""), std::nan("")};
    if (m.placed[t])
      frame.centre_um =
          m.side[t] == Side::ten ? m.centre_um[t] : nucreg::apply(to_visit, m.centre_um[t]);
    if (!m.own.empty()) frame.own = times(times(turned, m.own[t]), inverse(turned));
    map.tiles.push_back(frame);
  }
  return map;
}

// All of a frame moved.
void move(WellMap& map, const Point& by) {
  for (TileFrame& t : map.tiles)
    if (t.side == Side::ten) t.centre_um = {t.centre_um[0] + by[0], t.centre_um[1] + by[1]};
  map.visit_to_well[2] += by[0];
  map.visit_to_well[5] += by[1];
  for (const std::size_t k : {0U, 1U}) map.deformation.origin[k] += by[k];
}

// Where a map lays its tiles, with room around them.
struct Box {
  Point low{inf, inf}, high{-inf, -inf};

  explicit Box(const WellMap& map) {
    for (std::size_t t = 0; t < map.tiles.size(); ++t) {
      if (!map.placed(t)) continue;
      const TileFrame& tile = map.tiles[t];
      const double px_um = std::sqrt(
          std::abs(determinant(map.cameras[static_cast<std::size_t>(tile.side)].um_per_px)));
      const double room = 3.0 * px_um * std::hypot(tile.middle_px[0], tile.middle_px[1]);
      const Point at = map.to_well(t, tile.middle_px);
      for (const std::size_t k : {0U, 1U}) {
        low[k] = std::min(low[k], at[k] - room);
        high[k] = std::max(high[k], at[k] + room);
      }
    }
  }
  [[nodiscard]] bool empty() const { return !(low[0] <= high[0]); }

 private:
  static constexpr double inf = std::numeric_limits<double>::infinity();
};

// Islands in a row to the right of the well.
void lay_beside(const WellMap& well, std::vector<WellMap>& islands) {
  const Box first(well);
  double right = first.high[0];
  for (WellMap& island : islands) {
    const Box box(island);
    if (box.empty()) continue;
    move(island, {right - box.low[0], first.low[1] - box.low[1]});
    right += box.high[0] - box.low[0];
  }
}

// The similarity of the 40x visit in the well, without the deformation beside
// it, and with it the magnification.
void fill_turn(const PlacerState& s, Placement& p) {
  std::vector<Point> visit, well;
  for (const std::uint32_t t : s.of_side[1])
    if (p.map.placed(t)) {
      visit.push_back(p.map.tiles[t].centre_um);
      well.push_back(p.map.to_well(t, p.map.tiles[t].middle_px));
    }
  Point mv{}, mw{};
  const auto n = static_cast<double>(visit.size());
  for (std::size_t i = 0; i < visit.size(); ++i)
    for (std::size_t k = 0; k < 2; ++k) {
      mv[k] += visit[i][k] / n;
      mw[k] += well[i][k] / n;
    }
  double dot = 0.0, cross = 0.0, square = 0.0;
  for (std::size_t i = 0; i < visit.size(); ++i) {
    const double x = visit[i][0] - mv[0], y = visit[i][1] - mv[1];
    const double u = well[i][0] - mw[0], v = well[i][1] - mw[1];
    dot += x * u + y * v;
    cross += x * v - y * u;
    square += x * x + y * y;
  }
  const double grown = square > 0.0 ? std::hypot(dot, cross) / square : 1.0;
  const double turn = std::atan2(cross, dot);
  p.turn_deg = turn * 180.0 / std::numbers::pi;
  const double c = grown * std::cos(turn), d = grown * std::sin(turn);
  p.shift_um = {mw[0] - c * mv[0] + d * mv[1], mw[1] - d * mv[0] - c * mv[1]};
  const auto size = [&](std::size_t side) {
    return std::sqrt(std::abs(determinant(p.map.cameras[side].um_per_px)));
  };
  p.magnification = size(0) / (size(1) * grown);
  const double ten_um = s.pixel_um(0), forty_um = s.pixel_um(1);
  if (!(ten_um > 0.0 && forty_um > 0.0)) return;
  constexpr double max_difference = 0.1;  // of objectives and what is written of them
  if (std::abs(p.magnification * forty_um / ten_um - 1.0) > max_difference)
    p.scale_message = fmt::format(
        "the nuclei show {:.3g} 40x px per 10x px; the pixel sizes, {:.4g} and {:.4g} um, say "
        "{:.3g}: one of them is wrong, and so may all lengths in um be",
        p.magnification, ten_um, forty_um, ten_um / forty_um);
}

Placement without_match(const PlacerState& s, std::string reason) {
  Placement p;
  p.reason = std::move(reason);
  p.tiles.resize(s.tiles.size());
  for (std::uint32_t t = 0; t < s.tiles.size(); ++t) {
    p.map.tiles.push_back({s.model.side[t], s.model.middle_px[t], {std::nan(""), std::nan("")}});
    const bool none = s.summary[t].nuclei == 0.0;
    p.tiles[t].status = none ? TileStatus::empty : TileStatus::not_placed;
    p.tiles[t].message = none ? "It shows no nucleus." : "The sides do not match.";
  }
  return p;
}

// Links that chance made lay the tiles of a side anywhere; then the deformation that is fitted to
// them grows or shrinks the well.
std::string contradiction(const PlacerState& s, double magnification) {
  constexpr double max_difference = 0.1;
  const double seen = s.seed_magnification;
  if (std::abs(magnification / seen - 1.0) <= max_difference) return {};
  if (s.regular()) return s.regular_reason();
  return fmt::format(
      "the places of the tiles contradict what the tiles show: {:.3g} 40x px per 10x px by their "
      "places, {:.3g} by their nuclei",
      magnification, seen);
}

}  // namespace

Placement Placer::finish() {
  const PlacerState& s = *state_;
  if (!s.matched) return without_match(s, s.reason);
  Placement p;
  p.matched = true;
  p.tiles.resize(s.tiles.size());
  const FitFacts chosen = s.facts;
  p.fit = s.fit.facts;
  p.fit.heldout_none_um = chosen.heldout_none_um;
  p.fit.heldout_affine_um = chosen.heldout_affine_um;
  p.fit.heldout_spline_um = chosen.heldout_spline_um;
  p.fit.heldout_own_um = chosen.heldout_own_um;
  p.fit.own_cameras = !s.model.own.empty();
  p.problem = s.fit.problem;
  p.map = map_of(s, s.model);
  for (const WellModel& island : s.islands) p.islands.push_back(map_of(s, island));
  lay_beside(p.map, p.islands);
  fill_turn(s, p);
  if (const std::string why = contradiction(s, p.magnification); !why.empty())
    return without_match(s, why);
  p.noise_across_um = s.model.noise_um[2];
  p.mirrored = determinant(s.model.camera[1]) * determinant(s.model.camera[0]) < 0.0;
  Verdicts verdicts(s, p);
  verdicts.places();
  verdicts.links();
  verdicts.statuses();
  verdicts.stages();
  return p;
}

}  // namespace nucreg::mosaic
