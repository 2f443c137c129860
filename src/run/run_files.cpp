#include "nucreg/run/run_files.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <thread>

#include "nucreg/core/error.hpp"
#include "nucreg/core/log.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/disk/publish.hpp"
#include "nucreg/run/launcher.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

void create(OpenJournal& open, const RunFiles& files, const std::string& identity,
            const std::string& resume) {
  make_folder(files.output.parent_path());
  open.writer = std::make_unique<JournalWriter>(files.journal, identity);
  open.writer->note(OpenJournal::resume_note, resume);
  open.writer->sync();
  open.keeper = std::make_unique<JournalKeeper>(files.journal);
}

// Continues the journal; false: nothing in it can be used, and it was set aside.
bool reopen(OpenJournal& open, const RunFiles& files, const std::string& identity) {
  try {
    refuse_other(files.journal, JournalReader(files.journal).identity(), identity);
    wait_until_free(files.journal);
    if (!file_exists(files.journal)) return false;  // that run has completed meanwhile
    open.writer = JournalWriter::append_to(files.journal, identity);
    // Read only now: another run may have written to it and cut it before.
    for (const JournalReader::Note& note : JournalReader(files.journal).notes())
      if (note.kind == OpenJournal::warning_note) open.warnings.push_back(note.text);
  } catch (const DamagedJournal& e) {
    refuse_while_written(files.journal);  // it may be at its very beginning
    const fs::path aside = fmt::format("{}.damaged-{}", files.journal.string(), getpid());
    log_warning("{}; it is now {}, its results are made again", e.what(), aside.string());
    move_file(files.journal, aside);
    return false;
  }
  if (const std::uint64_t damaged = open.writer->damaged_bytes(); damaged > 0)
    log_warning("{}: {} are damaged; the results in them are made again", files.journal.string(),
                bytes_text(static_cast<double>(damaged)));
  open.keeper = std::make_unique<JournalKeeper>(files.journal);
  open.fresh = false;
  return true;
}

// The [section] of each line, itself included.
std::vector<std::string> sections_of(const std::vector<std::string>& lines) {
  std::vector<std::string> sections;
  std::string section;
  for (const std::string& line : lines) {
    if (line.starts_with('[')) section = line;
    sections.push_back(section);
  }
  return sections;
}

}  // namespace

RunFiles::RunFiles(const fs::path& out)
    : output(out),
      journal(out.string() + ".journal"),
      logs(out.string() + ".logs"),
      status(out.string() + ".status"),
      replaced(out.string() + ".replaced") {}

fs::path RunFiles::log(int rank) const {
  return logs / fmt::format("rank-{:04}.log", rank);
}

void refuse_while_written(const fs::path& journal) {
  if (is_locked(journal))
    throw OutputError("is the journal of a run that is under way",
                      {.file = journal.string(), .allowed = another_output});
}

void wait_until_free(const fs::path& journal) {
  using clock = std::chrono::steady_clock;
  const auto patience_ends = clock::now() + std::chrono::seconds(10);
  while (is_locked(journal) && clock::now() < patience_ends)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  refuse_while_written(journal);
}

JournalKeeper::JournalKeeper(const fs::path& journal) : journal_(journal) {
  try {
    descriptor_ = open_to_read(journal, Owner::ours);
  } catch (const InputError& error) {
    throw OutputError("cannot open the journal: " + error.problem(), {.file = journal.string()});
  }
}

bool JournalKeeper::put_back() const {
  std::error_code error;
  if (fs::exists(journal_, error) || error) return false;
  make_folder(journal_.parent_path());
  if (!fs::copy_file(fmt::format("/proc/self/fd/{}", descriptor_.get()), journal_, error))
    throw OutputError("the journal was removed and cannot be put back: " + error.message(),
                      {.file = journal_.string()});
  return true;
}

void OpenJournal::warn(const std::string& warning) {
  if (std::ranges::find(warnings, warning) != warnings.end()) return;
  warnings.push_back(warning);
  writer->note(warning_note, without_breaks(warning));
  writer->sync();
}

void check_begin(const RunFiles& files, bool force) {
  if (file_exists(files.journal)) {
    refuse_while_written(files.journal);
    if (!force)
      throw OutputError("is the journal of a run that did not end",
                        {.file = files.journal.string(),
                         .allowed = fmt::format("to continue it: {}\nor --force to begin again, or "
                                                "{}",
                                                resume_command(), another_output)});
  }
  check_output(files.output, force, fmt::format("--force to overwrite it, or {}", another_output));
}

OpenJournal begin_journal(const RunFiles& files, const std::string& identity, bool force,
                          const std::string& resume) {
  check_begin(files, force);
  remove_file(files.journal);
  OpenJournal open;
  create(open, files, identity, resume);
  // Out of the way: from now on the journal is what counts, to --resume as well.
  if (file_exists(files.output)) move_file(files.output, files.replaced);
  return open;
}

OpenJournal resume_journal(const RunFiles& files, const std::string& identity,
                           const std::string& resume) {
  OpenJournal open;
  if (!file_exists(files.journal) || !reopen(open, files, identity))
    create(open, files, identity, resume);
  remove_temporaries(files.output.parent_path(),
                     {files.output.filename().string(), files.status.filename().string()});
  return open;
}

void forget_journal(OpenJournal& journal, const RunFiles& files) noexcept {
  if (!journal.fresh) return;
  remove_quietly(files.journal);
  std::error_code ignored;
  if (!fs::exists(files.output, ignored)) fs::rename(files.replaced, files.output, ignored);
}

void tidy_up(const RunFiles& files) {
  for (const fs::path& left : {files.replaced, files.journal, files.status}) remove_file(left);
}

void refuse_other(const fs::path& file, const std::string& theirs, const std::string& ours) {
  if (theirs != ours)
    throw JobError(
        fmt::format("belongs to another job, input or build (- there, + now)\n{}--resume continues "
                    "only what it began with",
                    difference(theirs, ours)),
        {.file = file.string(), .allowed = "another output with -o, or --force to begin again"});
}

std::string difference(const std::string& theirs, const std::string& ours) {
  const auto a = split_lines(theirs), b = split_lines(ours);
  // length[i][j]: of the longest common subsequence of a from i and b from j.
  std::vector<std::vector<std::uint32_t>> length(a.size() + 1,
                                                 std::vector<std::uint32_t>(b.size() + 1));
  for (std::size_t i = a.size(); i-- > 0;)
    for (std::size_t j = b.size(); j-- > 0;)
      length[i][j] =
          a[i] == b[j] ? length[i + 1][j + 1] + 1 : std::max(length[i + 1][j], length[i][j + 1]);

  std::string text, shown_section;
  const auto show = [&](char sign, const std::string& line, const std::string& section) {
    if (section != shown_section && section != line) text += "  " + section + "\n";
    shown_section = section;
    text += fmt::format("{} {}\n", sign, line);
  };
  const auto sections_a = sections_of(a), sections_b = sections_of(b);
  for (std::size_t i = 0, j = 0; i < a.size() || j < b.size();) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      ++i, ++j;
    } else if (j == b.size() || (i < a.size() && length[i + 1][j] >= length[i][j + 1])) {
      show('-', a[i], sections_a[i]);
      ++i;
    } else {
      show('+', b[j], sections_b[j]);
      ++j;
    }
  }
  return text;
}

}  // namespace nucreg
