// The points of trials of a result file, made again from the file, so that anyone can recompute
// its rows.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/crash_guard.hpp"
#include "nucreg/app/result.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/core/terms.hpp"
#include "nucreg/disk/publish.hpp"
#include "nucreg/fit/generate.hpp"
#include "nucreg/plan/plan.hpp"
#include "nucreg/store/result_file.hpp"
#include "nucreg/trials/trial_stage.hpp"

namespace nucreg {
namespace {

// The pairs of each match of a job of images, from the tables of its result.
std::vector<InputFile> images_inputs(const ResultReader& reader, const Job& job) {
  const Table images = reader.table("images"), nuclei = reader.table("nuclei");
  const Table matches = reader.table("matches"), pairs = reader.table("pairs");
  const auto& matched = matches.get<bool>("matched");
  const auto& first_nucleus = nuclei.get<std::int64_t>(offsets_column);
  const auto& first_pair = pairs.get<std::int64_t>(offsets_column);
  const auto& x = nuclei.get<double>("x_px");
  const auto& y = nuclei.get<double>("y_px");
  std::vector<InputFile> inputs;
  for (std::size_t match = 0; match < matched.size(); ++match) {
    if (!matched[match]) continue;
    const auto tile = [&](const char* side) {
      return static_cast<std::size_t>(matches.get<std::int64_t>(side).at(match));
    };
    const std::size_t ten = tile("ten"), forty = tile("forty");
    InputFile input;
    input.field_px = {static_cast<double>(images.get<std::int64_t>("width_px").at(ten)),
                      static_cast<double>(images.get<std::int64_t>("height_px").at(ten))};
    for (std::int64_t i = first_pair.at(match); i < first_pair.at(match + 1); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const auto a =
          static_cast<std::size_t>(first_nucleus.at(ten) + pairs.get<std::int64_t>("ten").at(at));
      const auto b = static_cast<std::size_t>(first_nucleus.at(forty) +
                                              pairs.get<std::int64_t>("forty").at(at));
      input.pairs.add(x.at(a), y.at(a), x.at(b), y.at(b));
    }
    inputs.push_back(std::move(input));
  }
  const std::vector<std::string>& names = job.problem.images.pairs;
  if (names.size() != inputs.size())
    throw InputError("names other pairs of tiles than /matches", {.key = "job_toml"});
  for (std::size_t i = 0; i < names.size(); ++i) inputs[i].path = names[i];
  return inputs;
}

std::string numbers_text(const auto& numbers) {
  std::string text;
  for (const double number : numbers) text += fmt::format("{}{}", text.empty() ? "" : " ", number);
  return text;
}

// Lines "# key = value": all that a row depends on besides its points and its solver.
std::string header_of(const Job& job, const Configuration& c, std::uint64_t number,
                      const Trial& trial, std::string_view start) {
  std::string text;
  const auto line = [&](std::string_view key, const std::string& value) {
    text += fmt::format("# {} = {}\n", key, value);
  };
  line("configuration", fmt::format("{}", c.index));
  line("trial", fmt::format("{}", number));
  line("model", std::string(name_of(c.model)));
  line("loss", std::string(name_of(c.loss)));
  line("loss_scale_px", fmt::format("{}", trial.loss_scale_px));
  line("magnification", fmt::format("{}", job.problem.magnification));
  line("field_px", numbers_text(trial.field_px));
  line("start", std::string(start));
  line("arrival_px", job.fit.arrival_px > 0.0 ? fmt::format("{}", job.fit.arrival_px) : "auto");
  if (trial.truth) line("truth", numbers_text(trial.truth->params));
  return text;
}

std::string rows_of(const Trial& trial) {
  std::vector<bool> inlier(trial.pairs.size(), true);
  for (const std::size_t i : trial.outliers) inlier.at(i) = false;
  std::string text = "x10,y10,x40,y40,inlier\n";
  const PointPairs& p = trial.pairs;
  for (std::size_t i = 0; i < p.size(); ++i)
    text +=
        fmt::format("{},{},{},{},{}\n", p.x10[i], p.y10[i], p.x40[i], p.y40[i], inlier[i] ? 1 : 0);
  return text;
}

// The trial that is asked for, or so many of them, evenly over the job.
std::vector<std::uint64_t> tasks_of(const PairsCommand& command, const Plan& plan) {
  if (command.trials > 0) {
    std::vector<std::uint64_t> tasks(std::min(command.trials, plan.tasks()));
    for (std::size_t i = 0; i < tasks.size(); ++i) tasks[i] = i * plan.tasks() / tasks.size();
    return tasks;
  }
  if (command.configuration >= plan.configurations.size() || command.trial >= plan.trials)
    throw JobError("there is no such trial",
                   {.key = "--configuration, --trial",
                    .allowed = fmt::format("0 to {} and 0 to {}", plan.configurations.size() - 1,
                                           plan.trials - 1)});
  return {command.configuration * plan.trials + command.trial};
}

}  // namespace

ExitStatus pairs_command(const PairsCommand& command) {
  check_not_input(command.to, {command.file}, "--to");
  read_in_child({command.file});
  const ResultReader reader(command.file);
  const Job job = job_of(command.file, reader);
  Plan plan = make_plan(job);
  const std::vector<std::uint64_t> tasks = tasks_of(command, plan);
  const auto shares_points = [&](std::uint64_t task) {
    const Configuration& c = plan.configurations[task / plan.trials];
    return c.problem != c.index;
  };
  if (std::ranges::any_of(tasks, shares_points) && !reader.table("configurations").find("problem"))
    throw InputError("is of nucreg 0.1, in which each loss and model got points of its own",
                     {.file = command.file.string()});
  std::vector<InputFile> inputs =
      job.problem.source == Source::images ? images_inputs(reader, job) : read_inputs(job);
  fill_counts(plan, inputs);
  const auto source = make_source(job, plan, std::move(inputs));
  const Table table = configuration_table(plan, job);
  const auto& starts = table.get<std::string>("start");
  TextFile file(command.to);
  for (const std::uint64_t task : tasks) {
    const Configuration& configuration = plan.configurations[task / plan.trials];
    const std::uint64_t number = task % plan.trials;
    const Trial trial = source->make(configuration, static_cast<std::uint32_t>(number));
    file.write(header_of(job, configuration, number, trial, starts[configuration.index]) +
               rows_of(trial));
  }
  file.publish(command.force);
  warn_if_altered(command.file);
  print_result(command.to.string() + "\n");
  return ExitStatus::done;
}

}  // namespace nucreg
