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
    fmt::print("{}\n", to_json(overview));
    return ExitStatus::done;
  }
  TextOptions options{.width = static_cast<std::size_t>(output_width())};
  if (command.all) options.most_configurations = overview.configurations.rows();
  fmt::print("{}", to_text(overview, options));
  return ExitStatus::done;
}

ExitStatus export_command(const ExportCommand& command) {
  const ResultReader reader(command.file);
  for (const auto& path : export_csv(reader, command.folder, command.force))
    fmt::print("{}\n", path.string());
  return ExitStatus::done;
}

ExitStatus verify_command(const VerifyCommand& command) {
  const Verification v = verify(ResultReader(command.file));
  for (const std::string& finding : v.findings) fmt::print("damage: {}\n", finding);
  for (const std::string& note : v.notes) fmt::print("note: {}\n", note);
  if (!v.findings.empty()) {
    fmt::print("{}: not sound\n", command.file.string());
    return ExitStatus::input;
  }
  fmt::print("{}: sound: {} configurations x {} trials x {} solvers, {} records\n",
             command.file.string(), v.configurations, v.trials, v.solvers, v.records);
  return ExitStatus::done;
}

}  // namespace nucreg
