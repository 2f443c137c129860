// The files of a run, next to its output, and what an earlier run has left in them.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nucreg/disk/files.hpp"
#include "nucreg/run/journal.hpp"

namespace nucreg {

struct RunFiles {
  std::filesystem::path output, journal, logs, status;
  std::filesystem::path replaced;  ///< what was the output before --force, until there is a new one

  explicit RunFiles(const std::filesystem::path& out);
  [[nodiscard]] std::filesystem::path log(int rank) const;
};

/// What is allowed if an output cannot be taken.
constexpr const char* another_output = "another output with -o";

/// Throws OutputError if a process is writing the journal.
void refuse_while_written(const std::filesystem::path& journal);
/// Waits a little for the end of another run first: the ranks of a run whose launcher was killed
/// take a moment to end.
void wait_until_free(const std::filesystem::path& journal);

/// Keeps what is written to a journal within reach when its name is taken away.
class JournalKeeper {
 public:
  explicit JournalKeeper(const std::filesystem::path& journal);

  /// If the journal was removed, alone or with its folder: writes it again, folder and all. Returns
  /// whether it was. Throws OutputError.
  bool put_back() const;

 private:
  std::filesystem::path journal_;
  Descriptor descriptor_;
};

/// The journal of a run, open for more. The run can be continued with it alone.
struct OpenJournal {
  std::unique_ptr<JournalWriter> writer;
  std::unique_ptr<JournalKeeper> keeper;
  std::vector<std::string> warnings;  ///< of earlier runs, in the order in which they came
  bool fresh = true;                  ///< begun by this run: may be removed if it fails to start

  /// Kinds of notes in the journal: warnings, and the command that continues the run.
  static constexpr const char *warning_note = "warning", *resume_note = "resume";

  /// Keeps a warning with the results, durable at once. Throws OutputError.
  void warn(const std::string& warning);
};

/// Throws what begin_journal would; changes nothing: for runs that have much to do before.
void check_begin(const RunFiles& files, bool force);
/// Without --resume: an output or a journal that exists is refused; with `force` the journal is
/// removed and the output set aside (RunFiles::replaced). `resume_command` is kept in the journal.
/// Throws OutputError.
[[nodiscard]] OpenJournal begin_journal(const RunFiles& files, const std::string& identity,
                                        bool force, const std::string& resume_command);
/// With --resume: continues the journal if there is one, else begins. One whose header is damaged
/// is set aside. JobError with the difference if it is of another run, InputError if it is of
/// another version, OutputError if it cannot be used.
[[nodiscard]] OpenJournal resume_journal(const RunFiles& files, const std::string& identity,
                                         const std::string& resume_command);
/// Removes a journal of this run that failed to start, and puts the output back that it set aside.
/// Must not throw.
void forget_journal(OpenJournal& journal, const RunFiles& files) noexcept;
/// Removes what a run leaves beside its complete output if it is killed in its last moments.
void tidy_up(const RunFiles& files);

/// Refuses what belongs to another run: JobError with the difference.
void refuse_other(const std::filesystem::path& file, const std::string& theirs,
                  const std::string& ours);
/// The lines that differ, each below the [section] it stands in: "- " of `theirs`, "+ " of `ours`.
/// Empty if nothing differs.
[[nodiscard]] std::string difference(const std::string& theirs, const std::string& ours);

}  // namespace nucreg
