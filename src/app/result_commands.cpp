// The commands that read a result file.
#include <fmt/format.h>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/report/export_csv.hpp"
#include "nucreg/report/json.hpp"
#include "nucreg/report/text.hpp"
#include "nucreg/report/verify.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {

ExitStatus inspect_command(const InspectCommand& command) {
  const Overview overview = make_overview(ResultReader(command.file));
  if (command.json) {
    print_result(to_json(overview) + "\n");
    return ExitStatus::done;
  }
  TextOptions options{.width = static_cast<std::size_t>(output_width())};
  if (command.all) options.most_configurations = overview.configurations.rows();
  print_result(to_text(overview, options));
  return ExitStatus::done;
}

ExitStatus export_command(const ExportCommand& command) {
  const ResultReader reader(command.file);
  for (const auto& path : export_csv(reader, command.folder, command.force))
    print_result(path.string() + "\n");
  return ExitStatus::done;
}

ExitStatus verify_command(const VerifyCommand& command) {
  const Verification v = verify(ResultReader(command.file));
  std::string text;
  for (const std::string& finding : v.findings) text += fmt::format("damage: {}\n", finding);
  for (const std::string& note : v.notes) text += fmt::format("note: {}\n", note);
  const std::string file = command.file.string();
  if (!v.findings.empty()) {
    print_result(text + file + ": not sound\n");
    return ExitStatus::input;
  }
  print_result(text +
               fmt::format("{}: sound: {} configurations x {} trials x {} solvers, {} records\n",
                           file, v.configurations, v.trials, v.solvers, v.records));
  return ExitStatus::done;
}

}  // namespace nucreg
