// From where the tiles of a well are to the rows of the file of a mapped well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "nucreg/core/table.hpp"
#include "nucreg/mosaic/global_fit.hpp"
#include "nucreg/mosaic/placement.hpp"
#include "nucreg/solve/record.hpp"
#include "nucreg/store/map_file.hpp"
#include "nucreg/tiles/tile_nuclei.hpp"
#include "nucreg/tiles/well_inputs.hpp"

namespace nucreg {

/// A well whose tiles have been read and placed.
struct PlacedWell {
  WellInputs inputs;
  std::vector<TileFacts> facts;         ///< of its tiles
  std::vector<mosaic::WellTile> tiles;  ///< the same
  mosaic::Placement placement;
  std::size_t first_tile = 0;  ///< number of its first tile in the store
};

/// What the mosaic needs to know of each tile: sizes from the image, the sheet, or as far as nuclei
/// of the side reach; positions if `use_stage`, from rows and columns if that is all there is.
/// `notes` gets a sentence for what was assumed.
[[nodiscard]] std::vector<mosaic::WellTile> well_tiles(const WellInputs& inputs,
                                                       std::span<const TileFacts> facts,
                                                       bool use_stage,
                                                       std::vector<std::string>& notes);

/// Joins detections to nuclei, pairs these, and appends the well to `map`, but for the columns that
/// columns_of_tile() has. Nuclei are taken from the store, tile by tile. `notes` gets what users
/// should know, a sentence each.
void append_well(WellMap& map, const PlacedWell& well, const TileStore& store,
                 std::vector<std::string>& notes);

/// Labels and places of the detections of a tile of the well, again from the store.
[[nodiscard]] MapNuclei columns_of_tile(const PlacedWell& well, std::uint32_t tile,
                                        const TileStore& store);

/// /solvers of a map: the solver that is made for the fit, LM, L-BFGS; in the order of the rows.
[[nodiscard]] Table compared_solvers();

/// Runs each of them on the fit and times it. All begin where every tile and node of the
/// deformation is off by a random shift of 5 um deviation, drawn from `seed`, which is about what
/// stage positions are worth. Of each row: `configuration` is `model`, the objective in squared
/// deviations of the noise, and rmsd_px NaN.
[[nodiscard]] std::vector<Record> compare_solvers(const mosaic::GlobalFit& fit, std::uint32_t model,
                                                  std::uint64_t seed);

}  // namespace nucreg
