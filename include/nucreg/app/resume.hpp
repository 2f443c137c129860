// What must be equal for the rows of two runs to belong together, and how a run continues what
// earlier ones have left.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/fit/generate.hpp"
#include "nucreg/plan/plan.hpp"
#include "nucreg/run/run_files.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {

/// Files that a job's process solvers are started from: the words of their commands that are names
/// of files here.
[[nodiscard]] std::vector<std::string> programs_of(const Job& job);
/// This build, with what these programs hold: rows of another program are those of another build.
/// Throws InputError.
[[nodiscard]] std::string build_of(const Job& job);

/// One fact a line: the build, the part of the job if it is not the whole, what was read of each
/// input file, the resolved job. Another build is another identity: the compiler may round
/// otherwise, and rows must not depend on who made them.
[[nodiscard]] std::string run_identity(const std::string& build, const Part& part,
                                       const std::string& inputs, const std::string& job_toml);
/// The same of a result file, one of 0.1 included; InputError if its attributes lack it.
[[nodiscard]] std::string run_identity(const Attributes& attributes);
/// That of the whole job, whichever part of it the file holds.
[[nodiscard]] std::string whole_identity(const Attributes& attributes);
/// The part of the job that an identity names.
[[nodiscard]] Part part_of_identity(const std::string& identity);
/// The job as text within an identity.
[[nodiscard]] std::string job_of_identity(const std::string& identity);
/// A line per input file: its path, size and a checksum (SHA-256, its first 16 digits) of the
/// values read.
[[nodiscard]] std::string describe_inputs(const std::vector<InputFile>& inputs);

/// What `read` reads of an output that exists; OutputError if it throws InputError, as one that
/// cannot be read is not replaced either.
auto as_output(const RunFiles& files, auto&& read) {
  try {
    return read();
  } catch (const InputError& e) {
    const std::string& key = e.fields().key;
    throw OutputError(
        "already exists and cannot be resumed: " + (key.empty() ? "" : key + ": ") + e.problem(),
        {.file = files.output.string(), .allowed = another_output});
  }
}

/// What earlier runs have done of the trials of a run.
struct EarlierTrials {
  std::vector<bool> done;       ///< by task (Plan::tasks); empty: none is
  std::uint64_t count = 0;      ///< of these
  bool complete = false;        ///< the output is complete: nothing is to be done
  bool replace_output = false;  ///< the output is a partial one of this very job
  std::string merged_from;      ///< what that one says of itself
};

/// Whether the output is the complete one of the run of that identity. Throws JobError with the
/// difference if it is of another, OutputError if it cannot be read.
[[nodiscard]] bool output_is_complete(const RunFiles& files, const std::string& identity);
/// With --resume: the trials of the open journal and of a partial output, which are taken into the
/// journal with its warnings. Throws as output_is_complete, JobError also if trials in the journal
/// are of another identity.
[[nodiscard]] EarlierTrials earlier_trials(OpenJournal& journal, const RunFiles& files,
                                           const std::string& identity, const Plan& plan);

}  // namespace nucreg
