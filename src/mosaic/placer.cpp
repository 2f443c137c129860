#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <stdexcept>
#include <utility>

#include "nucreg/core/error.hpp"
#include "placer_state.hpp"

namespace nucreg::mosaic {
namespace {

constexpr double min_tile_nuclei = 8.0;  // of a tile that can be placed
constexpr double min_by_stage = 4.0;     // of one that is looked for where the stage says
constexpr std::size_t small_side = 400;  // 40x tiles: up to so many are all looked up at once
constexpr std::uint32_t refinements = 2;
constexpr Floors coarse_floors{0.3, 3.0};  // before the deformation is known
constexpr Floors fine_floors{0.03, 0.03};
constexpr double fine_inflation = 16.0;
constexpr int rough_iterations = 8;

void check(const WellTile& t) {
  const auto fail = [&](const char* key, const char* allowed) {
    throw InputError("the tile cannot be placed", {.file = t.name, .key = key, .allowed = allowed});
  };
  if (!(t.width_px >= 2.0 && std::isfinite(t.width_px))) fail("width_px", "at least 2, finite");
  if (!(t.height_px >= 2.0 && std::isfinite(t.height_px))) fail("height_px", "at least 2, finite");
  if (t.pixel_um && !(*t.pixel_um > 0.0 && std::isfinite(*t.pixel_um)))
    fail("pixel_um", "more than 0, finite");
  if (t.stage_um && !(std::isfinite((*t.stage_um)[0]) && std::isfinite((*t.stage_um)[1])))
    fail("x_um, y_um", "finite numbers");
}

}  // namespace

PlacerState::PlacerState(std::vector<WellTile> given, PlaceOptions wanted)
    : tiles(std::move(given)), options(std::move(wanted)) {
  for (std::uint32_t t = 0; t < tiles.size(); ++t) {
    check(tiles[t]);
    of_side[tiles[t].side == Side::ten ? 0 : 1].push_back(t);
    model.side.push_back(tiles[t].side);
    model.middle_px.push_back({0.5 * (tiles[t].width_px - 1.0), 0.5 * (tiles[t].height_px - 1.0)});
  }
  summary.resize(tiles.size());
  model.centre_um.resize(tiles.size());
  model.placed.assign(tiles.size(), false);
  component.assign(tiles.size(), -1);
}

double PlacerState::pixel_um(std::size_t of) const {
  std::vector<double> known;
  for (const std::uint32_t t : of_side[of])
    if (tiles[t].pixel_um) known.push_back(*tiles[t].pixel_um);
  return known.empty() ? 0.0 : median(known);
}

bool PlacerState::has_nuclei(std::uint32_t tile) const {
  return summary[tile].nuclei >= min_tile_nuclei;
}

bool PlacerState::is_sparse(std::uint32_t tile) const {
  return summary[tile].nuclei < sparse_nuclei;
}

// Only once the fit is there whose noise makes the gate small.
bool PlacerState::by_stage_alone(std::uint32_t tile) const {
  return phase == Phase::refinement && component[tile] < 0 && is_sparse(tile) &&
         summary[tile].nuclei >= min_by_stage && stage[model.index(tile)].lays_tiles;
}

std::string PlacerState::label(std::uint32_t tile) const {
  return tiles[tile].name;
}

void PlacerState::no_match(std::string why) {
  matched = false;
  reason = std::move(why);
  phase = Phase::done;
}

void PlacerState::take_summaries(const std::vector<PlaceResult>& results) {
  for (std::size_t t = 0; t < tiles.size(); ++t) summary[t] = summary_of(results[t]);
  for (const std::size_t s : {0U, 1U}) refuse_places_in_the_well(s);
  for (const std::size_t s : {0U, 1U})
    if (std::ranges::none_of(of_side[s], [&](std::uint32_t t) { return has_nuclei(t); }))
      return no_match(fmt::format("no tile at {} shows at least {:.0f} nuclei",
                                  s == 0 ? "10x" : "40x", min_tile_nuclei));
  phase = Phase::seeds;
}

// 40x tiles on two lines through the middle of a large well whose stage can be read from them.
std::vector<std::uint32_t> PlacerState::lookup_subset() const {
  std::vector<std::uint32_t> all;
  for (const std::uint32_t t : of_side[1])
    if (has_nuclei(t)) all.push_back(t);
  const bool staged =
      std::ranges::all_of(tiles, [](const WellTile& t) { return t.stage_um.has_value(); });
  if (!staged || subset_failed || all.size() <= small_side) return all;
  std::array<std::vector<double>, 2> at;
  for (const std::uint32_t t : all)
    for (const std::size_t k : {0U, 1U}) at[k].push_back((*tiles[t].stage_um)[k]);
  std::array<double, 2> middle{}, wide{};
  for (const std::size_t k : {0U, 1U}) {
    std::ranges::sort(at[k]);
    middle[k] = at[k][at[k].size() / 2];
    wide[k] = at[k][at[k].size() * 9 / 10] - at[k][at[k].size() / 10];
  }
  // 80 % of each axis holds some 64 % of the tiles of a square; 0.8 of a step to each side.
  const double step = std::sqrt(wide[0] * wide[1] / (0.64 * static_cast<double>(all.size())));
  std::erase_if(all, [&](std::uint32_t t) {
    return std::abs((*tiles[t].stage_um)[0] - middle[0]) > 0.8 * step &&
           std::abs((*tiles[t].stage_um)[1] - middle[1]) > 0.8 * step;
  });
  return all;
}

std::vector<PlaceTask> PlacerState::lookup_tasks() {
  const std::vector<std::uint32_t> asked = lookup_subset();
  all_looked_up = asked.size() == static_cast<std::size_t>(std::ranges::count_if(
                                      of_side[1], [&](std::uint32_t t) { return has_nuclei(t); }));
  std::vector<PlaceTask> out;
  for (const std::uint32_t t : of_side[0])
    if (has_nuclei(t))
      out.push_back(
          lookup_task(t, asked, model.camera[0], model.camera[1], alike_um, thorough_lookups));
  return out;
}

// Significance takes nuclei for scattered at random. They keep a distance, so that some shift of
// two tiles of other places lays one nucleus in five upon another; of the same place it is most.
bool PlacerState::accepted(const LinkResult& link) const {
  // What the stage says leaves few shifts for chance to choose from.
  constexpr double few_pairs = 3.0, few_log10 = -5.0, few_part = 0.5;
  if (phase == Phase::refinement && model.side[link.tile_a] != model.side[link.tile_b] &&
      (is_sparse(link.tile_a) || is_sparse(link.tile_b)) && link.pairs >= few_pairs &&
      link.log10_significance < few_log10 && link.runner_up < 0.8 &&
      link.pairs >= std::max(few_part, min_link_part) * std::min(link.common_a, link.common_b))
    return true;
  return link.pairs >= 6.0 && link.log10_significance < -8.0 && link.runner_up < 0.8 &&
         link.pairs >= min_link_part * std::min(link.common_a, link.common_b);
}

std::vector<PlaceTask> PlacerState::sighting_tasks() {
  std::vector<PlaceTask> out;
  for (const LinkResult& s : sightings) {
    LinkTask task{s.tile_a,      s.tile_b, model.laid(s.tile_a, false), model.laid(s.tile_b, false),
                  3.0 * gate_um, gate_um};
    task.a.centre_um = {};
    task.b.centre_um = s.shift_um;
    out.push_back(link_task(task, 1.0));
  }
  return out;
}

void PlacerState::take_sightings(const std::vector<PlaceResult>& results) {
  for (const PlaceResult& r : results) {
    LinkResult link = unpack_link_result(r);
    if (accepted(link)) links.push_back(link);
  }
  sightings.clear();
  put_together();
}

void PlacerState::take_links(const std::vector<PlaceResult>& results) {
  links.reserve(links.size() + results.size());
  for (const PlaceResult& r : results) {
    LinkResult link = unpack_link_result(r);
    const std::array<std::uint32_t, 2> pair{link.tile_a, link.tile_b};
    // Tiles that were tried at two places come one after the other.
    const bool linked =
        !links.empty() && links.back().tile_a == pair[0] && links.back().tile_b == pair[1];
    const bool missed = !refused.empty() && refused.back() == pair;
    if (accepted(link)) {
      if (missed) refused.pop_back();
      if (!linked)
        links.push_back(link);
      else if (link.log10_significance < links.back().log10_significance)
        links.back() = link;
    } else if (!linked && !missed && overlap_surely.contains(pair) &&
               std::min(link.common_a, link.common_b) >= 25.0) {
      refused.push_back(pair);
    }
  }
}

// Tiles that no link ties together now keep their earlier ones, but for those that were tried again
// and refused; with none left a tile is tied to nothing.
void PlacerState::take_refined(const std::vector<PlaceResult>& results) {
  const std::vector<LinkResult> before = std::exchange(links, {});
  take_links(results);
  if (links.empty()) return;
  const auto pair_of = [](const LinkResult& l) { return std::minmax(l.tile_a, l.tile_b); };
  std::set<std::pair<std::uint32_t, std::uint32_t>> tried;
  for (const PlaceResult& r : results) tried.insert(pair_of(unpack_link_result(r)));
  DisjointSets sets = tied_sets();
  std::vector<LinkResult> kept;
  for (const LinkResult& l : before)
    if (sets.root(l.tile_a) != sets.root(l.tile_b) && !tried.contains(pair_of(l)))
      kept.push_back(l);
  links.insert(links.end(), kept.begin(), kept.end());
}

// Tiles that links tie together, directly or by others.
DisjointSets PlacerState::tied_sets() const {
  DisjointSets sets(tiles.size());
  for (const LinkResult& l : links) sets.join(l.tile_a, l.tile_b);
  return sets;
}

// If links do not tie a component together any more, its largest set remains; each other set
// of them is an island.
void PlacerState::set_apart_untied() {
  DisjointSets sets = tied_sets();
  std::vector<std::uint32_t> members(tiles.size());
  for (std::uint32_t t = 0; t < tiles.size(); ++t)
    if (component[t] >= 0) ++members[sets.root(t)];
  std::map<std::int32_t, std::uint32_t> largest;  // root of each component
  std::int32_t last = 0;
  for (std::uint32_t t = 0; t < tiles.size(); ++t) {
    if (component[t] < 0) continue;
    const std::uint32_t root = sets.root(t);
    std::uint32_t& best = largest.try_emplace(component[t], root).first->second;
    if (members[root] > members[best]) best = root;
    last = std::max(last, component[t]);
  }
  std::map<std::uint32_t, std::int32_t> apart;  // component of each root that was set apart
  for (std::uint32_t t = 0; t < tiles.size(); ++t) {
    if (component[t] < 0) continue;
    const std::uint32_t root = sets.root(t);
    if (root == largest.at(component[t])) continue;
    if (sets.size(root) == 1)
      component[t] = -1;
    else
      component[t] = apart.try_emplace(root, last + 1).first->second;
    last = std::max(last, component[t]);
  }
}

void PlacerState::put_together() {
  measure_noise(model, links);
  Assembly assembly = assemble(model, links, coarse_floors);
  component = std::move(assembly.component);
  fit = std::move(assembly.fit);
  read_stage();
}

void PlacerState::place_fit() {
  fit = {};  // never two at once
  measure_noise(model, links);
  model.placed.assign(tiles.size(), false);
  for (std::uint32_t t = 0; t < tiles.size(); ++t) model.placed[t] = component[t] == 0;
  if (pass == 1) {
    choose_deformation(model, links, fine_floors, facts);
  }
  const bool last = pass > refinements;  // else links are measured again where it lays the tiles
  const double begin = options.clock ? options.clock() : 0.0;
  fit = fit_well(model, links, fine_floors, fine_inflation, options.fit,
                 last ? FitOptions().max_iterations : rough_iterations);
  if (options.clock) fit.facts.wall_seconds = options.clock() - begin;
  fit_islands();
}

const WellModel& PlacerState::model_of(std::uint32_t tile) const {
  const auto island = static_cast<std::size_t>(std::max(0, component[tile]));
  return island == 0 || island > islands.size() ? model : islands[island - 1];
}

// Cameras are those of the well. What the deformation is where an island lies follows from its own
// links, if they are enough for an affine one.
void PlacerState::fit_islands() {
  constexpr double min_pairs = 30.0, min_part = 0.5, enough_for_affine = 100.0;
  const auto count = static_cast<std::size_t>(std::max(0, *std::ranges::max_element(component)));
  islands.clear();
  for (std::size_t k = 1; k <= count; ++k) {
    WellModel island = model;
    island.deformation = {};
    island.deformation.kind = DeformationKind::spline;  // without nodes: cameras are kept
    double pairs = 0.0, common = 0.0, n = 0.0;
    for (std::uint32_t t = 0; t < tiles.size(); ++t)
      island.placed[t] = component[t] == static_cast<std::int32_t>(k);
    std::vector<LinkResult> within;
    std::vector<std::size_t> number;
    for (std::size_t i = 0; i < links.size(); ++i) {
      const LinkResult& l = links[i];
      if (!island.placed[l.tile_a] || !island.placed[l.tile_b]) continue;
      within.push_back(l);
      number.push_back(i);
      if (model.side[l.tile_a] == model.side[l.tile_b]) continue;
      pairs += l.pairs;
      common += std::min(l.common_a, l.common_b);
    }
    // What a few nuclei tied may be tied by chance.
    if (pairs < min_pairs || pairs < min_part * common) {
      island.placed.assign(tiles.size(), false);
      islands.push_back(std::move(island));
      continue;
    }
    if (pairs >= enough_for_affine) {
      island.deformation.kind = DeformationKind::affine;
      Point& origin = island.deformation.origin;
      for (std::uint32_t t = 0; t < tiles.size(); ++t)
        if (island.placed[t]) {
          n += 1.0;
          for (const std::size_t i : {0U, 1U}) origin[i] += model.centre_um[t][i];
        }
      for (double& v : origin) v /= n;
    }
    const WellFit own = fit_well(island, within, fine_floors, fine_inflation, {}, rough_iterations);
    for (std::size_t i = 0; i < within.size(); ++i) fit.link_weight[number[i]] = own.link_weight[i];
    for (std::uint32_t t = 0; t < tiles.size(); ++t)
      if (island.placed[t]) model.centre_um[t] = island.centre_um[t];
    islands.push_back(std::move(island));
  }
}

std::vector<PlaceTask> PlacerState::tasks() {
  std::vector<PlaceTask> out;
  switch (phase) {
    case Phase::summaries:
      for (std::uint32_t t = 0; t < tiles.size(); ++t) out.push_back(summary_task(t));
      return out;
    case Phase::seeds:
      return seed_tasks();
    case Phase::causes:
      return cause_tasks();
    case Phase::lookups:
      return lookup_tasks();
    case Phase::stray_lookups:
      return stray_tasks();
    case Phase::sightings:
    case Phase::stray_sightings:
      return sighting_tasks();
    case Phase::neighbours:
      return neighbour_tasks();
    case Phase::links:
    case Phase::stray_links:
    case Phase::refinement:
      return overlap_tasks();
    case Phase::done:
      return out;
  }
  return out;
}

void PlacerState::conclude(const std::vector<PlaceResult>& results) {
  switch (phase) {
    case Phase::summaries:
      return take_summaries(results);
    case Phase::seeds:
      return take_seeds(results);
    case Phase::causes:
      return take_causes(results);
    case Phase::lookups:
    case Phase::stray_lookups:
      for (std::size_t k = 0; k < results.size(); ++k)
        for (const Sighting& s : sightings_of(results[k])) {
          LinkResult found;
          found.tile_a = searched[k];
          found.tile_b = s.tile;
          found.shift_um = s.offset_um;
          sightings.push_back(found);
        }
      if (phase == Phase::lookups)
        phase = Phase::sightings;
      else
        phase = results.empty() ? Phase::stray_links : Phase::stray_sightings;
      return;
    case Phase::sightings:
      take_sightings(results);
      if (!all_looked_up && !(stage[0].lays_tiles && stage[1].lays_tiles)) {
        subset_failed = true;
        links.clear();
        phase = Phase::lookups;
        return;
      }
      if (links.empty() && !std::exchange(thorough_lookups, true)) {
        phase = Phase::lookups;
        return;
      }
      if (links.empty())
        return no_match(regular()
                            ? regular_reason()
                            : "no 40x tile is found in a 10x tile with the turn of the first");
      phase = Phase::neighbours;
      return;
    case Phase::neighbours:
      take_links(results);
      refused.clear();  // most of what was tried is no neighbour
      if (!results.empty()) put_together();
      phase = Phase::links;
      return;
    case Phase::links:
      take_links(results);
      put_together();
      turn_to_stage();
      phase = Phase::stray_lookups;
      return;
    case Phase::stray_sightings:
      take_sightings(results);
      phase = Phase::stray_lookups;  // those that it tied may tie others
      return;
    case Phase::stray_links:
      take_links(results);
      put_together();
      pass = 1;
      place_fit();
      phase = Phase::refinement;
      return;
    case Phase::refinement:
      take_refined(results);
      drop_doubtful();
      join_tied();
      set_apart_untied();
      ++pass;
      place_fit();
      if (pass > refinements) {
        read_stage();  // a fit with a deformation may have moved all tiles of a visit alike
        phase = Phase::done;
      }
      return;
    case Phase::done:
      return;
  }
}

Placer::Placer(std::vector<WellTile> tiles, PlaceOptions options)
    : state_(std::make_unique<PlacerState>(std::move(tiles), std::move(options))) {}
Placer::~Placer() = default;
Placer::Placer(Placer&&) noexcept = default;
Placer& Placer::operator=(Placer&&) noexcept = default;

std::vector<PlaceTask> Placer::next_round() {
  while (state_->phase != PlacerState::Phase::done) {
    std::vector<PlaceTask> tasks = state_->tasks();
    state_->searched.clear();
    for (const PlaceTask& t : tasks) state_->searched.push_back(t.tiles.front());
    if (!tasks.empty()) return tasks;
    state_->conclude({});
  }
  return {};
}

void Placer::take(const std::vector<PlaceResult>& results) {
  if (results.size() != state_->searched.size())
    throw std::invalid_argument("a round has a result for each task");
  state_->conclude(results);
}

std::string Placer::round_name() const {
  switch (state_->phase) {
    case PlacerState::Phase::summaries:
      return "nuclei of tiles";
    case PlacerState::Phase::seeds:
      return "first matches";
    case PlacerState::Phase::causes:
      return "why nothing matches";
    case PlacerState::Phase::lookups:
    case PlacerState::Phase::stray_lookups:
      return "tiles looked up";
    case PlacerState::Phase::sightings:
    case PlacerState::Phase::stray_sightings:
      return "places tested";
    case PlacerState::Phase::neighbours:
    case PlacerState::Phase::links:
    case PlacerState::Phase::stray_links:
      return "links between tiles";
    case PlacerState::Phase::refinement:
      return "links refined";
    case PlacerState::Phase::done:
      return "done";
  }
  return "";
}

Placement place(const std::vector<WellTile>& tiles, const std::vector<TileNuclei>& nuclei,
                const PlaceOptions& options) {
  if (nuclei.size() != tiles.size()) throw std::invalid_argument("each tile needs its nuclei");
  Placer placer(tiles, options);
  PlaceWorker worker(tiles);
  const NucleiOf source = [&](std::uint32_t t) -> const TileNuclei& { return nuclei[t]; };
  for (auto tasks = placer.next_round(); !tasks.empty(); tasks = placer.next_round()) {
    std::vector<PlaceResult> results;
    for (const PlaceTask& task : tasks) results.push_back(worker.run(task, source));
    placer.take(results);
  }
  return placer.finish();
}

}  // namespace nucreg::mosaic
