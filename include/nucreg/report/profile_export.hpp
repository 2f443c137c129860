// Profiles of a result file as JSON.
#pragma once

#include <filesystem>
#include <vector>

#include "nucreg/store/result_file.hpp"

namespace nucreg {

/// Writes profiles.json: for each target (gap to the best known objective) and solver the runtime
/// distribution, performance profile and data profile (report/profiles.hpp) in function evaluations
/// and, over trials whose timings are all valid, in seconds, with average runtimes. A solve reaches
/// a target where its answer does: where the file has /trace at the cost at which its objective
/// first did, else at the cost of the whole solve; `costs` says which. Of more than 100,000 solves
/// every k-th trial is used; `trials` and `trials_used` tell. Infinite numbers are null. Returns
/// its path. Throws OutputError, InputError.
std::vector<std::filesystem::path> export_profiles(const ResultReader& reader,
                                                   const std::filesystem::path& directory,
                                                   bool overwrite);

}  // namespace nucreg
