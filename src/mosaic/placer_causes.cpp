// Why the sides of a well do not match: what is often mixed up, tried on a few tiles, and places
// that are not those in the tile.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "nucreg/core/error.hpp"
#include "nucreg/match/match.hpp"
#include "placer_state.hpp"

namespace nucreg::mosaic {
namespace {

constexpr std::size_t max_tile_pairs = 128, few_small = 3;
constexpr double sure = -8.0;  // log10 of the significance

// The same match, with the tiles in the places of each other.
SeedAnswer exchange(SeedAnswer answer) {
  answer.noise_px *= std::sqrt(std::abs(determinant(answer.forty_to_ten)));
  answer.forty_to_ten = inverse(answer.forty_to_ten);
  return answer;
}

}  // namespace

// Tiles of the one side in those of the other: with the sides exchanged at the usual magnification,
// then in both ways at any.
std::vector<PlaceTask> PlacerState::cause_tasks() {
  std::vector<PlaceTask> out;
  const auto add = [&](std::size_t large_side, const std::array<double, 2>& magnification) {
    std::vector<std::uint32_t> large = by_richness(large_side), small = by_richness(1 - large_side);
    large.resize(std::min(large.size(), max_tile_pairs));
    small.resize(std::min({small.size(), few_small, 1 + max_tile_pairs / (1 + large.size())}));
    for (const std::uint32_t l : large)
      out.push_back(seed_task(l, small, magnification, options.seed));
  };
  if (pass == 0) {
    first_exchanged = 0;
    add(1, usual_magnification(1));
    return out;
  }
  add(0, widest_magnification);
  first_exchanged = out.size();
  add(1, widest_magnification);
  return out;
}

// What a match says that was found with the sides exchanged, or at another magnification; empty if
// it is none of these, but what the seeds missed.
std::string PlacerState::cause(const SeedAnswer& answer, bool exchanged) {
  const std::string sides = exchanged ? " with the sides exchanged: the 10x input comes first" : "";
  if (exchanged && pass == 0) return "they match" + sides;
  const double found = 1.0 / std::sqrt(std::abs(determinant(answer.forty_to_ten)));
  const auto [low, high] = expected_magnification();
  const double as_given = exchanged ? 1.0 / found : found;
  if (low <= as_given && as_given <= high) {
    seeds.push_back(exchanged ? exchange(answer) : answer);
    return {};
  }
  return fmt::format(
      "they match{} at {:.3g} 40x px per 10x px, where {:.3g} to {:.3g} are expected; if that is "
      "right, place.magnification = [{:.3g}, {:.3g}]; else a pixel size or the unit of a table "
      "is wrong",
      exchanged ? sides + "," : "", found, low, high, 0.8 * found, 1.25 * found);
}

void PlacerState::take_causes(const std::vector<PlaceResult>& results) {
  for (std::size_t k = 0; k < results.size(); ++k)
    for (const SeedAnswer& answer : seeds_of(results[k])) {
      if (!answer.matched || answer.log10_significance > sure) continue;
      if (std::string why = cause(answer, k >= first_exchanged); !why.empty())
        return no_match(std::move(why));
    }
  if (agree_on_cameras() || pass++ == 0) return;
  no_match(
      "none of the 40x tiles that were tried is found in a 10x tile, nor with the sides exchanged: "
      "nothing shows that the sides have nuclei in common");
}

// Nuclei lie anywhere in a tile, so that the boxes around those of two tiles overlap. Where they
// lie beside each other like tiles on a stage, positions are counted from the corner of the well.
void PlacerState::refuse_places_in_the_well(std::size_t side) const {
  constexpr double rich = 20.0, max_shared = 0.3, nearly_all = 0.9;
  constexpr std::size_t min_tiles = 6, max_tiles = 100;  // fewer may all show one colony's edge
  std::vector<std::uint32_t> asked;
  for (const std::uint32_t t : of_side[side])
    if (summary[t].nuclei >= rich && asked.size() < max_tiles) asked.push_back(t);
  if (asked.size() < min_tiles) return;
  const auto length = [](double low, double high) { return std::max(0.0, high - low); };
  const auto area = [&](const Point& low, const Point& high) {
    return length(low[0], high[0]) * length(low[1], high[1]);
  };
  double pairs = 0.0, apart = 0.0;
  for (std::size_t i = 0; i < asked.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      const TileSummary &a = summary[asked[i]], &b = summary[asked[j]];
      const Point low{std::max(a.low_px[0], b.low_px[0]), std::max(a.low_px[1], b.low_px[1])};
      const Point high{std::min(a.high_px[0], b.high_px[0]), std::min(a.high_px[1], b.high_px[1])};
      const double smaller = std::min(area(a.low_px, a.high_px), area(b.low_px, b.high_px));
      pairs += 1.0;
      apart += area(low, high) < max_shared * smaller ? 1.0 : 0.0;
    }
  if (apart < nearly_all * pairs) return;
  throw InputError(
      fmt::format("the nuclei of the {} tiles lie apart as if x and y were counted from the corner "
                  "of the well, not from that of their tile",
                  side == 0 ? "10x" : "40x"),
      {.file = label(asked.front()),
       .key = "x, y",
       .allowed = "px in the tile, from its first pixel"});
}

}  // namespace nucreg::mosaic
