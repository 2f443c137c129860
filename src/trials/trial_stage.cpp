#include "nucreg/trials/trial_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "nucreg/core/build_info.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/log.hpp"
#include "nucreg/fit/pairs_file.hpp"
#include "nucreg/image/image.hpp"
#include "nucreg/job/parse.hpp"
#include "nucreg/nuclei/segment.hpp"
#include "nucreg/run/run_files.hpp"

namespace nucreg {

void fields(auto& archive, MaybeConst<InputFile> auto& input) {
  archive(input.path, input.pairs.x10, input.pairs.y10, input.pairs.x40, input.pairs.y40,
          input.points.x, input.points.y, input.field_px);
}

void fields(auto& archive, MaybeConst<TrialSetup> auto& setup) {
  archive(setup.job_toml, setup.output, setup.inputs, setup.clock_trusted);
}

namespace {

InputFile read_pairs_input(const std::string& path) {
  InputFile input{.path = path, .pairs = read_pairs(path)};
  const auto largest = [](const std::vector<double>& values) {
    return std::max(0.0, *std::max_element(values.begin(), values.end()));
  };
  input.field_px = {largest(input.pairs.x10), largest(input.pairs.y10)};
  return input;
}

InputFile read_labels_input(const std::string& path) {
  const LabelImage image = read_label_tiff(path);
  InputFile input{.path = path};
  for (const Nucleus& nucleus : centroids(image, path)) {
    input.points.x.push_back(nucleus.x_px);
    input.points.y.push_back(nucleus.y_px);
  }
  input.field_px = {static_cast<double>(image.width), static_cast<double>(image.height)};
  return input;
}

Plan plan_of(const Job& job, const std::vector<InputFile>& inputs) {
  Plan plan = make_plan(job);
  fill_counts(plan, inputs);
  return plan;
}

}  // namespace

std::vector<InputFile> read_inputs(const Job& job) {
  std::vector<InputFile> inputs;
  for (const std::string& path : job.problem.files)
    inputs.push_back(job.problem.source == Source::pairs ? read_pairs_input(path)
                                                         : read_labels_input(path));
  return inputs;
}

void fill_counts(Plan& plan, const std::vector<InputFile>& inputs) {
  for (Configuration& c : plan.configurations)
    for (const InputFile& input : inputs)
      if (input.path == c.file) {
        c.points = static_cast<double>(std::max(input.pairs.size(), input.points.size()));
        c.field_px = input.field_px;
      }
}

std::vector<NamedSolver> make_solvers(const SolverRegistry& registry, const Job& job) {
  std::vector<NamedSolver> solvers;
  for (const SolverSpec& spec : job.solvers)
    solvers.push_back({spec.name, registry.make(spec, job), registry.kind(spec, job.file).seconds});
  return solvers;
}

void check_solvers(const SolverRegistry& registry, const Job& job) {
  static_cast<void>(make_solvers(registry, job));
}

void check_problems(const Job& job, const Plan& plan, const std::vector<InputFile>& inputs) {
  static_cast<void>(make_source(job, plan, inputs));
}

double trial_seconds(const SolverRegistry& registry, const Job& job,
                     const Configuration& configuration) {
  // Measured: generation of a synthetic pair with noise, and what auto repeats cost per solve.
  constexpr double seconds_per_pair_made = 150e-9;
  constexpr double seconds_of_auto_repeats = 500e-6;
  const double pairs = 0.5 * (configuration.points.min + configuration.points.max);
  double seconds = seconds_per_pair_made * pairs;
  for (const SolverSpec& spec : job.solvers) {
    const double once = registry.kind(spec, job.file).seconds(pairs);
    const auto repeats = static_cast<double>(std::max<std::int64_t>(1, job.run.timing_repeats));
    seconds += job.run.timing_repeats == 0 ? std::max(once, seconds_of_auto_repeats)
               : repeats > 1.0             ? (1.0 + repeats) * once
                                           : once;
  }
  return seconds;
}

TaskList task_list(const SolverRegistry& registry, const Job& job, const Plan& plan,
                   const Part& part) {
  TaskList list;
  for (const Configuration& c : plan.configurations) {
    const TrialRange range = part.of(c.index, plan.trials);
    if (range.count > 0)
      list.blocks.push_back(
          {c.index * plan.trials + range.first, range.count, trial_seconds(registry, job, c)});
  }
  std::ranges::stable_sort(list.blocks, std::ranges::greater(), &TaskList::Block::cost_seconds);
  return list;
}

std::string trials_text(const std::vector<TaskList::Block>& tasks, const Plan& plan) {
  constexpr std::size_t max_blocks = 8;
  std::string text;
  std::uint64_t shown_configuration = plan.configurations.size();
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (i == max_blocks)
      return text + fmt::format(" and {} more blocks", tasks.size() - max_blocks);
    const std::uint64_t configuration = tasks[i].first / plan.trials;
    const std::uint64_t first = tasks[i].first % plan.trials, last = first + tasks[i].count - 1;
    if (configuration == shown_configuration)
      text += ", ";
    else
      text += fmt::format("{}configuration {}: trial ", i > 0 ? "; " : "", configuration);
    shown_configuration = configuration;
    text += first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
  }
  return text.empty() ? "none" : text;
}

TrialStage::TrialStage(TrialSetup setup, const SolverRegistry& registry, int rank, const Part& part,
                       std::string identity)
    : setup_(std::move(setup)),
      registry_(registry),
      part_(part),
      identity_(std::move(identity)),
      job_(parse_job_text(setup_.job_toml)),
      plan_(plan_of(job_, setup_.inputs)),
      runner_(std::make_unique<const TrialRunner>(
          job_, plan_, make_source(job_, plan_, setup_.inputs), make_solvers(registry_, job_), rank,
          setup_.clock_trusted.at(static_cast<std::size_t>(rank)))) {}

std::shared_ptr<const Stage> TrialStage::read(ByteReader& reader, const SolverRegistry& registry,
                                              int rank) {
  auto setup = reader.read<TrialSetup>();
  open_log(RunFiles(setup.output).log(rank), rank, host_name(), false);
  return std::make_shared<const TrialStage>(std::move(setup), registry, rank);
}

TaskList TrialStage::tasks() const {
  return task_list(registry_, job_, plan_, part_);
}

StageLimits TrialStage::limits() const {
  double limit = 0.0;
  for (const Draw& seconds : job_.fit.max_seconds) limit = std::max(limit, seconds.max);
  const auto solves_timed =
      static_cast<double>(1 + std::max<std::int64_t>(1, job_.run.timing_repeats));
  // Besides its solves a trial is made and measured, on a machine that may be crowded.
  return {.lease_seconds =
              job_.run.hang_seconds + limit * solves_timed * static_cast<double>(plan_.solvers),
          .monitor_seconds = job_.run.monitor_seconds,
          .solves_per_task = plan_.solvers};
}

void TrialStage::write(ByteWriter& writer) const {
  writer(setup_);
}

void TrialStage::give_up(std::uint64_t task, Bytes& result) const {
  runner_->give_up(task, "given up: the ranks that ran this trial hung or died", result);
}

}  // namespace nucreg
