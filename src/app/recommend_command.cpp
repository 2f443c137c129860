// What to fit with, from results of earlier runs.
#include <vector>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/crash_guard.hpp"
#include "nucreg/app/result.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/disk/publish.hpp"
#include "nucreg/report/recommendation.hpp"
#include "nucreg/stats/recommendation.hpp"
#include "nucreg/store/map_file.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {
namespace {

void add_result(RecommendationBuilder& builder, const std::filesystem::path& file) {
  static constexpr std::string_view columns[] = {
      "configuration", "trial",      "solver",
      "status",        "wall_s",     "cpu_s",
      "arrived",       "arrival_px", "function_evaluations",
      "timing_valid"};
  naming<Error>(file.string(), [&] {
    if (format_of(file) == map_format)
      throw InputError("is the map of a well (nucreg map) and not the result of a run",
                       {.allowed = "results of nucreg run"});
    const ResultReader reader(file);
    demand_sound(file, reader);
    builder.begin(job_of(file, reader), reader.table("configurations"), reader.table("solvers"));
    stream_trials(
        reader, [&](std::span<const Record> rows) { builder.add(rows); }, columns);
  });
}

}  // namespace

ExitStatus recommend_command(const RecommendCommand& command) {
  check_not_input(command.to, command.files, "--to");
  read_in_child(command.files);
  RecommendationBuilder builder({.model = value_of<Model>(command.model),
                                 .points = command.points,
                                 .noise_px = command.noise_px,
                                 .outliers = command.outliers});
  std::vector<Evidence> files;
  for (const std::filesystem::path& file : command.files) {
    add_result(builder, file);
    warn_if_altered(file);
    files.push_back({file.string(), sha256_of_file(file)});
  }
  const Recommendation made = builder.finish();
  if (!command.to.empty()) {
    TextFile file(command.to);
    file.write(to_toml(made, files));
    file.publish(command.force);
  }
  print_result(command.json ? to_json(made, files) + "\n"
                            : to_text(made, static_cast<std::size_t>(output_width())));
  return ExitStatus::done;
}

}  // namespace nucreg
