// The commands that read a result file.
#include <fmt/format.h>

#include <algorithm>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/crash_guard.hpp"
#include "nucreg/app/result.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/report/export.hpp"
#include "nucreg/report/overview.hpp"
#include "nucreg/stats/verify.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {
namespace {

auto with_result(const std::filesystem::path& file, auto&& act) {
  return naming(file.string(), [&] { return act(ResultReader(file)); });
}

}  // namespace

ExitStatus inspect_command(const InspectCommand& command) {
  read_in_child({command.file});
  if (is_map(command.file)) return inspect_map(command);
  print_result(with_result(command.file, [&](const ResultReader& reader) {
    const Overview overview = make_overview(reader);
    if (command.json) return to_json(overview) + "\n";
    TextOptions options = terminal_text();
    if (command.all) options.max_configurations = overview.configurations.rows();
    return to_text(overview, options);
  }));
  warn_if_altered(command.file);
  return ExitStatus::done;
}

ExitStatus export_command(const ExportCommand& command) {
  read_in_child({command.file});
  if (is_map(command.file)) return export_map(command);
  const auto* const format =
      std::ranges::find(result_formats, command.format, &ExportFormat<ResultReader>::name);
  if (format == result_formats.end())
    throw JobError("is the result of a run; the format " + command.format +
                       " is for maps of wells (nucreg map)",
                   {.file = command.file.string(),
                    .key = "--format",
                    .allowed = fmt::format("{}", fmt::join(names_of(result_formats), ", "))});
  const auto paths = with_result(command.file, [&](const ResultReader& reader) {
    return format->write(reader, command.folder, command.force);
  });
  return print_exported(command.file, paths);
}

ExitStatus verify_command(const VerifyCommand& command) {
  read_in_child({command.file});
  if (is_map(command.file)) return verify_map_command(command);
  const Verification v = with_result(command.file, verify);
  return print_soundness(command.file, v.findings, v.notes,
                         fmt::format("{} x {} x {}, {}", counted(v.configurations, "configuration"),
                                     counted(v.trials, "trial"), counted(v.solvers, "solver"),
                                     counted(v.records, "record")));
}

}  // namespace nucreg
