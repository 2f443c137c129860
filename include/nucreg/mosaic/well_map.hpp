// From the pixels of a tile to the well: lens, camera, place of the tile, turn
// and deformation between the visits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "nucreg/core/affine.hpp"
#include "nucreg/fit/points.hpp"
#include "nucreg/mosaic/well.hpp"

namespace nucreg::mosaic {

enum class DeformationKind : std::uint8_t { none, affine, spline };

/// Smooth displacement between the visits, um of the well: x -> x + linear (x -
/// origin) + spline(x). The spline is a uniform cubic B-spline; node (i, j) of
/// its nx x ny coefficients stands at origin + spacing (i - 1, j - 1). Outside
/// its nodes the displacement stays that of the border.
struct Deformation {
  DeformationKind kind = DeformationKind::none;
  std::array<double, 4> linear{};  ///< rows
  Point origin{};
  double spacing_um = 0.0;
  std::uint32_t nx = 0, ny = 0;  ///< 0: no spline
  std::vector<double> dx_um,
      dy_um;  ///< coefficients, row j, column i at j * nx + i

  /// Where the deformation carries a point.
  [[nodiscard]] Point operator()(const Point& p) const;
  /// Its derivative at a point, rows.
  [[nodiscard]] std::array<double, 4> gradient(const Point& p) const;
  friend bool operator==(const Deformation&, const Deformation&) = default;
};

/// The 16 nodes that a cubic B-spline uses at a point, and their weights.
struct SplineNodes {
  std::array<std::uint32_t, 16> node{};
  std::array<double, 16> weight{}, weight_dx{}, weight_dy{};  ///< value, derivatives by um
};
[[nodiscard]] SplineNodes spline_nodes(const Deformation& grid, const Point& p);

/// Where a tile is, as far as the map needs it.
struct TileFrame {
  Side side = Side::ten;
  Point middle_px{};  ///< (size - 1) / 2
  Point centre_um{};  ///< in its visit; NaN: not placed
  /// Times the camera of its side; not the identity where each 40x tile has a turn and scale of its
  /// own.
  std::array<double, 4> own{1.0, 0.0, 0.0, 1.0};
  friend bool operator==(const TileFrame&, const TileFrame&) = default;
};

/// The whole map. `side` indices: 0 is 10x, 1 is 40x.
struct WellMap {
  std::array<Camera, 2> cameras{};
  /// 40x visit um to well um before the deformation: turn, shift and
  /// magnification, perhaps mirrored.
  AffineMap visit_to_well = identity_map;
  Deformation deformation;
  std::vector<TileFrame> tiles;

  [[nodiscard]] bool placed(std::size_t tile) const;
  /// um of its visit, lens included; NaN if the tile is not placed.
  [[nodiscard]] Point to_visit(std::size_t tile, const Point& px) const;
  /// um of the well: as to_visit, and for 40x turn and deformation; NaN if the
  /// tile is not placed.
  [[nodiscard]] Point to_well(std::size_t tile, const Point& px) const;
  [[nodiscard]] Points to_well(std::size_t tile, const Points& px) const;
  /// px of the tile to the well without lens; the deformation to first order at
  /// its centre.
  [[nodiscard]] AffineMap affine_to_well(std::size_t tile) const;
  friend bool operator==(const WellMap&, const WellMap&) = default;
};

}  // namespace nucreg::mosaic
