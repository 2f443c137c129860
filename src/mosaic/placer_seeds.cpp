// How the cameras lie to each other, found out from a few tiles.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "placer_state.hpp"

namespace nucreg::mosaic {
namespace {

constexpr double default_pixel_um = 0.65;  // of 10x, if nothing is known: lengths are then nominal
constexpr std::size_t few_tens = 64;       // up to so many 10x tiles are all tried at first
constexpr std::size_t near_seeds = 4, far_seeds = 6, wide_seeds = 2;  // 40x tiles tried
// More of them where 10x tiles are few, which may show a part of the well only.
constexpr std::size_t far_pairs = 1024;
constexpr std::size_t seeds_at_once = 8;    // 40x tiles of a task
constexpr std::size_t seed_batch = 32;      // tasks in a round
constexpr double seed_significance = -8.0;  // log10
constexpr double sure_significance = -20.0;
constexpr double regular_part = 0.35;  // laid upon others by a shift within the widest gate
constexpr double usual_part = 0.2;     // the same within a gate that separates shifts
constexpr double clearly_more = 1.7;   // times what a shift by a period pairs

}  // namespace

std::array<double, 2> PlacerState::expected_magnification() const {
  return options.magnification[0] > 0.0 ? options.magnification : usual_magnification(0);
}

std::array<double, 2> PlacerState::usual_magnification(std::size_t large_side) const {
  const double large_um = pixel_um(large_side), small_um = pixel_um(1 - large_side);
  constexpr double least = 0.67;  // below, sides or pixel sizes are exchanged
  if (small_um > 0.0 && large_um > least * small_um)
    return {0.9 * large_um / small_um, 1.1 * large_um / small_um};
  return {3.0, 5.0};
}

std::vector<PlaceTask> PlacerState::near_seed_tasks() const {
  const auto staged = [](const WellTile& t) { return t.stage_um.has_value(); };
  std::vector<std::uint32_t> rich = by_richness(1), tens = by_richness(0);
  std::vector<PlaceTask> out;
  if (!std::ranges::all_of(tiles, staged)) {
    if (tens.size() > few_tens) return out;
    rich.resize(std::min(rich.size(), near_seeds));
    for (const std::uint32_t ten : tens)
      out.push_back(seed_task(ten, rich, expected_magnification(), options.seed));
    return out;
  }
  const auto distance_um = [&](std::uint32_t a, std::uint32_t b) {
    return std::hypot((*tiles[a].stage_um)[0] - (*tiles[b].stage_um)[0],
                      (*tiles[a].stage_um)[1] - (*tiles[b].stage_um)[1]);
  };
  // Those that lie in a 10x tile, if the stage is known: 10x may show a part of the well only.
  const auto within_ten = [&](std::uint32_t forty) {
    return std::ranges::any_of(tens, [&](std::uint32_t t) {
      return distance_um(t, forty) < 0.5 * tiles[t].width_px * tiles[t].pixel_um.value_or(0.0);
    });
  };
  std::stable_partition(rich.begin(), rich.end(), within_ten);
  for (std::size_t k = 0; k < std::min(rich.size(), near_seeds); ++k) {
    std::ranges::stable_sort(tens, {}, [&](std::uint32_t t) { return distance_um(t, rich[k]); });
    for (std::size_t i = 0; i < std::min<std::size_t>(2, tens.size()); ++i)
      out.push_back(seed_task(tens[i], {rich[k]}, expected_magnification(), options.seed));
  }
  return out;
}

// Then some against all, a part of them at a time: one answer that is sure will do. The best tiles
// first, the last two of these at any magnification; then tiles from all over the well, and again
// at any magnification if it is unknown.
std::vector<PlaceTask> PlacerState::seed_tasks() {
  if (pass == 0) return near_seed_tasks();
  const std::array<double, 2> range = expected_magnification();
  std::array<double, 2> wide = range;
  const bool told = options.magnification[0] > 0.0 || (pixel_um(0) > 0.0 && pixel_um(1) > 0.0);
  // One lattice lies upon another at many magnifications.
  if (options.magnification[0] <= 0.0 && !(told && regular()))
    wide = {0.8 * std::min(range[0], 1.5), 1.25 * std::max(range[1], 8.0)};
  const std::vector<std::uint32_t> rich = by_richness(1), tens = by_richness(0);
  const std::size_t first = std::min(rich.size(), far_seeds);
  const std::size_t count = std::clamp(far_pairs / tens.size(), first, rich.size());
  std::vector<std::uint32_t> asked(rich.begin(), rich.begin() + static_cast<std::ptrdiff_t>(first));
  for (std::size_t k = first; k < count; ++k)
    asked.push_back(rich[first + (k - first) * (rich.size() - first) / (count - first)]);

  std::vector<PlaceTask> out;
  const auto ask = [&](std::size_t from, std::size_t to, const std::array<double, 2>& magnified) {
    to = std::min(to, count);
    if (from >= to) return;
    const std::vector<std::uint32_t> some(asked.begin() + static_cast<std::ptrdiff_t>(from),
                                          asked.begin() + static_cast<std::ptrdiff_t>(to));
    for (const std::uint32_t ten : tens)
      out.push_back(seed_task(ten, some, magnified, options.seed));
  };
  ask(0, far_seeds - wide_seeds, range);
  // Each of them costs as many maps as are about as good; more of them add nothing.
  const bool in_vain = regular() && ambiguous_seeds > seeds.size();
  const std::size_t enough = in_vain ? out.size() : std::numeric_limits<std::size_t>::max();
  ask(far_seeds - wide_seeds, far_seeds, wide);
  for (std::size_t k = far_seeds; k < count; k += seeds_at_once) ask(k, k + seeds_at_once, range);
  for (std::size_t k = 0; !told && k < count; k += seeds_at_once) ask(k, k + seeds_at_once, wide);
  out.resize(std::min(out.size(), enough));
  const std::size_t done = std::min((pass - 1) * seed_batch, out.size()),
                    next = std::min(done + seed_batch, out.size());
  seeds_exhausted = next == out.size();
  return {out.begin() + static_cast<std::ptrdiff_t>(done),
          out.begin() + static_cast<std::ptrdiff_t>(next)};
}

// Many nuclei, but no crowd.
std::vector<std::uint32_t> PlacerState::by_richness(std::size_t side) const {
  std::vector<std::uint32_t> out;
  std::vector<double> counts;
  for (const std::uint32_t t : of_side[side])
    if (has_nuclei(t)) {
      out.push_back(t);
      counts.push_back(summary[t].nuclei);
    }
  std::ranges::sort(counts);
  const double wanted = counts.empty() ? 0.0 : counts[counts.size() * 3 / 4];
  // The middle of the well first: tiles at its edge may lie beyond the other side.
  Point mean{};
  double n = 0.0;
  for (const std::uint32_t t : out)
    if (tiles[t].stage_um) {
      mean = {mean[0] + (*tiles[t].stage_um)[0], mean[1] + (*tiles[t].stage_um)[1]};
      n += 1.0;
    }
  double reach = 0.0;
  const auto off_middle = [&](std::uint32_t t) {
    if (!tiles[t].stage_um || n == 0.0) return 0.0;
    return std::hypot((*tiles[t].stage_um)[0] - mean[0] / n, (*tiles[t].stage_um)[1] - mean[1] / n);
  };
  for (const std::uint32_t t : out) reach = std::max(reach, off_middle(t));
  std::ranges::stable_sort(out, {}, [&](std::uint32_t t) {
    return std::abs(summary[t].nuclei / wanted - 1.0) + (reach > 0.0 ? off_middle(t) / reach : 0.0);
  });
  return out;
}

void PlacerState::take_seeds(const std::vector<PlaceResult>& results) {
  for (const PlaceResult& result : results)
    for (const SeedAnswer& answer : seeds_of(result)) {
      if (answer.matched && answer.log10_significance <= seed_significance) seeds.push_back(answer);
      if (answer.ambiguous && answer.log10_significance <= seed_significance) ++ambiguous_seeds;
    }
  if (agree_on_cameras()) return;
  ++pass;
  if (regular() && seeds_exhausted && ambiguous_seeds > 2 * seeds.size())
    return no_match(regular_reason());
  if (!seeds_exhausted) return;
  pass = 0;
  phase = Phase::causes;
}

bool PlacerState::agree_on_cameras() {
  const auto alike = [](const SeedAnswer& a, const SeedAnswer& b) {
    double off = 0.0;
    for (std::size_t k = 0; k < 4; ++k)
      off = std::max(off, std::abs(a.forty_to_ten[k] - b.forty_to_ten[k]));
    return off < 0.02 * std::sqrt(std::abs(determinant(a.forty_to_ten)));
  };
  // The seed that most nuclei of other seeds agree with.
  const SeedAnswer* best = nullptr;
  double most = 0.0;
  for (const SeedAnswer& s : seeds) {
    double sum = 0.0;
    for (const SeedAnswer& o : seeds)
      if (alike(s, o)) sum += std::min(-o.log10_significance, 50.0);
    if (sum > most) {
      most = sum;
      best = &s;
    }
  }
  if (!best || most < -sure_significance) return false;
  std::array<double, 4> sum{};
  double weight = 0.0, noise_px = 0.0;
  const double scale = std::sqrt(std::abs(determinant(best->forty_to_ten)));
  for (const SeedAnswer& o : seeds) {
    if (!alike(*best, o)) continue;
    for (std::size_t k = 0; k < 4; ++k) sum[k] += o.pairs * o.forty_to_ten[k];
    noise_px += o.pairs * o.noise_px;
    weight += o.pairs;
  }
  for (double& v : sum) v /= weight;
  noise_px /= weight;
  seed_magnification = 1.0 / scale;
  double um = pixel_um(0);
  if (um == 0.0 && pixel_um(1) > 0.0) um = pixel_um(1) / scale;
  if (um == 0.0) um = default_pixel_um;
  model.camera[0] = {um, 0.0, 0.0, um};
  model.camera[1] = times(model.camera[0], sum);
  std::vector<double> spacing;
  for (const std::uint32_t t : of_side[0])
    if (has_nuclei(t)) spacing.push_back(um * summary[t].spacing_px);
  spacing_um = std::max(median(spacing), um);  // nuclei on one another have no spacing
  // Three deviations of the difference of two.
  alike_um = std::clamp(4.2 * noise_px * scale * um, 0.05 * spacing_um, 0.2 * spacing_um);
  choose_gate(noise_px * scale * um);
  pass = 0;
  if (matched) phase = Phase::lookups;
  return true;
}

double PlacerState::own_part(std::size_t k) const {
  std::vector<double> parts;
  for (const std::uint32_t t : of_side[1])
    if (summary[t].own_part[0] > 0.0) parts.push_back(summary[t].own_part[k]);
  return median(std::move(parts));
}

std::string PlacerState::regular_reason() const {
  return fmt::format(
      "the nuclei lie so regularly that a 40x tile fits several places of a 10x tile about equally "
      "well: shifted by a few nuclei, {:.0f} % of the nuclei of a tile lie upon others",
      100.0 * own_part(0));
}

bool PlacerState::regular() const {
  return own_part(0) > regular_part;
}

// Wide enough for lens and deformation. Where nuclei are far apart that suffices, and is less than
// a part of their distance; where they are regular, a shift by a period must not pair them.
void PlacerState::choose_gate(double noise_um) {
  constexpr double noises = 20.0, of_tile = 0.015, min_noises = 4.0;
  constexpr double fewer_alike = 2.0 / 3.0, max_own = 0.45;
  const std::uint32_t tile = of_side[1].front();
  const double half_um = std::sqrt(std::abs(determinant(model.camera[1]))) *
                         std::hypot(model.middle_px[tile][0], model.middle_px[tile][1]);
  gate_um = std::min(own_gates[0] * spacing_um,
                     std::max({noises * noise_um, of_tile * half_um, alike_um}));
  if (!regular()) return;
  std::size_t k = 0;
  while (k + 1 < own_gates.size() && own_part(k) > usual_part &&
         own_gates[k + 1] * spacing_um >= min_noises * noise_um)
    ++k;
  if (own_part(k) > max_own) return no_match(regular_reason());
  gate_um = own_gates[k] * spacing_um;
  alike_um *= fewer_alike;  // else vectors of all periods are alike
  min_link_part = std::max(min_link_part, clearly_more * own_part(k));
}

}  // namespace nucreg::mosaic
