// From images to matched pairs on all ranks: nuclei of each tile, then matches of tiles.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "nucreg/app/run_status.hpp"
#include "nucreg/app/tiles.hpp"
#include "nucreg/core/table.hpp"
#include "nucreg/fit/generate.hpp"
#include "nucreg/job/job.hpp"
#include "nucreg/run/communicator.hpp"

namespace nucreg {

struct FoundImages {
  std::vector<std::string> pairs;  ///< of tiles that match, in the order of the tiles
  std::vector<InputFile> inputs;   ///< of these, their matched nuclei
  std::vector<Table> tables;       ///< images, nuclei, matches, pairs of the result file
};

/// The run that images are looked into for: where it tells of itself.
struct ImageRun {
  StatusFile& status;
  std::function<void(const std::string&)> warn;  ///< of ranks that were lost
  bool terminal = false;                         ///< progress is a bar there
  double line_seconds = 0.0;                     ///< else a line that often
};

/// Root. Two dispatches or three: a tile a task, then a pair of tiles a task, then, for 40x tiles
/// without a match, those pairs that stage positions exclude. Results are kept in `cache` and taken
/// from there. Throws InputError naming every image that cannot be read or has fewer than two
/// nuclei, where no pair of tiles matches, and where one that the job names does not; Error with
/// status `stopped` on a signal (stop_signal); OutputError.
[[nodiscard]] FoundImages find_images(Communicator& communicator, const Job& job,
                                      const Tiles& tiles, const std::filesystem::path& cache,
                                      const ImageRun& run);

/// Whether what an other rank received is a part of find_images ...
[[nodiscard]] bool is_image_stage(const Bytes& setup);
/// ... and that rank's share of it. Throws RootLost, and Error where the root is of another build.
void serve_image_stage(Communicator& communicator, const Bytes& setup);

}  // namespace nucreg
