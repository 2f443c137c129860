// Nuclei instead of detections: what overlapping tiles of one side show twice is one object.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nucreg/mosaic/well.hpp"

namespace nucreg::mosaic {

/// All detections of one side: columns of equal length. Floats: at 30 mm they resolve 2 nm.
struct Detections {
  std::vector<std::uint32_t> tile;  ///< index into the list of tiles
  std::vector<float> x_um, y_um;    ///< well; anything if the tile is not placed
  std::vector<float> border_px;     ///< distance to the border of the tile, see border_px()
  std::vector<float> area_um2;      ///< empty if unknown

  [[nodiscard]] std::size_t size() const { return tile.size(); }
};

/// Distance of a position (px) to the nearest edge of its tile; negative outside of it.
[[nodiscard]] float border_px(const WellTile& tile, double x_px, double y_px);

/// Whether detections of the tile can be compared with others: it has a place in the well, or in an
/// island.
[[nodiscard]] bool is_comparable(const PlacedTile& tile);

/// What a side shows an object as. Bits of Objects::flags.
enum ObjectFlag : std::uint8_t {
  split_flag = 1,   ///< another detection of the same tile lies nearer than nuclei do
  merged_flag = 2,  ///< the other side shows two nuclei, one to either side of this one
};

/// The objects of one side, numbered by their first detection.
struct Objects {
  std::vector<std::uint32_t> of;              ///< per detection: its object
  std::vector<float> x_um, y_um;              ///< per object: mean of its detections; NaN: unplaced
  std::vector<std::uint32_t> representative;  ///< per object: detection farthest from a border
  std::vector<std::uint32_t> detections;      ///< per object: how many
  std::vector<std::uint8_t> flags;            ///< per object: ObjectFlag
  double spacing_um = 0.0;  ///< median distance to the nearest other nucleus of a tile
  double gate_um = 0.0;     ///< detections farther apart are never one object
  /// Standard deviation of a coordinate of a detection, from nuclei that two tiles show; includes
  /// what the tiles are misplaced against each other. NaN with fewer than ten such nuclei.
  double noise_um = 0.0;

  [[nodiscard]] std::size_t size() const { return representative.size(); }
};

/// Joins detections of different tiles, nearest first, as long as an object keeps at most one
/// detection per tile and no two of its detections lie farther apart than the gate: a chain of
/// neighbours does not become one object. Only a nucleus that one tile shows whole and another in
/// two pieces, the whole in their middle, is one object with both. Detections of tiles that are not
/// placed remain alone.
/// Positions in placed tiles are finite. noise_um: first guess of the standard deviation of a
/// coordinate, > 0.
[[nodiscard]] Objects find_objects(const Detections& detections, std::span<const PlacedTile> placed,
                                   double noise_um);

}  // namespace nucreg::mosaic
