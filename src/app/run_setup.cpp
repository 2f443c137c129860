#include "nucreg/app/run_setup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "byte_archive.hpp"
#include "nucreg/app/solvers.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/solve/registry.hpp"

namespace nucreg {
namespace {

// One list of the fields for both directions.
template <class Archive, class Setup>
void input_fields(Archive& archive, Setup& input) {
  archive.array(input.path);
  for (auto* column : {&input.pairs.x10, &input.pairs.y10, &input.pairs.x40, &input.pairs.y40,
                       &input.points.x, &input.points.y})
    archive.array(*column);
}

}  // namespace

Bytes RunSetup::to_bytes() const {
  ByteWriter writer;
  writer.array(job_toml);
  writer.array(build);
  writer.array(output);
  writer.number(inputs.size());
  for (const InputFile& input : inputs) {
    input_fields(writer, input);
    for (const double side : input.field_px) writer.number(std::bit_cast<std::uint64_t>(side));
  }
  writer.number(clock_trusted.size());
  for (const bool trusted : clock_trusted) writer.number(trusted);
  return std::move(writer.bytes);
}

RunSetup RunSetup::from_bytes(const Bytes& bytes) {
  ByteReader reader(bytes);
  RunSetup setup;
  reader.array(setup.job_toml);
  reader.array(setup.build);
  reader.array(setup.output);
  setup.inputs.resize(reader.number());
  for (InputFile& input : setup.inputs) {
    input_fields(reader, input);
    for (double& side : input.field_px) side = std::bit_cast<double>(reader.number());
  }
  setup.clock_trusted.resize(reader.number());
  for (auto trusted : setup.clock_trusted) trusted = reader.number() != 0;
  return setup;
}

std::vector<NamedSolver> make_solvers(const Job& job) {
  const SolverRegistry registry = job_solvers();
  std::vector<NamedSolver> solvers;
  for (const SolverSpec& spec : job.solvers)
    solvers.push_back({spec.name, registry.make(spec, job), registry.kind(spec, job.file).seconds});
  return solvers;
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

TaskList task_list(const Job& job, const Plan& plan, const Part& part,
                   const std::vector<bool>& done) {
  const SolverRegistry registry = job_solvers();
  TaskList list;
  for (const Configuration& c : plan.configurations) {
    const double seconds = trial_seconds(registry, job, c);
    const TrialRange range = part.of(c.index, plan.trials);
    std::uint64_t task = c.index * plan.trials + range.first;
    const std::uint64_t end = task + range.count;
    if (done.empty() && range.count > 0) list.blocks.push_back({task, range.count, seconds});
    while (!done.empty() && task < end) {
      const std::uint64_t first = task;
      while (task < end && !done[task]) ++task;
      if (task > first) list.blocks.push_back({first, task - first, seconds});
      while (task < end && done[task]) ++task;
    }
  }
  std::stable_sort(list.blocks.begin(), list.blocks.end(),
                   [](const auto& a, const auto& b) { return a.cost_seconds > b.cost_seconds; });
  return list;
}

DispatchOptions dispatch_options(const Job& job, const Plan& plan) {
  double limit = 0.0;
  for (const Draw& seconds : job.fit.max_seconds) limit = std::max(limit, seconds.max);
  const auto solves_timed =
      static_cast<double>(1 + std::max<std::int64_t>(1, job.run.timing_repeats));
  DispatchOptions options;
  options.monitor_seconds = job.run.monitor_seconds;
  options.solves_per_task = plan.solvers;
  // Beside its solves a trial is made and measured, on a machine that may be crowded.
  options.lease_seconds =
      job.run.hang_seconds + limit * solves_timed * static_cast<double>(plan.solvers);
  return options;
}

std::string trials_text(const std::vector<TaskList::Block>& tasks, const Plan& plan) {
  constexpr std::size_t most = 8;
  std::string text;
  std::uint64_t shown_configuration = plan.configurations.size();
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (i == most) return text + fmt::format(" and {} more blocks", tasks.size() - most);
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

}  // namespace nucreg
