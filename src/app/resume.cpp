#include "nucreg/app/resume.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "nucreg/app/identity.hpp"
#include "nucreg/app/launch_line.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/log.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/solve/record_bytes.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

void refuse_what_is_no_file(const fs::path& output) {
  if (is_there(output) && !fs::is_regular_file(output))
    throw OutputError("is there and is no file",
                      {.file = output.string(), .allowed = another_output});
}

void refuse_other(const fs::path& file, const std::string& theirs, const std::string& ours) {
  if (theirs != ours)
    throw JobError(
        fmt::format("belongs to another job, input or build (- there, + now)\n{}--resume goes on "
                    "only with what it began with",
                    difference(theirs, ours)),
        {.file = file.string(), .allowed = "another output with -o, or --force to begin again"});
}

// The ranks of a run whose launcher was killed take a moment to end.
void wait_for_the_end_of_another_run(const fs::path& journal) {
  using clock = std::chrono::steady_clock;
  const auto patience_ends = clock::now() + std::chrono::seconds(10);
  while (is_written_now(journal) && clock::now() < patience_ends)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
}

std::string text_of(const Attributes& attributes, const char* name) {
  const auto at = attributes.find(name);
  return at == attributes.end() ? "" : std::get<std::string>(at->second);
}

void create(OpenJournal& open, const RunFiles& files, const std::string& identity) {
  make_folder(files.output.parent_path());
  open.writer = std::make_unique<JournalWriter>(files.journal, identity);
  open.keeper = std::make_unique<JournalKeeper>(files.journal);
}

// Goes on with the journal; false = it tells nothing and was set aside.
bool reopen(OpenJournal& open, const RunFiles& files, const std::string& identity) {
  std::uint64_t damaged_bytes = 0;
  try {
    const JournalReader reader(files.journal);
    refuse_other(files.journal, reader.identity(), identity);
    wait_for_the_end_of_another_run(files.journal);
    damaged_bytes = reader.scan([](std::uint64_t, int, std::uint64_t) {});
  } catch (const DamagedJournal& e) {
    const fs::path aside = fmt::format("{}.damaged-{}", files.journal.string(), getpid());
    log_warning("{}; it is now {}, its trials are run again", e.what(), aside.string());
    move_file(files.journal, aside);
    return false;
  }
  if (damaged_bytes > 0)
    log_warning("{}: {} are damaged; the trials in them are run again", files.journal.string(),
                bytes_text(static_cast<double>(damaged_bytes)));
  open.writer = JournalWriter::append_to(files.journal, identity);
  open.keeper = std::make_unique<JournalKeeper>(files.journal);
  open.fresh = false;
  static_cast<void>(JournalReader(files.journal).scan([&](std::uint64_t task, int, std::uint64_t) {
    if (task < open.done.size()) open.done[task] = true;
  }));
  return true;
}

// Takes the trials of a partial result file into the journal.
void take_over(OpenJournal& open, const ResultReader& partial, const Plan& plan) {
  constexpr std::uint64_t trials_at_once = 4096;
  std::vector<Record> rows;
  std::vector<std::byte> bytes;
  for (std::uint64_t first = 0; first < partial.trial_rows(); first += rows.size()) {
    rows.resize(std::min(trials_at_once * plan.solvers, partial.trial_rows() - first));
    partial.read_trials(first, rows);
    partial.read_traces(first, rows);
    for (std::span<const Record> left(rows); left.size() >= plan.solvers;
         left = left.subspan(plan.solvers)) {
      const std::uint64_t task = left[0].configuration * plan.trials + left[0].trial;
      if (task >= open.done.size() || open.done[task]) continue;
      bytes.clear();
      put_records(left.first(plan.solvers), bytes);
      open.writer->append(task, left[0].rank, bytes);
      open.done[task] = true;
    }
  }
  open.writer->sync();
}

std::unique_ptr<ResultReader> output_of(const RunFiles& files, const std::string& identity) {
  refuse_what_is_no_file(files.output);
  if (!is_there(files.output)) return nullptr;
  try {
    auto output = std::make_unique<ResultReader>(files.output);
    refuse_other(files.output, run_identity(output->attributes()), identity);
    return output;
  } catch (const InputError& e) {
    throw OutputError("exists already and cannot be resumed: " + e.problem(),
                      {.file = files.output.string(), .allowed = another_output});
  }
}

bool is_complete(const ResultReader& output) {
  const auto status = output.attributes().find("status");
  return status != output.attributes().end() &&
         status->second == decltype(status->second)(std::string("complete"));
}

void refuse_what_is_there(const RunFiles& files, bool force) {
  refuse_what_is_no_file(files.output);
  if (is_there(files.journal)) {
    refuse_while_written(files.journal);
    if (!force)
      throw OutputError(
          "is the journal of a run that did not end",
          {.file = files.journal.string(),
           .allowed = fmt::format("to go on with it: {}\nor --force to begin again, or "
                                  "{}",
                                  resume_command(), another_output)});
  }
  if (!force && is_there(files.output))
    throw OutputError("exists already",
                      {.file = files.output.string(),
                       .allowed = fmt::format("--force to overwrite it, or {}", another_output)});
}

void wait_or_refuse(const fs::path& journal) {
  wait_for_the_end_of_another_run(journal);
  refuse_while_written(journal);
}

}  // namespace

void check_begin(const RunFiles& files, bool force) {
  refuse_while_written(files.image_journal);
  refuse_what_is_there(files, force);
}

void check_resume(const RunFiles& files) {
  wait_or_refuse(files.image_journal);
  wait_or_refuse(files.journal);
}

OpenJournal begin_journal(const RunFiles& files, const std::string& identity, bool force) {
  refuse_what_is_there(files, force);
  remove_file(files.journal);
  OpenJournal open;
  create(open, files, identity);
  // Out of the way: from now on the journal is what counts, to --resume as well.
  if (is_there(files.output)) move_file(files.output, files.replaced);
  return open;
}

OpenJournal resume_journal(const RunFiles& files, const std::string& identity, const Plan& plan) {
  OpenJournal open{.done = std::vector<bool>(plan.tasks())};
  const std::unique_ptr<ResultReader> output = output_of(files, identity);
  if (output && is_complete(*output)) {
    wait_or_refuse(files.journal);
    remove_file(files.journal);  // a run that was killed between its last two steps left it
    open.done.flip();
  } else {
    if (!is_there(files.journal) || !reopen(open, files, identity)) create(open, files, identity);
    remove_temporaries(files.output.parent_path(), {files.output.filename().string()});
    open.replace_output = output != nullptr;
    if (output) {
      open.merged_from = text_of(output->attributes(), "merged_from");
      open.warnings = text_of(output->attributes(), "warnings");
      take_over(open, *output, plan);
    }
  }
  open.trials_done = static_cast<std::uint64_t>(std::ranges::count(open.done, true));
  return open;
}

}  // namespace nucreg
