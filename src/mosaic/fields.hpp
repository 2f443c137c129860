// Fields of tiles in the frame of the well: what lies within them, and the area that both sides
// show.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "nucreg/mosaic/objects.hpp"

namespace nucreg::mosaic {

/// The field of a tile, without its lens.
class Field {
 public:
  Field(const WellTile& tile, const PlacedTile& placed);
  /// A place in the frame of the well, um.
  [[nodiscard]] bool holds(const Point& um) const {
    const Point px = apply(to_px_, um);
    return px[0] >= -0.5 && px[1] >= -0.5 && px[0] <= width_px_ - 0.5 && px[1] <= height_px_ - 0.5;
  }
  /// A circle around all of it.
  [[nodiscard]] const Point& centre_um() const { return centre_um_; }
  [[nodiscard]] double radius_um() const { return radius_um_; }

 private:
  AffineMap to_px_;
  double width_px_, height_px_;
  Point centre_um_;
  double radius_um_ = 0.0;
};

/// Fields of the tiles that show any of the nuclei, as far as they can be compared.
[[nodiscard]] std::vector<Field> fields_of(const Detections& nuclei,
                                           std::span<const WellTile> tiles,
                                           std::span<const PlacedTile> placed);

/// Per object 1 if it lies within a field.
[[nodiscard]] std::vector<std::uint8_t> within_fields(const Objects& objects,
                                                      std::span<const Field> fields);

struct SharedFields {
  std::vector<Field> ten, forty;
};

/// Square cells, um, row by row.
struct CellGrid {
  double x0 = 0.0, y0 = 0.0, edge = 1.0;
  std::size_t columns = 1, rows = 1;

  [[nodiscard]] std::size_t size() const { return columns * rows; }
};

/// Per cell the area within fields of both sides, um^2, by samples x samples points.
[[nodiscard]] std::vector<float> shared_area(const SharedFields& fields, const CellGrid& grid,
                                             std::size_t samples);

}  // namespace nucreg::mosaic
