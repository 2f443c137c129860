#include <fmt/format.h>

#include <system_error>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/crash_guard.hpp"
#include "nucreg/app/merge.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/report/overview.hpp"
#include "nucreg/run/run_files.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

// Before the work, which may take minutes.
void check_merge_output(const MergeCommand& command) {
  const std::string output = command.output.string();
  std::error_code none;
  for (const fs::path& file : command.files)
    if (fs::equivalent(file, command.output, none))
      throw JobError("is one of the files to merge", {.file = output, .allowed = "another output"});
  if (const fs::path journal = RunFiles(command.output).journal; file_exists(journal))
    throw OutputError("is the journal of a run with this output",
                      {.file = journal.string(), .allowed = "another output with -o"});
  if (!file_exists(command.output)) return make_folder(command.output.parent_path());
  check_output(command.output, command.force, "--force to overwrite it, or another output with -o");
}

}  // namespace

ExitStatus merge_command(const MergeCommand& command) {
  read_in_child(command.files);
  check_merge_output(command);
  MergeReport report = merge_results(command.files, command.output, command.force);
  const Overview overview = make_overview(ResultReader(command.output), std::move(report.findings));
  print_result(fmt::format("{}\nresult  {}, merged from {}\n", to_text(overview, terminal_text()),
                           command.output.string(), counted(command.files.size(), "file")));
  if (report.trials_twice > 0)
    print_error(
        "nucreg: {} there more than once, with equal results\n",
        counted(report.trials_twice, "trial") + (report.trials_twice == 1 ? " was" : " were"));
  if (report.missing.empty()) return ExitStatus::done;
  print_error(
      "nucreg: {} of {} trials are done; {} is partial\n"
      "nucreg: missing: {}\n"
      "nucreg: merge the files that hold them, too, or run them:\n"
      "nucreg:   nucreg run JOB.toml -o {} --resume\n",
      count_text(report.trials_done), count_text(report.trials_planned), command.output.string(),
      report.missing, command.output.string());
  return ExitStatus::stopped;
}

}  // namespace nucreg
