#include "fields.hpp"

#include <algorithm>
#include <cmath>

#include "point_grid.hpp"

namespace nucreg::mosaic {
namespace {

// Sets `bit` of the points, `step` apart, that a field holds; the first point is half a step from
// the corner of the grid.
void draw(const Field& field, const CellGrid& points, std::uint8_t bit,
          std::vector<std::uint8_t>& drawn) {
  const auto index = [&](double um, double origin, std::size_t count) {
    return static_cast<std::size_t>(
        std::clamp((um - origin) / points.edge, 0.0, static_cast<double>(count)));
  };
  const auto [x, y] = field.centre_um();
  const double r = field.radius_um() + points.edge;
  const std::size_t last_row = index(y + r, points.y0, points.rows);
  const std::size_t last_column = index(x + r, points.x0, points.columns);
  for (std::size_t row = index(y - r, points.y0, points.rows); row < last_row; ++row)
    for (std::size_t column = index(x - r, points.x0, points.columns); column < last_column;
         ++column)
      if (field.holds({points.x0 + (static_cast<double>(column) + 0.5) * points.edge,
                       points.y0 + (static_cast<double>(row) + 0.5) * points.edge}))
        drawn[row * points.columns + column] |= bit;
}

}  // namespace

Field::Field(const WellTile& tile, const PlacedTile& placed)
    : to_px_(invert(placed.to_well)),
      width_px_(tile.width_px),
      height_px_(tile.height_px),
      centre_um_(apply(placed.to_well, {0.5 * (width_px_ - 1.0), 0.5 * (height_px_ - 1.0)})) {
  for (const Point corner :
       {Point{-1, -1}, Point{width_px_, -1}, Point{-1, height_px_}, Point{width_px_, height_px_}}) {
    const Point at = apply(placed.to_well, corner);
    radius_um_ = std::max(radius_um_, std::hypot(at[0] - centre_um_[0], at[1] - centre_um_[1]));
  }
}

std::vector<Field> fields_of(const Detections& nuclei, std::span<const WellTile> tiles,
                             std::span<const PlacedTile> placed) {
  std::vector<std::uint8_t> shows_any(tiles.size(), 0);
  for (const std::uint32_t t : nuclei.tile) shows_any[t] = 1;
  std::vector<Field> fields;
  for (std::size_t t = 0; t < tiles.size(); ++t)
    if (shows_any[t] != 0 && is_comparable(placed[t])) fields.emplace_back(tiles[t], placed[t]);
  return fields;
}

std::vector<std::uint8_t> within_fields(const Objects& objects, std::span<const Field> fields) {
  std::vector<std::uint8_t> within(objects.size(), 0);
  const PointGrid grid(objects.x_um, objects.y_um,
                       objects.spacing_um > 0.0 ? 3.0 * objects.spacing_um : 1.0);
  for (const Field& field : fields)
    grid.within(field.centre_um()[0], field.centre_um()[1], field.radius_um(),
                [&](std::uint32_t i, double) {
                  if (field.holds({static_cast<double>(objects.x_um[i]),
                                   static_cast<double>(objects.y_um[i])}))
                    within[i] = 1;
                });
  return within;
}

std::vector<float> shared_area(const SharedFields& fields, const CellGrid& grid,
                               std::size_t samples) {
  constexpr std::uint8_t ten = 1, forty = 2;
  const CellGrid points{grid.x0, grid.y0, grid.edge / static_cast<double>(samples),
                        grid.columns * samples, grid.rows * samples};
  std::vector<std::uint8_t> drawn(points.size(), 0);
  for (const Field& field : fields.ten) draw(field, points, ten, drawn);
  for (const Field& field : fields.forty) draw(field, points, forty, drawn);
  std::vector<float> area(grid.size(), 0.0F);
  for (std::size_t row = 0; row < points.rows; ++row)
    for (std::size_t column = 0; column < points.columns; ++column)
      if (drawn[row * points.columns + column] == (ten | forty))
        area[row / samples * grid.columns + column / samples] +=
            static_cast<float>(points.edge * points.edge);
  return area;
}

}  // namespace nucreg::mosaic
