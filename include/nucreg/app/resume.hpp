// What earlier runs of a job have left, and how a run goes on from there.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nucreg/app/run_files.hpp"
#include "nucreg/plan/plan.hpp"
#include "nucreg/run/journal.hpp"

namespace nucreg {

/// The journal of a run, open for more, and what is in it.
struct OpenJournal {
  std::unique_ptr<JournalWriter> writer;  ///< null: the output is complete, nothing is to be done
  std::unique_ptr<JournalKeeper> keeper;
  std::vector<bool> done;         ///< by task (Plan::tasks); empty: none is
  std::uint64_t trials_done = 0;  ///< of these
  bool replace_output = false;    ///< the output is a partial one of this very job
  std::string merged_from;        ///< what that one says of itself
  std::string warnings;           ///< and warns of, a line each
  bool fresh = true;              ///< begun by this run: may be removed if it fails to start
};

/// Throws what begin_journal would, and OutputError where another run looks into images; changes
/// nothing: for runs that have much to do before.
void check_begin(const RunFiles& files, bool force);

/// Without --resume: an output or a journal that is there already is refused; with
/// `force` the journal is removed and the output set aside (RunFiles::replaced). Throws
/// OutputError.
[[nodiscard]] OpenJournal begin_journal(const RunFiles& files, const std::string& identity,
                                        bool force);

/// Waits a little for the end of another run, its look into images included; throws OutputError
/// where it stays under way, changes nothing.
void check_resume(const RunFiles& files);

/// With --resume: goes on from a journal and from a partial output, from both where both are there,
/// else begins. A journal whose header is damaged is set aside. JobError with the difference where
/// they are of another identity, OutputError where they cannot be used.
[[nodiscard]] OpenJournal resume_journal(const RunFiles& files, const std::string& identity,
                                         const Plan& plan);

}  // namespace nucreg
