// The commands that read a result file.
#include <fmt/format.h>

#include <algorithm>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/crash_guard.hpp"
#include "nucreg/app/read_result.hpp"
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
  if (std::ranges::find(map_export_formats, command.format) != map_export_formats.end())
    throw JobError("is the result of a run; the format " + command.format +
                       " is for maps of wells (nucreg map)",
                   {.file = command.file.string(), .key = "--format"});
  const auto paths = with_result(command.file, [&](const ResultReader& reader) {
    const auto write = command.format == "python-benchmark" ? export_python_benchmark
                       : command.format == "profiles"       ? export_profiles
                       : command.format == "maps"           ? export_maps
                       : command.format == "coco"           ? export_coco
                                                            : export_csv;
    return write(reader, command.folder, command.force);
  });
  warn_if_altered(command.file);
  for (const auto& path : paths) print_result(path.string() + "\n");
  return ExitStatus::done;
}

ExitStatus verify_command(const VerifyCommand& command) {
  read_in_child({command.file});
  if (is_map(command.file)) return verify_map_command(command);
  Verification v = with_result(command.file, verify);
  if (checksum_matches(command.file) == false)
    v.findings.emplace_back("bytes of the file are not those that nucreg wrote (checksum)");
  std::string text;
  for (const std::string& finding : v.findings) text += fmt::format("damage: {}\n", finding);
  for (const std::string& note : v.notes) text += fmt::format("note: {}\n", note);
  const std::string file = command.file.string();
  if (!v.findings.empty()) {
    print_result(text + file + ": not sound\n");
    return ExitStatus::input;
  }
  print_result(text + fmt::format("{}: sound: {} x {} x {}, {}\n", file,
                                  counted(v.configurations, "configuration"),
                                  counted(v.trials, "trial"), counted(v.solvers, "solver"),
                                  counted(v.records, "record")));
  return ExitStatus::done;
}

}  // namespace nucreg
