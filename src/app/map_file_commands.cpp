#include "nucreg/app/commands.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nucreg/app/read_result.hpp"
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
  if (command.format != "csv" &&
      std::ranges::find(map_export_formats, command.format) == map_export_formats.end())
    throw JobError("is the map of a well; the format " + command.format +
                       " is for results of runs (nucreg run)",
                   {.file = command.file.string(),
                    .key = "--format",
                    .allowed = "csv, brieflow, h5ad, napari"});
  const auto paths = with_map(command.file, [&](const WellMap& map) {
    const auto write = command.format == "brieflow" ? export_brieflow
                       : command.format == "h5ad"   ? export_anndata
                       : command.format == "napari" ? export_napari
                                                    : export_well_csv;
    return write(map, command.folder, command.force);
  });
  warn_if_altered(command.file);
  for (const auto& path : paths) print_result(path.string() + "\n");
  return ExitStatus::done;
}

ExitStatus verify_map_command(const VerifyCommand& command) {
  MapVerification v = with_map(command.file, verify_map);
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
  print_result(text + fmt::format("{}: sound: {}, {}, {}\n", file, counted(v.tiles, "tile"),
                                  counted(v.detections, "detection"), counted(v.pairs, "pair")));
  return ExitStatus::done;
}

}  // namespace nucreg
