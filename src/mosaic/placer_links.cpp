// Which tiles may overlap, and what the stage says of it.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <set>

#include "placer_state.hpp"

namespace nucreg::mosaic {
namespace {

constexpr double stage_tolerance_um = 30.0;   // of a recorded position, about the stage's own map
constexpr double max_by_chance = 0.02;        // of places that follow a map that is wrong
constexpr double sure_of_stage_log10 = -4.0;  // chance of as many followers, of one that is far off
constexpr double stage_search_um = 45.0;      // around a place that only the stage knows
constexpr double max_stage_search_um = 250.0;  // around that of a stage that is far off
constexpr double max_torn_um = 150.0;          // by what torn tissue lays tiles of a side apart
constexpr double island_deviations = 4.0;      // of stage positions, the search for an island
constexpr std::size_t max_thorough = 60000;    // cost of lookups of strays by all they know
constexpr double min_common = 8.0;             // nuclei that an overlap must be expected to share
constexpr double min_common_few = 3.0;         // the same of a tile that only the stage lays
constexpr double few_deviations = 6.0, few_off_um = 4.0;  // search around that, of its scatter

Matrix2 rotation(double turn) {
  return {std::cos(turn), -std::sin(turn), std::sin(turn), std::cos(turn)};
}

// Along x and y, either way, and swapped.
std::vector<Matrix2> axes_of_stages() {
  std::vector<Matrix2> out;
  for (const double x : {1.0, -1.0})
    for (const double y : {1.0, -1.0}) {
      out.push_back({x, 0.0, 0.0, y});
      out.push_back({0.0, x, y, 0.0});
    }
  return out;
}

double half_diagonal(const WellModel& model, std::uint32_t tile) {
  return std::sqrt(std::abs(determinant(model.camera_of(tile)))) *
         std::hypot(model.middle_px[tile][0] + 0.5, model.middle_px[tile][1] + 0.5);
}

double area_um2(const WellModel& model, std::uint32_t tile) {
  return std::abs(determinant(model.camera_of(tile))) * (2.0 * model.middle_px[tile][0] + 1.0) *
         (2.0 * model.middle_px[tile][1] + 1.0);
}

// How far tiles may have to be moved to overlap at all.
double coarse(double off_um) {
  return off_um > stage_search_um ? off_um : 0.0;
}

// The shift of b towards a, by so much at most.
Point towards(const LinkTask& link, double max_um) {
  const Point d{link.a.centre_um[0] - link.b.centre_um[0],
                link.a.centre_um[1] - link.b.centre_um[1]};
  const double length = std::hypot(d[0], d[1]);
  const double part = length > max_um ? max_um / length : 1.0;
  return {part * d[0], part * d[1]};
}

}  // namespace

std::vector<Point> PlacerState::island_shifts() const {
  std::vector<std::array<std::vector<double>, 2>> off(
      static_cast<std::size_t>(std::max(0, *std::ranges::max_element(component) + 1)));
  for (std::uint32_t t = 0; t < tiles.size(); ++t) {
    const StageFit& s = stage[model.index(t)];
    if (component[t] < 0 || !tells(s) || !tiles[t].stage_um) continue;
    const Point said = nucreg::apply(s.map, *tiles[t].stage_um);
    for (const std::size_t k : {0U, 1U})
      off[static_cast<std::size_t>(component[t])][k].push_back(said[k] - model.centre_um[t][k]);
  }
  std::vector<Point> shifts;
  for (auto& o : off)
    shifts.push_back(
        {median(std::move(o[0]), std::nan("")), median(std::move(o[1]), std::nan(""))});
  return shifts;
}

double PlacerState::island_search_um(const StageFit& s) const {
  if (phase == Phase::links) return stage_search_um;
  const double scatter = std::max(stage[0].scatter_um, stage[1].scatter_um);
  return std::min(stage_off_um(s), island_deviations * scatter + 2.0 * gate_um);
}

// A coarse stage only says where strays are looked for.
bool PlacerState::tells(const StageFit& s) const {
  return s.lays_tiles || (s.found && phase != Phase::links);
}

double PlacerState::stage_off_um(const StageFit& s) const {
  if (s.lays_tiles) return stage_search_um;
  return std::min(island_deviations * s.scatter_um + 2.0 * gate_um, max_stage_search_um);
}

PlacerState::Guess PlacerState::guess(std::uint32_t tile, const std::vector<Point>& shifts) const {
  if (component[tile] == 0)
    return {true, false, model.centre_um[tile], phase == Phase::refinement ? 0.0 : 2.0 * gate_um};
  if (component[tile] > 0) {  // its neighbours' positions count as its own
    const Point& shift = shifts[static_cast<std::size_t>(component[tile])];
    const Point& own = model.centre_um[tile];
    if (!std::isfinite(shift[0]))
      return {true, true, own, phase == Phase::refinement ? 0.0 : 2.0 * gate_um};
    return {true,
            false,
            {own[0] + shift[0], own[1] + shift[1]},
            island_search_um(stage[model.index(tile)])};
  }
  const StageFit& s = stage[model.index(tile)];
  if (!tells(s) || !tiles[tile].stage_um) return {};
  const double scatter = std::max(stage[0].scatter_um, stage[1].scatter_um);
  const double off = by_stage_alone(tile) ? few_deviations * scatter + few_off_um : stage_search_um;
  return {true, false, nucreg::apply(s.map, *tiles[tile].stage_um), std::min(off, stage_off_um(s))};
}

namespace {

// For as many places scattered over the same area, the part within the tolerance of any point.
double part_by_chance(const std::vector<Point>& places, double tolerance_um) {
  if (places.empty()) return 1.0;
  std::array<double, 2> spread{};
  for (const std::size_t k : {0U, 1U}) {
    const auto at = [k](const Point& p) { return p[k]; };
    const auto [low, high] = std::ranges::minmax_element(places, {}, at);
    spread[k] = (*high)[k] - (*low)[k];
  }
  return std::numbers::pi * tolerance_um * tolerance_um /
         std::max(spread[0] * spread[1], tolerance_um * tolerance_um);
}

}  // namespace

// A stage with backlash, or that slips, is off by more than would lay a tile beside another. It
// still shows which positions are nonsense, and which way is up.
void PlacerState::read_stage() {
  for (const std::size_t s : {1U, 0U}) {
    std::vector<Point> recorded, place;
    for (const std::uint32_t t : of_side[s]) {
      if (component[t] != 0 || !tiles[t].stage_um) continue;
      recorded.push_back(*tiles[t].stage_um);
      place.push_back(model.centre_um[t]);
    }
    stage[s] = fit_stage(recorded, place, stage_tolerance_um);
    stage[s].lays_tiles = stage[s].found;
    for (double tolerance_um = 2.0 * stage_tolerance_um;
         !stage[s].found && part_by_chance(place, tolerance_um) < max_by_chance;
         tolerance_um *= 2.0) {
      stage[s] = fit_stage(recorded, place, tolerance_um);
      // Two places make a map; any two were tried.
      const auto n = static_cast<double>(place.size());
      const auto follow = static_cast<double>(std::ranges::count(stage[s].follows, true));
      const double chance = log10_tail(follow - 2.0, n - 2.0, part_by_chance(place, tolerance_um)) +
                            std::log10(n * n);
      if (chance > sure_of_stage_log10) stage[s] = {};
    }
  }
}

// A tile of few nuclei that was looked up in all others may have found a place by chance: under the
// fit little of it is left. If a stage that is right of most tiles contradicts, the tile is looked
// for where that says.
void PlacerState::drop_doubtful() {
  constexpr double sure_log10 = -12.0, min_off_um = 100.0, deviations = 8.0;
  std::vector<double> best(tiles.size());
  for (const LinkResult& l : links)
    for (const std::uint32_t t : {l.tile_a, l.tile_b})
      best[t] = std::min(best[t], l.log10_significance);
  for (std::uint32_t t = 0; t < tiles.size(); ++t) {
    const StageFit& s = stage[model.index(t)];
    if (!s.lays_tiles || !tiles[t].stage_um || component[t] != 0 || best[t] < sure_log10) continue;
    const Point said = nucreg::apply(s.map, *tiles[t].stage_um);
    if (std::hypot(said[0] - model.centre_um[t][0], said[1] - model.centre_um[t][1]) <=
        std::max(min_off_um, deviations * s.scatter_um))
      continue;
    component[t] = -1;
    std::erase_if(links, [&](const LinkResult& l) { return l.tile_a == t || l.tile_b == t; });
  }
}

void PlacerState::turn_to_stage() {
  if (!stage[0].found) return;
  const AffineMap& m = stage[0].map;
  const double sign = determinant(m) < 0.0 ? -1.0 : 1.0;
  const Matrix2 turn = rotation(-std::atan2(m[3] - sign * m[1], m[0] + sign * m[4]));
  // Not a shift by the stage map's constant: it is that of the recorded (0, 0),
  // perhaps far away.
  const AffineMap turned = compose({turn[0], turn[1], 0.0, turn[2], turn[3], 0.0}, m);
  const double unit = std::sqrt(std::abs(determinant(turned)));
  Point sum{};
  double n = 0.0;
  for (const std::uint32_t t : of_side[0]) {
    if (component[t] != 0 || !tiles[t].stage_um) continue;
    const Point p = nucreg::apply(turned, *tiles[t].stage_um);
    sum[0] += unit * (*tiles[t].stage_um)[0] - p[0];
    sum[1] += sign * unit * (*tiles[t].stage_um)[1] - p[1];
    n += 1.0;
  }
  const AffineMap move{turn[0], turn[1], sum[0] / n, turn[2], turn[3], sum[1] / n};
  for (Point& c : model.centre_um) c = nucreg::apply(move, c);
  for (Matrix2& c : model.camera) c = times(turn, c);
  for (StageFit& s : stage) s.map = compose(move, s.map);
}

std::vector<PlaceTask> PlacerState::stray_tasks() {
  std::array<std::vector<std::uint32_t>, 2> strays, settled;
  for (const std::size_t s : {0U, 1U})
    for (const std::uint32_t t : of_side[s]) {
      if (!has_nuclei(t)) continue;
      if (component[t] != 0)
        strays[s].push_back(t);
      else if (settled_before.insert(t).second)
        settled[s].push_back(t);
    }
  // Few enough are asked for all that they know, also if the first of it showed nothing before.
  const std::size_t cost =
      (settled[0].size() + settled[1].size()) * (100 + strays[0].size() + strays[1].size());
  const bool thorough = cost <= max_thorough;
  std::vector<PlaceTask> out;
  const auto look = [&](const std::vector<std::uint32_t>& in, std::size_t in_side,
                        const std::vector<std::uint32_t>& asked, std::size_t asked_side) {
    if (asked.empty()) return;
    for (const std::uint32_t t : in)
      out.push_back(lookup_task(t, asked, model.camera[in_side], model.camera[asked_side], alike_um,
                                thorough));
  };
  if (!all_looked_up || thorough) {
    look(settled[0], 0, strays[1], 1);
    look(strays[0], 0, settled[1], 1);
  }
  for (const std::size_t s : {0U, 1U}) look(settled[s], s, strays[s], s);
  return out;
}

// Where both visits have one grid, a 40x tile lies on one 10x tile alone and ties no two of them,
// so that the stage is not known from places. Then a few tiles are laid beside their neighbours as
// their positions say, with the axes of the stage along those of the camera in each of the eight
// ways.
std::vector<PlaceTask> PlacerState::neighbour_tasks() {
  constexpr std::size_t centres = 4, neighbours = 4;
  std::vector<PlaceTask> out;
  for (const std::size_t side : {0U, 1U}) {
    if (stage[0].lays_tiles || stage[1].lays_tiles) return out;
    std::vector<std::uint32_t> staged;
    for (const std::uint32_t t : of_side[side])
      if (tiles[t].stage_um && has_nuclei(t)) staged.push_back(t);
    for (std::size_t k = 0; k < std::min(centres, staged.size()); ++k) {
      const std::uint32_t a = staged[k * staged.size() / std::min(centres, staged.size())];
      const auto offset = [&](std::uint32_t b) {
        return Point{(*tiles[b].stage_um)[0] - (*tiles[a].stage_um)[0],
                     (*tiles[b].stage_um)[1] - (*tiles[a].stage_um)[1]};
      };
      const auto length = [&](std::uint32_t b) { return std::hypot(offset(b)[0], offset(b)[1]); };
      std::vector<std::uint32_t> near;
      std::ranges::copy_if(staged, std::back_inserter(near),
                           [&](std::uint32_t b) { return length(b) > 0.0; });
      std::ranges::stable_sort(near, {}, length);
      near.resize(std::min(near.size(), neighbours));
      for (const std::uint32_t b : near) {
        // A step of a grid is shorter than a tile: who says less than a hundredth of it speaks of
        // mm.
        const double tile_um = 2.0 * half_diagonal(model, a);
        const double unit_um = length(b) < 0.01 * tile_um ? 1000.0 : 1.0;
        if (unit_um * length(b) > tile_um) continue;
        for (const Matrix2& axes : axes_of_stages()) {
          const Matrix2& camera = model.camera[side];
          const double um = std::sqrt(std::abs(determinant(camera)));
          const Point step = times(camera, times(axes, offset(b)));
          LinkTask link{a, b, model.laid(a, false), model.laid(b, false), stage_search_um, gate_um};
          link.a.centre_um = {};
          link.b.centre_um = {unit_um / um * step[0], unit_um / um * step[1]};
          out.push_back(link_task(link, 1.0));
        }
      }
    }
  }
  return out;
}

std::vector<PlaceTask> PlacerState::overlap_tasks() {
  const bool fine = phase == Phase::refinement;
  refused.clear();
  overlap_surely.clear();
  std::set<std::array<std::uint32_t, 2>> known;
  if (!fine)
    for (const LinkResult& l : links) known.insert({l.tile_a, l.tile_b});
  std::vector<std::uint32_t> order;  // 10x before 40x
  for (const auto& side : of_side)
    for (const std::uint32_t t : side)
      if (has_nuclei(t) || by_stage_alone(t) || (fine && component[t] == 0)) order.push_back(t);
  std::vector<Guess> guesses(tiles.size());
  const std::vector<Point> shifts = island_shifts();
  for (const std::uint32_t t : order) guesses[t] = guess(t, shifts);
  std::vector<PlaceTask> out;
  WellModel laid = model;
  for (std::uint32_t t = 0; t < tiles.size(); ++t) laid.centre_um[t] = guesses[t].visit_um;
  for (std::size_t i = 0; i < order.size(); ++i)
    for (std::size_t j = i + 1; j < order.size(); ++j) {
      const std::uint32_t a = order[i], b = order[j];
      const Guess &ga = guesses[a], &gb = guesses[b];
      if (!ga.known || !gb.known) continue;
      const bool tied = component[a] >= 0 && component[a] == component[b];
      if ((ga.apart || gb.apart) && !tied) continue;
      const double off = std::max(ga.off_um, gb.off_um);
      const double reach =
          half_diagonal(model, a) + half_diagonal(model, b) + std::max(30.0, coarse(off));
      if (std::abs(ga.visit_um[0] - gb.visit_um[0]) > reach ||
          std::abs(ga.visit_um[1] - gb.visit_um[1]) > reach)
        continue;
      if (known.contains({a, b}) || known.contains({b, a})) continue;
      const bool across = model.side[a] != model.side[b];
      LinkTask link{a, b, {}, {}, 0.0, gate_um};
      const WellModel& by = fine && tied ? model_of(a) : laid;
      link.a = by.laid(a, across);
      link.b = by.laid(b, across);
      const double density =
          std::min(summary[a].nuclei / area_um2(model, a), summary[b].nuclei / area_um2(model, b));
      const bool few = across && fine && (is_sparse(a) || is_sparse(b));
      const double least = few ? min_common_few : min_common;
      if (overlap_um2(link.a, link.b, towards(link, coarse(off))) * density < least) continue;
      // Within a side all is rigid, but what is known of places so far may come from across.
      link.search_um = link.gate_um + (fine || across ? off : std::max(off, stage_search_um));
      // An island touches the well by slivers of few nuclei: turn and lens are known by then, so
      // that a small gate separates those from chance.
      const bool sliver = phase == Phase::stray_links && component[a] != component[b];
      const double fine_gate_um = std::min(gate_um, 0.5 + 4.5 * model.noise_um[model.kind(a, b)]);
      if (fine || sliver) link.gate_um = fine_gate_um;
      // What nothing tied so far may be tied now that the deformation is known.
      if (fine) link.search_um = link.gate_um + (tied ? 0.0 : off);
      out.push_back(link_task(link, 1.0));
      if (fine && tied) continue;
      if (surely_overlap(link, density)) overlap_surely.insert({a, b});
      // Links across torn tissue lay tiles of one side apart; its stage knows better.
      if (const auto said = across ? std::nullopt : stage_step(a, b)) {
        const double apart = std::hypot(gb.visit_um[0] - ga.visit_um[0] - (*said)[0],
                                        gb.visit_um[1] - ga.visit_um[1] - (*said)[1]);
        if (apart < stage_search_um || apart > max_torn_um) continue;
        link.b.centre_um = {link.a.centre_um[0] + (*said)[0], link.a.centre_um[1] + (*said)[1]};
        if (overlap_um2(link.a, link.b, {}) * density >= min_common)
          out.push_back(link_task(link, 1.0));
      }
    }
  return out;
}

// Tiles and islands that links tie to the well after all are laid where the best of these say.
void PlacerState::join_tied() {
  constexpr int rounds = 3;  // the deformation differs from place to place
  const std::vector<Point> shifts = island_shifts();
  for (;;) {
    const LinkResult* best = nullptr;
    for (const LinkResult& l : links)
      if ((component[l.tile_a] == 0) != (component[l.tile_b] == 0) &&
          (!best || l.pairs > best->pairs))
        best = &l;
    if (!best) return;
    const bool joins_b = component[best->tile_a] == 0;
    const std::uint32_t tile = joins_b ? best->tile_b : best->tile_a;
    std::vector<std::uint32_t> body{tile};
    if (component[tile] > 0) {
      body.clear();
      for (std::uint32_t t = 0; t < tiles.size(); ++t)
        if (component[t] == component[tile]) body.push_back(t);
    } else {
      model.centre_um[tile] = guess(tile, shifts).visit_um;
    }
    for (int round = 0; round < rounds; ++round) {
      const Point d = error_of(model, *best).shift_um;
      const double sign = joins_b ? 1.0 : -1.0;
      for (const std::uint32_t t : body)
        model.centre_um[t] = {model.centre_um[t][0] + sign * d[0],
                              model.centre_um[t][1] + sign * d[1]};
    }
    for (const std::uint32_t t : body) component[t] = 0;
  }
}

// Whether the tiles share nuclei even if their stage positions are off as far as positions are.
bool PlacerState::surely_overlap(const LinkTask& link, double density) const {
  constexpr double deviations = 4.0, enough_common = 25.0;
  const double off_um = deviations * std::max(stage[0].scatter_um, stage[1].scatter_um);
  const double dx = link.b.centre_um[0] - link.a.centre_um[0];
  const double dy = link.b.centre_um[1] - link.a.centre_um[1];
  const Point away{std::copysign(off_um, dx), std::copysign(off_um, dy)};
  return overlap_um2(link.a, link.b, away) * density >= enough_common;
}

// From tile a to tile b of its side, as their recorded positions say.
std::optional<Point> PlacerState::stage_step(std::uint32_t a, std::uint32_t b) const {
  const StageFit& s = stage[model.index(a)];
  if (!s.lays_tiles || !tiles[a].stage_um || !tiles[b].stage_um) return std::nullopt;
  const Point from = nucreg::apply(s.map, *tiles[a].stage_um);
  const Point to = nucreg::apply(s.map, *tiles[b].stage_um);
  return Point{to[0] - from[0], to[1] - from[1]};
}

}  // namespace nucreg::mosaic
