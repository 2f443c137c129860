#include "placer_state.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <stdexcept>

#include "laid.hpp"
#include "lookup.hpp"
#include "nucreg/match/match.hpp"
#include "point_cells.hpp"

namespace nucreg::mosaic {
namespace {

enum class Kind { summary, seed, lookup, link };

constexpr double min_votes = 4.0;
// How many nuclei of a 40x tile are used to find it in a 10x tile. Twenty find nearly all that is
// found by all nuclei, also if a fifth of them is missing; time that a well of other nuclei
// takes grows with it.
constexpr std::size_t max_seeds = 100;

PlaceTask task_of(Kind kind, std::vector<std::uint32_t> tiles, double cost) {
  return {std::move(tiles), {static_cast<double>(kind)}, cost};
}

[[noreturn]] void not_ours() {
  throw std::invalid_argument("the planner did not make this task");
}

PlaceResult run_summary(const TileNuclei& nuclei) {
  const std::size_t n = nuclei.size();
  PlaceResult out(6 + own_gates.size(), 0.0);
  out[0] = static_cast<double>(n);
  if (n < 2) return out;
  const auto [x0, x1] = std::ranges::minmax(nuclei.px.x);
  const auto [y0, y1] = std::ranges::minmax(nuclei.px.y);
  for (std::size_t k = 0; const double v : {x0, y0, x1, y1}) out[2 + k++] = v;
  const double spacing = std::sqrt(std::max((x1 - x0) * (y1 - y0), 1.0) / static_cast<double>(n));
  const PointCells grid(nuclei.px.x, nuclei.px.y, spacing);
  std::vector<double> nearest;
  const std::size_t step = 1 + n / 500;
  for (std::size_t i = 0; i < n; i += step) {
    double best = 9.0 * spacing * spacing;
    grid.each_in_box({nuclei.px.x[i], nuclei.px.y[i]}, 3.0 * spacing,
                     [&](std::uint32_t j, double dx, double dy) {
                       if (j != i) best = std::min(best, dx * dx + dy * dy);
                     });
    nearest.push_back(std::sqrt(best));
  }
  const auto middle = nearest.begin() + static_cast<std::ptrdiff_t>(nearest.size() / 2);
  std::nth_element(nearest.begin(), middle, nearest.end());
  out[1] = *middle;
  std::ranges::copy(own_parts(nuclei, out[1]), out.begin() + 6);
  return out;
}

// The linear part without shear: the similarity, mirrored or not, that is
// nearest to it.
Matrix2 nearest_similarity(const Matrix2& m) {
  const double s = determinant(m) < 0.0 ? -1.0 : 1.0;
  const double a = 0.5 * (m[0] + s * m[3]), b = 0.5 * (m[2] - s * m[1]);
  return {a, -s * b, b, s * a};
}

constexpr std::size_t seed_numbers = 9;  // of an answer

void run_seed(const MatchTarget& ten, const TileNuclei& forty, const MatchOptions& options,
              PlaceResult& out) {
  const MatchResult match = match_nuclei(ten, forty.px, options);
  SeedAnswer answer{.log10_significance = match.log10_significance,
                    .ambiguous = match.no_match == NoMatch::ambiguous};
  if (match.matched()) {
    const AffineMap back = invert(match.affine);
    answer.matched = true;
    answer.forty_to_ten = nearest_similarity({back[0], back[1], back[3], back[4]});
    answer.pairs = static_cast<double>(match.ten.size());
    answer.noise_px = match.noise_px;
  }
  const Matrix2& m = answer.forty_to_ten;
  out.insert(out.end(), {answer.matched ? 1.0 : 0.0, m[0], m[1], m[2], m[3], answer.pairs,
                         answer.log10_significance, answer.noise_px, answer.ambiguous ? 1.0 : 0.0});
}

PlaceResult run_seeds(const PlaceTask& task, const NucleiOf& nuclei) {
  if (task.values.size() != 4) not_ours();
  MatchOptions options;
  options.magnification = {task.values[1], task.values[2]};
  options.seed = static_cast<std::uint64_t>(task.values[3]);
  options.max_seeds = max_seeds;
  const MatchTarget ten(nuclei(task.tiles[0]).px);
  PlaceResult out;
  for (std::size_t k = 1; k < task.tiles.size(); ++k)
    run_seed(ten, nuclei(task.tiles[k]), options, out);
  return out;
}

}  // namespace

struct PlaceWorker::Memory {
  std::span<const WellTile> tiles;
  std::array<double, 4> laid_by{};  // the camera of the constellations
  std::map<std::uint32_t, Constellations> known;

  const Constellations& constellations(std::uint32_t tile, const std::array<double, 4>& wanted,
                                       const NucleiOf& nuclei) {
    if (laid_by != wanted) known.clear();
    laid_by = wanted;
    const auto found = known.find(tile);
    if (found != known.end()) return found->second;
    return known.emplace(tile, constellations_of(nuclei(tile), wanted)).first->second;
  }
  PlaceResult look_up(const PlaceTask& task, const NucleiOf& nuclei);
};

PlaceResult PlaceWorker::Memory::look_up(const PlaceTask& task, const NucleiOf& nuclei) {
  if (task.values.size() != 11) not_ours();
  std::array<double, 4> camera{}, camera_asked{};
  std::copy_n(task.values.begin() + 1, 4, camera.begin());
  std::copy_n(task.values.begin() + 5, 4, camera_asked.begin());
  const auto middle = [&](std::uint32_t t, const std::array<double, 4>& m) {
    return times(m, Point{0.5 * (tiles[t].width_px - 1.0), 0.5 * (tiles[t].height_px - 1.0)});
  };
  const std::uint32_t searched = task.tiles.front();
  const ConstellationIndex index(nuclei(searched), camera, task.values[9]);
  const Point centre = middle(searched, camera);
  PlaceResult out;
  for (std::size_t k = 1; k < task.tiles.size(); ++k) {
    const std::uint32_t asked = task.tiles[k];
    const auto hit =
        index.look_up(constellations(asked, camera_asked, nuclei), task.values[10] != 0.0);
    if (hit.votes < min_votes) continue;
    const Point m = middle(asked, camera_asked);
    for (const double v : {static_cast<double>(asked), m[0] + hit.shift_um[0] - centre[0],
                           m[1] + hit.shift_um[1] - centre[1]})
      out.push_back(v);
  }
  return out;
}

PlaceTask summary_task(std::uint32_t tile) {
  return task_of(Kind::summary, {tile}, 1.0);
}

TileSummary summary_of(const PlaceResult& result) {
  TileSummary out{
      result.at(0), result.at(1), {result.at(2), result.at(3)}, {result.at(4), result.at(5)}};
  for (std::size_t k = 0; k < own_gates.size(); ++k) out.own_part[k] = result.at(6 + k);
  return out;
}

PlaceTask seed_task(std::uint32_t ten, const std::vector<std::uint32_t>& forties,
                    const std::array<double, 2>& magnification, std::uint64_t seed) {
  PlaceTask task = task_of(Kind::seed, {ten}, 1.0 + static_cast<double>(forties.size()));
  task.tiles.insert(task.tiles.end(), forties.begin(), forties.end());
  task.values.insert(task.values.end(),
                     {magnification[0], magnification[1], static_cast<double>(seed)});
  return task;
}

std::vector<SeedAnswer> seeds_of(const PlaceResult& r) {
  std::vector<SeedAnswer> out;
  for (std::size_t k = 0; k + seed_numbers <= r.size(); k += seed_numbers)
    out.push_back({r[k] == 1.0,
                   {r[k + 1], r[k + 2], r[k + 3], r[k + 4]},
                   r[k + 5],
                   r[k + 6],
                   r[k + 7],
                   r[k + 8] == 1.0});
  return out;
}

PlaceTask lookup_task(std::uint32_t tile, const std::vector<std::uint32_t>& asked,
                      const std::array<double, 4>& camera,
                      const std::array<double, 4>& camera_asked, double tolerance_um,
                      bool thorough) {
  PlaceTask task = task_of(Kind::lookup, {tile}, 100.0 + static_cast<double>(asked.size()));
  task.tiles.insert(task.tiles.end(), asked.begin(), asked.end());
  task.values.insert(task.values.end(), camera.begin(), camera.end());
  task.values.insert(task.values.end(), camera_asked.begin(), camera_asked.end());
  task.values.push_back(tolerance_um);
  task.values.push_back(thorough ? 1.0 : 0.0);
  return task;
}

std::vector<Sighting> sightings_of(const PlaceResult& r) {
  std::vector<Sighting> out;
  for (std::size_t k = 0; k + 3 <= r.size(); k += 3)
    out.push_back({static_cast<std::uint32_t>(r[k]), {r[k + 1], r[k + 2]}});
  return out;
}

PlaceTask link_task(const LinkTask& link, double cost) {
  PlaceTask task = task_of(Kind::link, {link.tile_a, link.tile_b}, cost);
  const std::vector<double> values = pack(link);
  task.values.insert(task.values.end(), values.begin(), values.end());
  return task;
}

PlaceWorker::PlaceWorker(std::span<const WellTile> tiles) : memory_(std::make_unique<Memory>()) {
  memory_->tiles = tiles;
}
PlaceWorker::~PlaceWorker() = default;
PlaceWorker::PlaceWorker(PlaceWorker&&) noexcept = default;
PlaceWorker& PlaceWorker::operator=(PlaceWorker&&) noexcept = default;

PlaceResult PlaceWorker::run(const PlaceTask& task, const NucleiOf& nuclei) {
  const auto bad = [&](std::uint32_t t) { return t >= memory_->tiles.size(); };
  if (task.values.empty() || task.tiles.empty() || std::ranges::any_of(task.tiles, bad)) not_ours();
  const std::span<const double> rest(task.values.begin() + 1, task.values.end());
  const auto needs = [&](std::size_t n) {
    if (task.tiles.size() != n) not_ours();
  };
  switch (static_cast<Kind>(static_cast<int>(task.values.front()))) {
    case Kind::summary:
      needs(1);
      return run_summary(nuclei(task.tiles[0]));
    case Kind::seed:
      return run_seeds(task, nuclei);
    case Kind::lookup:
      return memory_->look_up(task, nuclei);
    case Kind::link:
      needs(2);
      return pack(find_link(nuclei(task.tiles[0]), nuclei(task.tiles[1]), unpack_link_task(rest)));
  }
  not_ours();
}

PlaceResult run_place_task(std::span<const WellTile> tiles, const PlaceTask& task,
                           const NucleiOf& nuclei) {
  return PlaceWorker(tiles).run(task, nuclei);
}

}  // namespace nucreg::mosaic
