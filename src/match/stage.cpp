#include "nucreg/match/stage.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace nucreg {
namespace {

bool has_place(const TilePlace& tile) {
  return tile.stage_x_um && tile.stage_y_um;
}

// Of a tile whose pixel size is known.
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
