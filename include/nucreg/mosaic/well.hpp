// A well in tiles: what is given, and what is found out about it. Values only.
//
// Frames. px: of a tile, x right, y down, pixel centres at integers, origin at the centre of the
// first pixel. stage: um, as recorded, of either visit. visit: um, of one side; rigid, without the
// deformation between the visits. well: um; that of the 10x visit, to which the 40x visit is
// carried by turn, shift, magnification and deformation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "nucreg/core/affine.hpp"
#include "nucreg/fit/points.hpp"

namespace nucreg::mosaic {

enum class Side : std::uint8_t { ten, forty };

/// A tile as it was given. Which nuclei it shows lies elsewhere, so that a list of tiles is small.
struct WellTile {
  Side side = Side::ten;
  std::string name;  ///< for messages; file or tile number
  double width_px = 0.0, height_px = 0.0;
  std::optional<double> pixel_um;  ///< nominal size of a pixel, > 0; one for all of a side
  double scale = 1.0;              ///< of a pixel of its file (binned, say) to one of its side
  std::optional<Point> stage_um;   ///< recorded position of its centre
};

/// What a tile shows: columns of equal length. Labels are those of its table or label image.
struct TileNuclei {
  Points px;
  std::vector<std::uint32_t> label;
  std::vector<float> area_px;  ///< empty if unknown

  [[nodiscard]] std::size_t size() const { return px.size(); }
};

/// Why a nucleus has no partner at the other side. The numbers are those of the result file.
enum class Unpaired : std::uint8_t {
  paired,        ///< it has one
  outside,       ///< in no field of the other side, or in a tile that is not placed
  no_candidate,  ///< nothing within reach
  beaten,        ///< what lies within reach belongs to others
  ambiguous,     ///< a partner was found, but is less probable than asked for
  merged         ///< one side shows as one nucleus what the other shows as two
};

enum class TileStatus : std::uint8_t {
  ok,
  empty,           ///< no nucleus
  few,             ///< too few nuclei to be placed by them
  blurred,         ///< nuclei found unlike in its neighbours
  position_wrong,  ///< the stage position contradicts what the nuclei show
  duplicate,       ///< shows what another tile at the same place shows
  not_placed,      ///< no link ties it to the well
  unreadable       ///< its file could not be read; decided by whoever reads
};

/// What two tiles have in common.
struct Link {
  std::uint32_t tile_a = 0, tile_b = 0;  ///< indices into the tiles, tile_a < tile_b
  std::uint32_t pairs = 0;               ///< nuclei that both show
  double log10_significance = 0.0;       ///< probability that chance gives as much; <= 0
  double residual_um = 0.0;              ///< root mean square of the pairs under the global fit
  double closure_um = 0.0;               ///< shift of the link against the global fit
  bool used = false;                     ///< not rejected by the robust fit
};

/// Camera and lens of one side, shared by all of its tiles:
/// visit_um = centre_um + camera (v (1 + k1 |v|^2 / h^2)), v = px - (size - 1) / 2, h = half width.
struct Camera {
  std::array<double, 4> um_per_px{};  ///< rows; a negative determinant mirrors
  double k1 = 0.0;
  double noise_um = 0.0;  ///< standard deviation of a coordinate of a detection
  friend bool operator==(const Camera&, const Camera&) = default;
};

/// Where a tile is.
struct PlacedTile {
  Point centre_um{std::numeric_limits<double>::quiet_NaN(),
                  std::numeric_limits<double>::quiet_NaN()};  ///< visit; NaN: not placed
  double centre_sd_um = std::numeric_limits<double>::quiet_NaN();
  /// px to well without lens distortion; the deformation is that of the tile's centre, to first
  /// order. Of an island to its frame beside the well. Zeros: the tile cannot be compared.
  AffineMap to_well{};
  std::uint32_t links = 0;  ///< used ones
  std::int32_t island = 0;  ///< 0: the well; others are not tied to it
  TileStatus status = TileStatus::ok;
  std::string message;  ///< a sentence, if the status is not ok
};

}  // namespace nucreg::mosaic
