// A mapped well as files that other programs open.
#pragma once

#include <filesystem>
#include <vector>

#include "nucreg/store/map_file.hpp"

namespace nucreg {

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

}  // namespace nucreg
