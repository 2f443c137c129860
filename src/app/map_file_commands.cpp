#include "nucreg/app/commands.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nucreg/app/result.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/report/well.hpp"
#include "nucreg/store/map_file.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {
namespace {

auto with_map(const std::filesystem::path& file, auto&& act) {
  return naming(file.string(), [&] { return act(read_map(file)); });
}

}  // namespace

bool is_map(const std::filesystem::path& file) {
  try {
    return format_of(file) == map_format;
  } catch (const InputError&) {
    return false;
  }
}

ExitStatus inspect_map(const InspectCommand& command) {
  print_result(with_map(command.file, [&](const WellMap& map) {
    const WellSummary summary = summarize(map);
    return command.json ? to_json(summary) + "\n"
                        : to_text(summary, static_cast<std::size_t>(output_width()));
  }));
  warn_if_altered(command.file);
  return ExitStatus::done;
}

ExitStatus export_map(const ExportCommand& command) {
  const auto* const format =
      std::ranges::find(map_formats, command.format, &ExportFormat<WellMap>::name);
  if (format == map_formats.end())
    throw JobError("is the map of a well; the format " + command.format +
                       " is for results of runs (nucreg run)",
                   {.file = command.file.string(),
                    .key = "--format",
                    .allowed = fmt::format("{}", fmt::join(names_of(map_formats), ", "))});
  const auto paths = with_map(command.file, [&](const WellMap& map) {
    return format->write(map, command.folder, command.force);
  });
  return print_exported(command.file, paths);
}

ExitStatus verify_map_command(const VerifyCommand& command) {
  const MapVerification v = with_map(command.file, verify_map);
  return print_soundness(command.file, v.findings, v.notes,
                         fmt::format("{}, {}, {}", counted(v.tiles, "tile"),
                                     counted(v.detections, "detection"), counted(v.pairs, "pair")));
}

}  // namespace nucreg
