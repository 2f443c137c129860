// The result file of a run: from its journal to the file, and what commands that read it, or a map,
// have in common.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "nucreg/core/build_info.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/table.hpp"
#include "nucreg/job/job.hpp"
#include "nucreg/plan/plan.hpp"
#include "nucreg/run/dispatch.hpp"
#include "nucreg/run/journal.hpp"
#include "nucreg/solve/registry.hpp"
#include "nucreg/stats/digest.hpp"
#include "nucreg/store/result_file.hpp"

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

/// Throws InputError with the first thing that verify finds wrong in its tables.
void demand_sound(const std::filesystem::path& file, const ResultReader& reader);

/// The job that was run. One that cannot be read is damage: throws InputError.
[[nodiscard]] Job job_of(const std::filesystem::path& file, const ResultReader& reader);

/// Warns if a byte of a result or a map is not as nucreg wrote it. Reads the whole file.
void warn_if_altered(const std::filesystem::path& file);

/// Prints what a check found, which is damage, its notes, and whether the file is sound; `counts`
/// is what it holds then. A checksum that does not hold is damage too.
ExitStatus print_soundness(const std::filesystem::path& file, std::vector<std::string> findings,
                           const std::vector<std::string>& notes, const std::string& counts);

/// What `nucreg export` prints: the files that it wrote, a line each.
ExitStatus print_exported(const std::filesystem::path& file,
                          const std::vector<std::filesystem::path>& written);

}  // namespace nucreg
