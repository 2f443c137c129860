// From the journal of a run to its result file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "nucreg/core/build_info.hpp"
#include "nucreg/core/table.hpp"
#include "nucreg/job/job.hpp"
#include "nucreg/plan/plan.hpp"
#include "nucreg/run/dispatch.hpp"
#include "nucreg/run/journal.hpp"
#include "nucreg/solve/registry.hpp"
#include "nucreg/stats/digest.hpp"

namespace nucreg {

/// What the run knows beyond its records.
struct RunReport {
  std::string created_utc;
  std::string build = build_identity();  ///< build_of
  std::string mpi_library;
  int mpi_ranks = 1;
  std::string inputs;                 ///< describe_inputs
  Part part;                          ///< of the job
  std::uint64_t trials_resumed = 0;   ///< that earlier runs had done
  std::string merged_from;            ///< of the partial output that this run continues
  std::vector<std::string> warnings;  ///< of the machine and of ranks that were lost
  DispatchReport dispatch;
  std::vector<Table> images;  ///< what was found in images, if the job is of these
};

struct WrittenResult {
  std::uint64_t trials_done = 0;
  RowFindings findings;
};

/// Writes the result file of a run: rows in the order configuration, trial, solver, each trial
/// once, whatever the order in the journal and however often it is there. If the journal lacks
/// trials of the part the file is partial and lacks them too. Memory: eight bytes per trial and the
/// rows of one configuration. Takes as many threads as it is given. Throws OutputError.
WrittenResult write_result(const std::filesystem::path& file, bool overwrite,
                           const JournalReader& journal, const SolverRegistry& registry,
                           const Job& job, const Plan& plan, const RunReport& report,
                           std::size_t threads);

}  // namespace nucreg
