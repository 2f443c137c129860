// The file of a mapped well (HDF5, format "nucreg-map"): its content as a value, written and read.
// Frames and units: nucreg/mosaic/well.hpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "nucreg/core/affine.hpp"
#include "nucreg/core/table.hpp"
#include "nucreg/core/terms.hpp"
#include "nucreg/fit/points.hpp"
#include "nucreg/mosaic/well.hpp"
#include "nucreg/solve/record.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {

inline constexpr std::string_view result_format = "nucreg";   ///< of nucreg run
inline constexpr std::string_view map_format = "nucreg-map";  ///< of nucreg map
inline constexpr std::int64_t map_format_version = 1;

using mosaic::Unpaired;
template <>
struct Spelling<Unpaired> {
  static constexpr std::array<std::string_view, 6> names{"paired", "outside",   "no_candidate",
                                                         "beaten", "ambiguous", "merged"};
};

/// What segmentation did to a nucleus, as far as overlapping tiles show it.
enum class NucleusFlag : std::uint8_t { none, split, merged };
template <>
struct Spelling<NucleusFlag> {
  static constexpr std::array<std::string_view, 3> names{"none", "split", "merged"};
};

template <>
struct Spelling<mosaic::TileStatus> {
  static constexpr std::array<std::string_view, 8> names{
      "ok", "empty", "few", "blurred", "position_wrong", "duplicate", "not_placed", "unreadable"};
};

/// Whether a coordinate may be of a nucleus of a tile of that size, both px: a centroid that was
/// measured otherwise may lie a little outside.
[[nodiscard]] inline bool near_tile(double px, double size_px) {
  const double beyond_px = 0.02 * size_px + 2.0;
  return px >= -beyond_px && px <= size_px + beyond_px;
}

/// A row of /tiles. Tiles of both sides are in one list; `given.name` is the column `tile`.
struct MapTile {
  mosaic::WellTile given;
  /// centre_um: here in the well's frame, but without the deformation between the visits, so that
  /// the tiles of a side keep the shape that they had under the microscope.
  mosaic::PlacedTile placed;
  std::string well;          ///< empty if the sheets name none
  std::string file;          ///< of its nuclei or its image
  std::uint32_t nuclei = 0;  ///< detections
  /// Part of its detections in the field of both sides whose object has a partner; NaN: none is.
  double match_rate = std::numeric_limits<double>::quiet_NaN();
};

/// /nuclei_10x or /nuclei_40x: columns with one value per detection, of equal length. Move them in.
struct MapNuclei {
  std::vector<std::uint32_t> tile;   ///< row of /tiles; ascending
  std::vector<std::uint32_t> label;  ///< in its table or label image
  Points px, um;                     ///< in its tile; in the well (NaN: the tile is not placed)
  /// Detections of one nucleus in overlapping tiles share a number: 0 ... objects - 1, per side.
  std::vector<std::uint32_t> object;
  std::vector<std::uint8_t> representative;  ///< 1: the detection that stands for its object
  std::vector<Unpaired> unpaired;            ///< of its object
  std::vector<NucleusFlag> flag;             ///< empty: the file has no such column

  [[nodiscard]] std::size_t size() const { return tile.size(); }
};

/// A row of /pairs: an object at 10x and the object at 40x that is the same nucleus. NaN: unknown.
struct MapPair {
  static constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  std::uint32_t ten = 0, forty = 0;  ///< rows of the nuclei tables, representatives
  double distance_um = nan;          ///< under the global fit
  double heldout_distance_um = nan;  ///< under a fit that did not use this pair
  double probability = nan;          ///< of being right, 0 to 1
  double q_value = nan;              ///< expected part of wrong pairs among all with at most this
  /// Log likelihood ratio to the best assignment without this pair; infinite: there is no other.
  double margin = nan;
};

/// One side of a row of /model; its columns end with _10x or _40x.
struct MapSide {
  mosaic::Camera camera;
  double pixel_um = std::numeric_limits<double>::quiet_NaN();  ///< as found: sqrt |determinant|
  double turn_deg = std::numeric_limits<double>::quiet_NaN();  ///< of the camera in its visit
};

/// A row of /model: one per well, in the order in which /tiles has them. NaN: unknown.
struct MapModel {
  static constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  std::string well;     ///< as MapTile::well
  bool matched = true;  ///< false: the two sides show no common nuclei
  std::string message;  ///< a sentence, if not matched
  MapSide ten, forty;
  AffineMap forty_to_well{nan, nan, nan, nan, nan, nan};  ///< visit of 40x to well, um to um
  double turn_deg = nan;                                  ///< of forty_to_well
  double shift_x_um = nan, shift_y_um = nan;              ///< of forty_to_well
  double magnification = nan;                             ///< pixel size at 10x by that at 40x
  std::string deformation = "none";  ///< none, affine (within forty_to_well) or spline
  std::string solver, loss;          ///< of the global fit, as jobs spell them
  std::int64_t evaluations = 0;
  double wall_seconds = nan;    ///< of the global fit
  double objective = nan;       ///< of the global fit: robust sum of squares, in units of noise
  double heldout_rms_um = nan;  ///< root mean square of heldout_distance_um over likely pairs
};

/// A row of /deformation: by how much it moves a point of a well, after forty_to_well. Points lie
/// on a grid that is fine enough to be read between linearly.
struct MapKnot {
  std::uint32_t model = 0;  ///< row of /model
  double x_um = 0.0, y_um = 0.0;
  double dx_um = 0.0, dy_um = 0.0;
};

/// A row of /decoys: what a q-value promises, and what nuclei do that have no true partner.
struct MapDecoy {
  std::uint32_t model = 0;   ///< row of /model
  double q_value = 0.0;      ///< a threshold
  std::uint64_t pairs = 0;   ///< pairs with at most this q-value
  double decoy_pairs = 0.0;  ///< the same of decoys, mean over all of them
  std::uint32_t decoys = 0;  ///< assignments with decoys behind that mean
};

/// All that the file holds.
struct WellMap {
  /// Of `/`: as a run's, with map_toml; format and format_version are written without being asked.
  Attributes attributes;
  std::vector<MapTile> tiles;
  std::vector<mosaic::Link> links;
  MapNuclei ten, forty;
  std::vector<MapPair> pairs;
  std::vector<MapModel> models;
  std::vector<MapKnot> knots;    ///< none: no /deformation
  std::vector<MapDecoy> decoys;  ///< none: no /decoys
  /// /solvers and /trials of a run's file, `configuration` being a row of /model and parameters
  /// left out; none: not written.
  Table solvers;
  std::vector<Record> trials;
  std::vector<Table> others;  ///< ranks, rank_samples and whatever else, written as they are
};

/// Of the detections of one tile (row of /tiles) the columns that a map leaves empty; others are
/// not looked at.
using ColumnsOfTile = std::function<MapNuclei(std::uint32_t tile)>;

/// Writes the file and publishes it whole (publish_file). Columns have `units` and `description`;
/// beyond `map` it needs no more memory than a few chunks. `more` is asked tile by tile, for 10x
/// and then for 40x, if columns of detections are empty: those of a large well need not be in
/// memory. Throws OutputError (path, call, reason), also if `overwrite` is false and the file
/// exists; Error(bug) if columns differ in length; what `more` throws.
void write_map(const std::filesystem::path& file, const WellMap& map, bool overwrite,
               const ColumnsOfTile& more = {});

/// Reads all of it, unchecked but for lengths, types and enumerations: references between tables
/// may be out of range (report's verify_map finds them). Throws InputError (path, column, what is
/// missing, damaged or not a map).
[[nodiscard]] WellMap read_map(const std::filesystem::path& file);

/// The attribute `format` of an HDF5 file: result_format, map_format or another's; empty if it has
/// none. Throws InputError if it is no HDF5 file.
[[nodiscard]] std::string format_of(const std::filesystem::path& file);

}  // namespace nucreg
