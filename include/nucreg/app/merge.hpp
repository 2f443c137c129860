// Result files of parts of one job, put together.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "nucreg/stats/digest.hpp"

namespace nucreg {

struct MergeReport {
  std::uint64_t trials_done = 0;
  std::uint64_t trials_planned = 0;  ///< of the whole job
  std::uint64_t trials_twice = 0;    ///< that more than one file had; the first one's rows count
  std::string missing;               ///< trials_text of what no file has; empty where complete
  RowFindings findings;
};

/// Writes what a run of the whole job would have written of the trials in `files`: parts, partial
/// and merged files, disjoint or overlapping. Ranks are numbered through, in the order of the
/// files, and `solves` leaves out what another file has. Streams: memory is some megabytes per file
/// and a bit per trial. Throws JobError with the difference where files are not of one job, input
/// and build, InputError where one cannot be read, is not sound or has other results than another
/// for the same trial, OutputError.
MergeReport merge_results(const std::vector<std::filesystem::path>& files,
                          const std::filesystem::path& output, bool overwrite);

}  // namespace nucreg
