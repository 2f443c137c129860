#include "well_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/mosaic/assignment.hpp"
#include "nucreg/mosaic/objects.hpp"

namespace nucreg {
namespace {

using mosaic::Side;
constexpr double unknown_um = std::numeric_limits<double>::quiet_NaN();

std::size_t index_of(Side side) {
  return side == Side::ten ? 0 : 1;
}

// The usual size of pixels of each side, and of each tile the size of its own against it. What a
// camera bins has the same lens and turn, so that a side has one camera all the same.
struct PixelScales {
  std::array<double, 2> side_um{};
  std::vector<double> of_tile;
};

PixelScales pixel_scales(const WellInputs& inputs) {
  constexpr double alike = 1e-3;
  PixelScales out;
  std::array<std::vector<double>, 2> known;
  for (const TileInput& tile : inputs.tiles)
    if (tile.pixel_um) known[index_of(tile.side)].push_back(*tile.pixel_um);
  for (const std::size_t side : {0U, 1U}) {
    std::ranges::sort(known[side]);
    if (!known[side].empty()) out.side_um[side] = known[side][known[side].size() / 2];
  }
  for (const TileInput& tile : inputs.tiles) {
    const double usual = out.side_um[index_of(tile.side)];
    const double scale = tile.pixel_um ? *tile.pixel_um / usual : 1.0;
    out.of_tile.push_back(std::abs(scale - 1.0) > alike ? scale : 1.0);
  }
  return out;
}

// Width and height that tiles of a side have if nothing says so: as far as their nuclei reach.
std::array<Point, 2> reaches(const WellInputs& inputs, std::span<const TileFacts> facts,
                             std::span<const double> scale) {
  std::array<Point, 2> reach{};
  for (std::size_t i = 0; i < facts.size(); ++i) {
    Point& side = reach[index_of(inputs.tiles[i].side)];
    side[0] = std::max(side[0], std::floor(facts[i].right_px * scale[i]) + 1.0);
    side[1] = std::max(side[1], std::floor(facts[i].bottom_px * scale[i]) + 1.0);
  }
  for (Point& side : reach)
    for (double& size : side) size = std::max(size, 1.0);
  return reach;
}

// Sides of which no tile has a position, but all that is known of a place is that in a grid.
std::array<bool, 2> sides_in_grids(const WellInputs& inputs) {
  std::array<bool, 2> grid{}, stage{};
  for (const TileInput& tile : inputs.tiles) {
    grid[index_of(tile.side)] |= tile.row.has_value();
    stage[index_of(tile.side)] |= tile.x_um.has_value();
  }
  return {grid[0] && !stage[0], grid[1] && !stage[1]};
}

double turn_deg_of(double a, double c) {
  return std::atan2(c, a) * 180.0 / std::numbers::pi;
}

MapSide side_of(const mosaic::Camera& camera) {
  const auto& [a, b, c, d] = camera.um_per_px;
  const double determinant = a * d - b * c;
  return {.camera = camera,
          .pixel_um = std::sqrt(std::abs(determinant)),
          // The turn of the x axis if the camera mirrors y.
          .turn_deg = turn_deg_of(a, c)};
}

// Turn, shift and magnification between the visits, with the linear part of the deformation.
AffineMap visit_to_well(const mosaic::WellMap& map) {
  const mosaic::Deformation& deformation = map.deformation;
  if (deformation.kind == mosaic::DeformationKind::none) return map.visit_to_well;
  const auto& [a, b, c, d] = deformation.linear;
  const auto& [x, y] = deformation.origin;
  return compose({1.0 + a, b, -(a * x + b * y), c, 1.0 + d, -(c * x + d * y)}, map.visit_to_well);
}

// The spline as a grid that is fine enough to be read between linearly: a cubic B-spline differs
// from its chords over a quarter of its knots' spacing by less than a hundredth of its height.
void append_knots(std::vector<MapKnot>& knots, const mosaic::WellMap& map, std::uint32_t model) {
  const mosaic::Deformation& deformation = map.deformation;
  if (deformation.nx == 0 || deformation.ny == 0) return;
  const AffineMap linear = compose(visit_to_well(map), invert(map.visit_to_well));
  const AffineMap back = invert(linear);
  const double step = deformation.spacing_um / 4.0;
  const auto count = [](std::uint32_t nodes) { return 4 * (nodes > 3 ? nodes - 3 : 1) + 1; };
  for (std::uint32_t j = 0; j < count(deformation.ny); ++j)
    for (std::uint32_t i = 0; i < count(deformation.nx); ++i) {
      const Point before{deformation.origin[0] + step * i, deformation.origin[1] + step * j};
      const Point at = apply(linear, before);
      const Point moved = deformation(apply(back, at));
      knots.push_back({model, at[0], at[1], moved[0] - at[0], moved[1] - at[1]});
    }
}

MapModel model_of(const PlacedWell& well) {
  const mosaic::Placement& placement = well.placement;
  MapModel model{.well = well.inputs.well,
                 .matched = placement.matched,
                 .message = placement.matched ? "" : placement.reason};
  model.ten = side_of(placement.map.cameras[0]);
  model.forty = side_of(placement.map.cameras[1]);
  model.solver = placement.fit.solver;
  model.loss = placement.fit.loss;
  model.evaluations = placement.fit.evaluations;
  model.wall_seconds = placement.fit.wall_seconds;
  if (!placement.matched) return model;
  model.objective = placement.fit.objective;
  model.forty_to_well = visit_to_well(placement.map);
  model.turn_deg = placement.turn_deg;
  model.shift_x_um = placement.shift_um[0];
  model.shift_y_um = placement.shift_um[1];
  model.magnification = placement.magnification;
  constexpr std::array<const char*, 3> names{"none", "affine", "spline"};
  model.deformation = names.at(static_cast<std::size_t>(placement.map.deformation.kind));
  return model;
}

NucleusFlag flag_of(std::uint8_t flags) {
  if ((flags & mosaic::merged_flag) != 0) return NucleusFlag::merged;
  return (flags & mosaic::split_flag) != 0 ? NucleusFlag::split : NucleusFlag::none;
}

mosaic::TileNuclei nuclei_of_tile(const PlacedWell& well, std::size_t tile,
                                  const TileStore& store) {
  std::optional<ReadTile> read = store.get(well.first_tile + tile);
  if (!read)
    throw InputError(
        fmt::format("{}: its nuclei are not there any more", well.inputs.tiles[tile].title()),
        {.file = store.folder().string()});
  return std::move(read->nuclei);
}

mosaic::TileNuclei rescaled_nuclei(const PlacedWell& well, std::size_t tile,
                                   const TileStore& store) {
  mosaic::TileNuclei nuclei = nuclei_of_tile(well, tile, store);
  rescale(nuclei, well.tiles[tile].scale);
  return nuclei;
}

Points laid_by(const mosaic::WellMap& map, std::size_t tile, const Points& px) {
  if (map.placed(tile)) return map.to_well(tile, px);
  return {std::vector(px.x.size(), unknown_um), std::vector(px.x.size(), unknown_um)};
}

// For an island beside the well: where its nuclei can be compared, not where they are.
Points comparable(const PlacedWell& well, std::size_t tile, const Points& px) {
  const mosaic::Placement& placement = well.placement;
  const auto island = static_cast<std::size_t>(placement.tiles[tile].island);
  return laid_by(island == 0 ? placement.map : placement.islands.at(island - 1), tile, px);
}

std::size_t nuclei_of(const PlacedWell& well, Side side) {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < well.facts.size(); ++i)
    if (well.tiles[i].side == side) sum += well.facts[i].nuclei;
  return sum;
}

// Whether all tiles of a side say how large nuclei are.
bool all_areas(const PlacedWell& well, Side side) {
  for (std::size_t i = 0; i < well.facts.size(); ++i)
    if (well.inputs.tiles[i].side == side && well.facts[i].nuclei > 0 && !well.facts[i].areas)
      return false;
  return true;
}

// All of a side, as pairing needs them.
mosaic::Detections detections_of(const PlacedWell& well, Side side, const TileStore& store) {
  const bool areas = all_areas(well, side);
  const std::size_t count = nuclei_of(well, side);
  const auto& camera = well.placement.map.cameras[index_of(side)].um_per_px;
  const double px_area_um2 = std::abs(determinant(camera));
  mosaic::Detections out;
  // Columns that grow take twice the memory for a moment.
  out.tile.reserve(count);
  for (auto* column : {&out.x_um, &out.y_um, &out.border_px}) column->reserve(count);
  if (areas) out.area_um2.reserve(count);
  for (std::uint32_t t = 0; t < well.tiles.size(); ++t) {
    if (well.tiles[t].side != side || well.facts[t].nuclei == 0) continue;
    const mosaic::TileNuclei found = rescaled_nuclei(well, t, store);
    const Points um = comparable(well, t, found.px);
    for (std::size_t i = 0; i < found.size(); ++i) {
      out.tile.push_back(t);
      out.x_um.push_back(static_cast<float>(um.x[i]));
      out.y_um.push_back(static_cast<float>(um.y[i]));
      out.border_px.push_back(mosaic::border_px(well.tiles[t], found.px.x[i], found.px.y[i]));
      if (areas)
        out.area_um2.push_back(
            static_cast<float>(static_cast<double>(found.area_px[i]) * px_area_um2));
    }
  }
  return out;
}

std::uint32_t next_object(const MapNuclei& nuclei) {
  return nuclei.object.empty() ? 0 : *std::ranges::max_element(nuclei.object) + 1;
}

void append_nuclei(MapNuclei& nuclei, const PlacedWell& well, Side side, std::uint32_t first_tile,
                   const mosaic::Objects& objects, const std::vector<Unpaired>& unpaired) {
  const std::uint32_t first_object = next_object(nuclei);
  const std::size_t rows = nuclei.size() + objects.of.size();
  for (auto* column : {&nuclei.tile, &nuclei.object}) column->reserve(rows);
  nuclei.representative.reserve(rows);
  nuclei.unpaired.reserve(rows);
  nuclei.flag.reserve(rows);
  for (std::uint32_t t = 0; t < well.tiles.size(); ++t)
    if (well.tiles[t].side == side)
      nuclei.tile.insert(nuclei.tile.end(), well.facts[t].nuclei, first_tile + t);
  for (std::size_t i = 0; i < objects.of.size(); ++i) {
    const std::uint32_t object = objects.of[i];
    nuclei.object.push_back(first_object + object);
    nuclei.representative.push_back(objects.representative[object] == i ? 1 : 0);
    nuclei.unpaired.push_back(unpaired[i]);
    nuclei.flag.push_back(flag_of(objects.flags[object]));
  }
}

void in_own_pixels(MapTile& tile) {
  const double scale = std::exchange(tile.given.scale, 1.0);
  if (scale == 1.0) return;
  tile.given.width_px /= scale;
  tile.given.height_px /= scale;
  tile.given.pixel_um = *tile.given.pixel_um * scale;
  const double shift = 0.5 * scale - 0.5;
  tile.placed.to_well = compose(tile.placed.to_well, {scale, 0, shift, 0, scale, shift});
}

void append_tiles(WellMap& map, const PlacedWell& well, std::span<const double> match_rate) {
  for (std::size_t i = 0; i < well.tiles.size(); ++i) {
    const TileInput& input = well.inputs.tiles[i];
    MapTile tile{.given = well.tiles[i],
                 .placed = well.placement.tiles[i],
                 .well = input.well,
                 .file = input.file + (input.frame ? fmt::format("#{}", *input.frame) : ""),
                 .nuclei = well.facts[i].nuclei};
    tile.given.name = input.tile;
    in_own_pixels(tile);
    if (well.tiles[i].side == Side::forty)
      tile.placed.centre_um =
          nucreg::apply(well.placement.map.visit_to_well, tile.placed.centre_um);
    if (tile.placed.island > 0) tile.placed.to_well = {};  // it has no place in the well
    // What the inputs say, whether it was used or not.
    if (input.x_um) tile.given.stage_um = Point{*input.x_um, *input.y_um};
    if (i < match_rate.size()) tile.match_rate = match_rate[i];
    if (!well.facts[i].unreadable.empty()) {
      tile.placed = {.status = mosaic::TileStatus::unreadable, .message = well.facts[i].unreadable};
    }
    map.tiles.push_back(std::move(tile));
  }
}

void append_pairs(WellMap& map, const mosaic::NucleusPairs& pairs, std::uint32_t first_ten,
                  std::uint32_t first_forty) {
  map.pairs.reserve(map.pairs.size() + pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i)
    map.pairs.push_back({.ten = first_ten + pairs.ten[i],
                         .forty = first_forty + pairs.forty[i],
                         .distance_um = static_cast<double>(pairs.distance_um[i]),
                         .heldout_distance_um = static_cast<double>(pairs.heldout_distance_um[i]),
                         .probability = static_cast<double>(pairs.probability[i]),
                         .q_value = static_cast<double>(pairs.q_value[i]),
                         .margin = static_cast<double>(pairs.margin[i])});
}

double heldout_rms(const mosaic::NucleusPairs& pairs) {
  double sum = 0.0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i)
    if (pairs.probability[i] >= 0.9F && std::isfinite(pairs.heldout_distance_um[i])) {
      const auto distance_um = static_cast<double>(pairs.heldout_distance_um[i]);
      sum += distance_um * distance_um;
      ++count;
    }
  return count > 0 ? std::sqrt(sum / static_cast<double>(count)) : unknown_um;
}

// Probabilities rest on the noise of centroids. A sentence if nuclei of likely pairs lie much
// farther from each other than that, in both coordinates. By the upper quartile: centroids of
// nuclei that touch are a few far pairs in every image, what moved is most pairs of a place.
std::string unfollowed(const mosaic::NucleusPairs& pairs, const MapModel& model) {
  constexpr double much = 2.0;
  std::vector<float> likely_um;
  for (std::size_t i = 0; i < pairs.size(); ++i)
    if (pairs.probability[i] >= 0.9F && std::isfinite(pairs.heldout_distance_um[i]))
      likely_um.push_back(pairs.heldout_distance_um[i]);
  if (likely_um.empty()) return {};
  const auto quartile =
      likely_um.begin() + static_cast<std::ptrdiff_t>(likely_um.size() - 1 - likely_um.size() / 4);
  std::ranges::nth_element(likely_um, quartile);
  // Of distances in two coordinates with that noise: Rayleigh's distribution.
  const double expected_um = std::sqrt(2.0 * std::log(4.0)) *
                             std::hypot(model.ten.camera.noise_um, model.forty.camera.noise_um);
  const auto distance_um = static_cast<double>(*quartile);
  if (!(distance_um > much * expected_um)) return {};
  return fmt::format(
      "a quarter of the likely pairs lie {:.2f} um from each other or more, {:.1f} times as far as "
      "the noise of centroids explains: what moved between the visits is not followed everywhere, "
      "and more pairs may be wrong than their q-values say",
      distance_um, distance_um / expected_um);
}

// One row per threshold: of the pairs within a q-value, how many decoys are as probable.
void append_decoys(WellMap& map, const mosaic::NucleusPairs& pairs,
                   const mosaic::AssignmentSummary& summary, std::uint32_t model,
                   std::uint32_t decoys) {
  for (const mosaic::DecoyPoint& point : summary.decoys) {
    double q = 0.0;
    for (std::size_t i = 0; i < pairs.size(); ++i)
      if (static_cast<double>(pairs.probability[i]) >= point.min_probability)
        q = std::max(q, static_cast<double>(pairs.q_value[i]));
    map.decoys.push_back({.model = model,
                          .q_value = q,
                          .pairs = point.pairs,
                          .decoy_pairs = point.decoy_wrong,
                          .decoys = decoys});
  }
}

std::string well_prefix(const WellInputs& inputs) {
  return inputs.well.empty() ? "" : fmt::format("well {}: ", inputs.well);
}

}  // namespace

std::vector<mosaic::WellTile> well_tiles(const WellInputs& inputs, std::span<const TileFacts> facts,
                                         bool use_stage, std::vector<std::string>& notes) {
  const PixelScales pixels = pixel_scales(inputs);
  const std::array<Point, 2> reach = reaches(inputs, facts, pixels.of_tile);
  constexpr double usual_step = 0.9;  // of a tile, from one to the next of a grid
  const std::array<bool, 2> in_grid = sides_in_grids(inputs);
  std::array<std::size_t, 2> guessed{};
  std::vector<mosaic::WellTile> tiles;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    const TileInput& input = inputs.tiles[i];
    const std::size_t side = index_of(input.side);
    const auto size = [&](const std::optional<double>& said, double reached) {
      if (said) return *said * pixels.of_tile[i];
      guessed[side] += facts[i].unreadable.empty() ? 1 : 0;
      return reached;
    };
    mosaic::WellTile tile{.side = input.side,
                          .name = input.title(),
                          .width_px = size(input.width_px, reach[side][0]),
                          .height_px = size(input.height_px, reach[side][1]),
                          .pixel_um = input.pixel_um,
                          .scale = pixels.of_tile[i]};
    if (tile.scale != 1.0) tile.pixel_um = pixels.side_um[side];
    if (use_stage && input.x_um) tile.stage_um = Point{*input.x_um, *input.y_um};
    if (use_stage && in_grid[side] && input.row) {
      const double um = usual_step * tile.pixel_um.value_or(1.0);
      tile.stage_um = Point{um * tile.width_px * static_cast<double>(*input.column),
                            um * tile.height_px * static_cast<double>(*input.row)};
    }
    tiles.push_back(std::move(tile));
  }
  for (const Side side : {Side::ten, Side::forty})
    if (const auto other = std::ranges::count_if(
            tiles, [&](const auto& tile) { return tile.side == side && tile.scale != 1.0; }))
      notes.push_back(
          fmt::format("{}{} at {} have pixels of another size than {:.4g} um, as most have",
                      well_prefix(inputs), counted(static_cast<std::size_t>(other), "tile"),
                      magnification_of(side), pixels.side_um[index_of(side)]));
  for (const Side side : {Side::ten, Side::forty})
    if (use_stage && in_grid[index_of(side)])
      notes.push_back(fmt::format(
          "{}positions at {} are taken from rows and columns, as if tiles overlapped by a tenth",
          well_prefix(inputs), magnification_of(side)));
  for (const Side side : {Side::ten, Side::forty})
    if (guessed[index_of(side)] > 0)
      notes.push_back(fmt::format(
          "{}the size of tiles at {} is not known; it is taken as {:.0f} x {:.0f} px, as far as "
          "nuclei reach (columns width_px, height_px)",
          well_prefix(inputs), magnification_of(side), reach[index_of(side)][0],
          reach[index_of(side)][1]));
  return tiles;
}

void append_well(WellMap& map, const PlacedWell& well, const TileStore& store,
                 std::vector<std::string>& notes) {
  const auto first_tile = static_cast<std::uint32_t>(map.tiles.size());
  const auto first_ten = static_cast<std::uint32_t>(map.ten.size());
  const auto first_forty = static_cast<std::uint32_t>(map.forty.size());
  const auto model_row = static_cast<std::uint32_t>(map.models.size());
  const mosaic::Placement& placement = well.placement;
  MapModel model = model_of(well);
  for (mosaic::Link link : placement.links) {
    link.tile_a += first_tile;
    link.tile_b += first_tile;
    map.links.push_back(link);
  }
  // Without a match the sides have no common frame, and nothing of theirs may be paired.
  std::vector<mosaic::PlacedTile> placed = placement.tiles;
  if (!placement.matched)
    for (mosaic::PlacedTile& tile : placed) tile.centre_um = {unknown_um, unknown_um};
  mosaic::AssignmentOptions options;
  if (placement.map.cameras[0].noise_um > 0.0)
    options.ten_noise_um = placement.map.cameras[0].noise_um;
  if (placement.map.cameras[1].noise_um > 0.0)
    options.forty_noise_um = placement.map.cameras[1].noise_um;
  const mosaic::WellAssignment assigned =
      mosaic::assign_nuclei(detections_of(well, Side::ten, store),
                            detections_of(well, Side::forty, store), well.tiles, placed, options);
  append_nuclei(map.ten, well, Side::ten, first_tile, assigned.ten, assigned.ten_unpaired);
  append_nuclei(map.forty, well, Side::forty, first_tile, assigned.forty, assigned.forty_unpaired);
  append_tiles(map, well, assigned.summary.match_rate);
  append_pairs(map, assigned.pairs, first_ten, first_forty);
  append_decoys(map, assigned.pairs, assigned.summary, model_row,
                static_cast<std::uint32_t>(options.decoys));
  append_knots(map.knots, placement.map, model_row);
  model.heldout_rms_um = heldout_rms(assigned.pairs);
  if (std::string note = unfollowed(assigned.pairs, model); !note.empty())
    notes.push_back(well_prefix(well.inputs) + note);
  map.models.push_back(std::move(model));
  if (!placement.scale_message.empty())
    notes.push_back(well_prefix(well.inputs) + placement.scale_message);
  for (const mosaic::StageModel& stage : placement.stage)
    if (!stage.message.empty()) notes.push_back(well_prefix(well.inputs) + stage.message);
  if (const mosaic::FitFacts& fit = placement.fit; fit.own_cameras)
    notes.push_back(fmt::format(
        "{}each tile at 40x has a turn and magnification of its own: parts of links that were left "
        "out are off by {:.2f} um with it and by {:.2f} um without",
        well_prefix(well.inputs), fit.heldout_own_um,
        std::fmin(fit.heldout_none_um, std::fmin(fit.heldout_affine_um, fit.heldout_spline_um))));
  for (const mosaic::MovedRegion& moved : assigned.summary.moved)
    notes.push_back(
        fmt::format("{}{} nuclei around ({:.0f}, {:.0f}) um lie off by ({:.1f}, {:.1f}) um: this "
                    "region moved between the visits",
                    well_prefix(well.inputs), count_text(moved.nuclei), moved.centre_um[0],
                    moved.centre_um[1], moved.shift_um[0], moved.shift_um[1]));
}

MapNuclei columns_of_tile(const PlacedWell& well, std::uint32_t tile, const TileStore& store) {
  mosaic::TileNuclei found = nuclei_of_tile(well, tile, store);
  Points um = laid_by(well.placement.map, tile, rescaled_nuclei(well, tile, store).px);
  return {.label = std::move(found.label), .px = std::move(found.px), .um = std::move(um)};
}

}  // namespace nucreg
