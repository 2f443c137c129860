// A map from its inputs to the content of its file, on the root.
#pragma once

#include <functional>
#include <string>

#include "nucreg/job/map.hpp"
#include "nucreg/run/stage.hpp"
#include "nucreg/store/map_file.hpp"
#include "nucreg/tiles/well_inputs.hpp"
#include "nucreg/tiles/well_stages.hpp"

namespace nucreg {

/// What a map reports while it is made.
struct MapEvents {
  std::function<void(const std::string& doing)> phase;    ///< what the root does alone
  std::function<void(const std::string& sentence)> warn;  ///< what users should know
};

/// What write_map() is given.
struct MappedWells {
  WellMap map;
  ColumnsOfTile more;  ///< as long as the folder of tiles is there
};

/// Reads, places and pairs the wells one after the other; the tasks run as stages. The attribute
/// `inputs` has a line for each tile, others are left to the caller; `others` has the ranks. Throws
/// InputError naming every tile at fault, and if a side has no nuclei; Error with status `stopped`
/// if the user stopped it.
[[nodiscard]] MappedWells map_wells(Stages& stages, const MapJob& map, ListedWells wells,
                                    const MapFolders& folders, const MapEvents& events);

}  // namespace nucreg
