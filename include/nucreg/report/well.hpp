// A mapped well: what `inspect` and the end of `map` show of it, whether its file is sound, and
// exports.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "nucreg/report/export.hpp"
#include "nucreg/store/map_file.hpp"

namespace nucreg {

/// Counts of one side of a well. A nucleus is an object; in both fields: at a place that a tile of
/// the other side shows.
struct WellSide {
  std::uint64_t tiles = 0, placed = 0;
  std::uint64_t detections = 0, nuclei = 0;
  std::uint64_t in_both = 0, paired = 0;
  /// Nuclei in both fields, by Unpaired.
  std::array<std::uint64_t, Spelling<Unpaired>::names.size()> reasons{};
};

/// One well of the file; medians are NaN if there is nothing to take them of.
struct WellOverview {
  MapModel model;
  WellSide ten, forty;
  std::uint64_t pairs = 0, pairs_at_1_percent = 0;  ///< the latter: q_value <= 0.01
  std::uint64_t links = 0, links_used = 0;
  double expected_wrong = 0.0;  ///< part of the pairs: mean of 1 - probability
  double median_distance_um = std::numeric_limits<double>::quiet_NaN();
  double median_closure_um = std::numeric_limits<double>::quiet_NaN();  ///< of used links
  std::vector<std::size_t> look_at;  ///< rows of `tiles` below that need a look

  /// Paired nuclei by nuclei in both fields, both sides together; NaN if there are none.
  [[nodiscard]] double paired_rate() const;
};

/// A tile and why somebody should look at it.
struct TileRemark {
  std::uint32_t tile = 0;  ///< row of /tiles
  MapTile facts;
  std::string what;  ///< a status, or "low match rate"
  std::string message;
};

struct WellSummary {
  Attributes attributes;
  std::vector<WellOverview> wells;  ///< as /model
  std::vector<TileRemark> tiles;    ///< those that need a look, as /tiles
  Table solvers;
  std::vector<Record> trials;
};

/// A tile needs a look if its status is not ok, or if it is ok, holds at least 30 nuclei and its
/// match rate is below half of the median of its side. Throws InputError (key) if a reference in
/// the file is out of range.
[[nodiscard]] WellSummary summarize(const WellMap& map);

/// "93.1 % of nuclei in both fields paired, expected wrong 0.2 %, 3 tiles need a look"; or "no
/// match: " and why. Without a full stop.
[[nodiscard]] std::string sentence(const WellOverview& well);

/// The sentence of each well, warnings, the tiles that need a look, counts of both sides, links,
/// model facts and what solvers did. A sentence is one line; no other is wider than `width`. Ends
/// with a newline.
[[nodiscard]] std::string to_text(const WellSummary& summary, std::size_t width);

/// One object: `attributes`, `sentence`, `warnings`, `wells` (with `sides` and `model`),
/// `tiles_to_look_at`, `solvers`, `trials`. Numbers that are not finite are null. Two spaces, no
/// newline at the end.
[[nodiscard]] std::string to_json(const WellSummary& summary);

// Whether the file of a mapped well is sound.

struct MapVerification {
  std::vector<std::string> findings;  ///< damage, one line each; empty = sound
  std::vector<std::string> notes;     ///< what is no damage: a partial file, a well without match
  std::uint64_t tiles = 0, detections = 0, pairs = 0;
};

/// Checks that every reference is in range; that tiles, detections, objects, pairs, links and
/// models agree with each other and with the counts of the file; that nobody is paired twice and
/// only what a pair names is called paired; that probabilities are some, q-values rise as
/// probabilities fall, and numbers are finite if they must be.
[[nodiscard]] MapVerification verify_map(const WellMap& map);

// A mapped well as files that other programs open.

// Each writes into a folder, which is made if it is missing, and returns the paths. Throws
// OutputError, also if a file exists and `overwrite` is false; InputError (key) if a reference in
// the map is out of range.

/// pairs.csv, tiles.csv and unpaired.csv. The last has a row per nucleus of either side without a
/// partner: its representative and the reason.
std::vector<std::filesystem::path> export_well_csv(const WellMap& map,
                                                   const std::filesystem::path& folder,
                                                   bool overwrite);

/// merge.csv with the columns of brieflow's merge table (workflow/lib/merge/fast_merge.py): tile,
/// cell_0, i_0, j_0 are the 40x (phenotype) side, site, cell_1, i_1, j_1 the 10x (SBS) side; i is y
/// and j is x; distance in 10x px. plate is 1: a map does not know it.
std::vector<std::filesystem::path> export_brieflow(const WellMap& map,
                                                   const std::filesystem::path& folder,
                                                   bool overwrite);

/// pairs.h5ad: an observation per pair; obsm/spatial is the place of the 10x nucleus in the well,
/// um.
std::vector<std::filesystem::path> export_anndata(const WellMap& map,
                                                  const std::filesystem::path& folder,
                                                  bool overwrite);

/// nuclei_10x.csv and nuclei_40x.csv, which napari opens as points layers: axis-0 is y and axis-1
/// is x, um of the well; the other columns become properties. Nuclei without a place are left out.
std::vector<std::filesystem::path> export_napari(const WellMap& map,
                                                 const std::filesystem::path& folder,
                                                 bool overwrite);

inline constexpr std::array map_formats{
    ExportFormat<WellMap>{"csv", export_well_csv},
    ExportFormat<WellMap>{"brieflow", export_brieflow},
    ExportFormat<WellMap>{"h5ad", export_anndata},
    ExportFormat<WellMap>{"napari", export_napari},
};

}  // namespace nucreg
