// The files of a run, all beside its output.
#pragma once

#include <filesystem>
#include <set>
#include <string>

namespace nucreg {

struct RunFiles {
  std::filesystem::path output, journal, logs, status;
  std::filesystem::path image_journal;  ///< before there is the other (ImageJournal)
  std::filesystem::path replaced;  ///< what was the output before --force, until a new one is there

  explicit RunFiles(const std::filesystem::path& out);
  [[nodiscard]] std::filesystem::path log(int rank) const;
};

/// What is allowed where an output cannot be taken.
constexpr const char* another_output = "another output with -o";

/// Throws OutputError where that cannot be found out.
[[nodiscard]] bool is_there(const std::filesystem::path& file);
/// With its parents; an empty path and an existing folder are fine. Throws OutputError.
void make_folder(const std::filesystem::path& folder);
/// Does nothing where there is no such file. Throws OutputError.
void remove_file(const std::filesystem::path& file);
/// Throws OutputError.
void move_file(const std::filesystem::path& from, const std::filesystem::path& to);
/// Removes what writers of files of these names in that folder have left that were killed
/// (temporary_beside). One pass, however many names there are.
void remove_temporaries(const std::filesystem::path& folder, const std::set<std::string>& targets);

/// Whether a process is writing the journal. File systems without locks: false.
[[nodiscard]] bool is_written_now(const std::filesystem::path& journal);
/// Throws OutputError then.
void refuse_while_written(const std::filesystem::path& journal);

/// Keeps what is written to a journal within reach when its name is taken away.
class JournalKeeper {
 public:
  explicit JournalKeeper(const std::filesystem::path& journal);
  ~JournalKeeper();
  JournalKeeper(const JournalKeeper&) = delete;
  JournalKeeper& operator=(const JournalKeeper&) = delete;

  /// Where the journal was removed, alone or with its folder: writes it again, folder and all.
  /// Returns whether it was. Throws OutputError.
  bool put_back() const;

 private:
  std::filesystem::path journal_;
  int descriptor_ = -1;
};

}  // namespace nucreg
