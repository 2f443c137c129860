#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <unordered_set>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/core/allocation.hpp"
#include "nucreg/core/clock.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/job/parse.hpp"
#include "nucreg/tiles/tiles.hpp"
#include "nucreg/trials/trial_stage.hpp"

namespace nucreg {
namespace {

// Values of one column of the configuration table that occur, in order.
std::string values_text(const Column& column) {
  std::vector<std::string> values;
  std::unordered_set<std::string> known;
  std::visit(
      [&](const auto& cells) {
        for (const auto& cell : cells) {
          std::string text = fmt::format("{}", cell);
          if (known.insert(text).second) values.push_back(std::move(text));
        }
      },
      column.values);
  constexpr std::size_t most = 12;
  const std::size_t count = values.size();
  if (count > most) values.resize(most);
  return fmt::format("{}{}", fmt::join(values, ", "),
                     count > most ? fmt::format(" ... ({} values)", count) : "");
}

// The same, ranges of drawn numbers included.
std::string axis_text(const Table& table, const Column& column) {
  const auto range = std::find_if(table.columns.begin(), table.columns.end(),
                                  [&](const Column& c) { return c.name == column.name + "_min"; });
  if (range == table.columns.end()) return values_text(column);
  return fmt::format("drawn, from {} to {}", values_text(*range),
                     values_text(table.at(column.name + "_max")));
}

// What the source of the points does not have, and what only the images have.
bool says_nothing(const Table& table, const Column& column, bool of_images) {
  if (of_images && (column.name == "points" || column.name.starts_with("field_"))) return true;
  if (std::ranges::any_of(table.columns,
                          [&](const Column& c) { return c.name == column.name + "_min"; }))
    return false;
  if (const auto* numbers = std::get_if<std::vector<double>>(&column.values))
    return std::ranges::all_of(*numbers, [](double x) { return std::isnan(x); });
  const auto* texts = std::get_if<std::vector<std::string>>(&column.values);
  return texts && std::ranges::all_of(*texts, &std::string::empty);
}

// Bytes of a rank at its largest trial: points, their scaled copy and the widest Jacobian.
double rank_bytes(const Job& job, const Plan& plan) {
  double pairs = 0.0;
  for (const Configuration& c : plan.configurations) pairs = std::max(pairs, c.points.max);
  constexpr double pair_bytes = 4 * sizeof(double);
  double per_pair = 2.0 * pair_bytes + 16.0;
  for (const SolverSpec& spec : job.solvers)
    if (spec.kind == "eigen-lm") per_pair += 2.0 * sizeof(double) * (2.0 * max_parameters + 4.0);
  return 30e6 + per_pair * pairs;
}

// Which tiles match is not known before the run: all that may are planned for.
std::string take_tiles(Job& job) {
  const Tiles tiles = list_tiles(job);
  std::vector<std::string> names;
  for (const auto* pairs : {&tiles.likely, &tiles.others})
    for (const TilePair& pair : *pairs) names.push_back(tiles.name(pair));
  job = with_pairs(job, std::move(names));
  const auto ten = std::ranges::count(tiles.list, true, &Tile::is_ten);
  return fmt::format(
      "tiles           {} at 10x, {} at 40x: {} can overlap{}\n"
      "                nuclei and matches are found by the run: all below is the most there can "
      "be,\n"
      "                time is that of the fits alone, and points are not known yet\n",
      ten, tiles.list.size() - static_cast<std::size_t>(ten), counted(tiles.likely.size(), "pair"),
      tiles.others.empty()
          ? ""
          : fmt::format(
                ", {} more {} tried where\n                a 40x tile has no match in these",
                tiles.others.size(), tiles.others.size() == 1 ? "is" : "are"));
}

/// Trials that were run to see what the estimates are worth.
struct Sample {
  std::uint64_t trials = 0;
  double seconds = 0.0;
  double factor = 1.0;         ///< mean of what a trial takes / what is estimated for it
  double start_seconds = 0.0;  ///< of the programs of kind process, once for each rank
  std::map<std::string, std::string> broken;  ///< of these, those without an answer, and why
};

bool is_program(const SolverSpec& solver) {
  return solver.kind == "process";
}

// The i-th point of a sequence that fills 0 to 1 evenly and in step with no axis of a job, as
// powers of two would be: multiples of the golden ratio.
double spread_point(std::uint64_t i) {
  const double turns = static_cast<double>(i) / std::numbers::phi;
  return turns - std::floor(turns);
}

// Draws trials as often as they are estimated to cost, so that the mean factor is that of the run.
Sample run_sample(const Job& job, Plan plan, std::vector<InputFile> inputs,
                  const SolverRegistry& registry, const TaskList& list) {
  // Longer where trials differ much: until a standard error of the mean is a tenth of it.
  constexpr double sample_seconds = 1.0, max_seconds = 4.0, enough = 0.1;
  std::vector<double> ends;
  std::uint64_t tasks = 0;
  for (const TaskList::Block& block : list.blocks) {
    ends.push_back((ends.empty() ? 0.0 : ends.back()) +
                   block.cost_seconds * static_cast<double>(block.count));
    tasks += block.count;
  }
  for (Configuration& c : plan.configurations) c.max_seconds = sample_seconds;
  auto source = make_source(job, plan, std::move(inputs));
  const TrialRunner runner(job, plan, std::move(source), make_solvers(registry, job), 0, true);
  Sample sample;
  const auto run = [&](std::uint64_t task) {
    const double start = wall_seconds();
    for (const Record& record : runner.run(task))
      if (const SolverSpec& solver = job.solvers[record.solver];
          is_program(solver) && record.status == SolveStatus::failed)
        sample.broken.emplace(solver.name, record.message);
    return wall_seconds() - start;
  };
  if (tasks > 0 && std::ranges::any_of(job.solvers, is_program))
    sample.start_seconds = run(list.blocks.front().first);
  double factors = 0.0, squares = 0.0;
  const auto unsure = [&] {
    const auto n = static_cast<double>(sample.trials);
    const double variance = (squares - factors * factors / n) / std::max(n - 1.0, 1.0);
    return n < 2.0 || variance / n > std::pow(enough * factors / n, 2.0);
  };
  while (sample.trials < tasks && sample.seconds < max_seconds &&
         (sample.seconds < sample_seconds || unsure())) {
    const double at = spread_point(++sample.trials) * ends.back();
    const auto end = std::ranges::upper_bound(ends, at);
    const TaskList::Block& block =
        list.blocks[static_cast<std::size_t>(std::min(end, ends.end() - 1) - ends.begin())];
    const double took = run(block.first + sample.trials % block.count);
    sample.seconds += took;
    const double factor = took / block.cost_seconds;
    factors += factor;
    squares += factor * factor;
  }
  if (sample.trials > 0) sample.factor = factors / static_cast<double>(sample.trials);
  return sample;
}

}  // namespace

ExitStatus plan_command(const PlanCommand& command, const SolverRegistry& registry) {
  keep_freed_memory();  // as the ranks of a run do
  Job job = parse_job(command.job, command.set);
  check_solvers(registry, job);
  const std::string images = job.problem.source == Source::images ? take_tiles(job) : "";
  Plan plan = make_plan(job);
  std::vector<InputFile> inputs;
  if (images.empty()) inputs = read_inputs(job);
  fill_counts(plan, inputs);
  check_problems(job, plan, inputs);
  const Part part = command.part.empty() ? Part{} : parse_part(command.part);
  check_part(part, plan);

  const TaskList list = task_list(registry, job, plan, part);
  double seconds = 0.0, dearest_seconds = 0.0;
  for (const TaskList::Block& block : list.blocks) {
    seconds += block.cost_seconds * static_cast<double>(block.count);
    if (block.count > 0) dearest_seconds = std::max(dearest_seconds, block.cost_seconds);
  }
  const Sample sample = job.problem.source != Source::images
                            ? run_sample(job, plan, std::move(inputs), registry, list)
                            : Sample{};
  // No rank ends before the dearest trial.
  const std::uint64_t busy_ranks = std::min(static_cast<std::uint64_t>(command.ranks),
                                            std::max<std::uint64_t>(part.tasks(plan), 1));
  const double estimated_seconds =
      sample.start_seconds +
      sample.factor * std::max(seconds / static_cast<double>(busy_ranks), dearest_seconds);
  // Measured: what a file of one trial holds, a row of /summary and of /trials.
  const double file_bytes = 465e3 +
                            300.0 * static_cast<double>(plan.configurations.size() * plan.solvers) +
                            120.0 * static_cast<double>(part.tasks(plan) * plan.solvers);

  std::string text;
  const auto print = [&]<class... Args>(fmt::format_string<Args...> format, Args&&... args) {
    text += fmt::format(format, std::forward<Args>(args)...);
  };
  print("job             {}\n", job.job.name);
  text += images;
  print("configurations  {}\n", count_text(plan.configurations.size()));
  print("trials          {} = {} x {}\n", count_text(plan.tasks()),
        count_text(plan.configurations.size()), count_text(plan.trials));
  print("solves          {} = {} x {} solvers\n", count_text(plan.solves()),
        count_text(plan.tasks()), plan.solvers);
  if (!part.whole())
    print("part {:<11}{} trials, {} solves\n", part.text(), count_text(part.tasks(plan)),
          count_text(part.tasks(plan) * plan.solvers));
  const auto ranks = static_cast<std::uint64_t>(command.ranks);
  print("estimated time  {} on {}{}\n", duration_text(estimated_seconds), counted(ranks, "rank"),
        ranks > busy_ranks ? fmt::format(", {} of which do nothing", count_text(ranks - busy_ranks))
                           : "");
  if (sample.trials > 0)
    print("measured        {} here, in {}\n", counted(sample.trials, "trial"),
          duration_text(sample.seconds));
  for (const auto& [solver, why] : sample.broken) print("fails here      {}: {}\n", solver, why);
  if (job.run.threads_per_rank > 1)
    print("threads         {} per rank, for passes over more than 65,536 pairs\n",
          job.run.threads_per_rank);
  print("memory          about {} per rank\n", bytes_text(rank_bytes(job, plan)));
  print("result file     about {}\n\n", bytes_text(file_bytes));

  print("axes\n");
  const Table table = configuration_table(plan, job);
  for (const Column& column : table.columns) {
    if (column.name == "configuration" || column.name.ends_with("_min") ||
        column.name.ends_with("_max") || says_nothing(table, column, !images.empty()))
      continue;
    print("  {:<18}{}{}\n", column.name, axis_text(table, column),
          column.units.empty() || column.units == "1" ? "" : " " + column.units);
  }
  print("solvers\n");
  std::size_t width = 17;
  for (const SolverSpec& spec : job.solvers) width = std::max(width, places(spec.name));
  for (const SolverSpec& spec : job.solvers)
    print("  {:<{}} {} {}\n", spec.name, width, spec.kind,
          options_text(registry.options(spec, job.file)));
  print_result(text);
  return ExitStatus::done;
}

}  // namespace nucreg
