#include "nucreg/report/export.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "export_file.hpp"
#include "nucreg/core/table.hpp"
#include "nucreg/core/terms.hpp"
#include "nucreg/disk/publish.hpp"
#include "nucreg/stats/comparison.hpp"
#include "nucreg/stats/profiles.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array targets{1e-1, 1e-3, 1e-6, 1e-9};
constexpr std::uint64_t max_solves = 100'000;
constexpr const char* pitfalls =
    "A performance profile compares with the best solver of each problem: leaving a solver out can "
    "exchange the order of two others. A solver that needs no evaluation, as a closed form, counts "
    "as one that needs one. All profiles depend on the target and on which problems "
    "there are.";
constexpr const char* costs_of_traces =
    "from /trace: when the objective first met the target, in evaluations up to 10 % too high "
    "beyond 16, in seconds of the solve that was traced, at most wall_s";
constexpr const char* costs_of_solves = "of the whole solve: the file has no /trace";

/// An amount in function evaluations and in seconds.
struct Cost {
  double evaluations = std::numeric_limits<double>::infinity();
  double seconds = std::numeric_limits<double>::infinity();
};
using CostUnit = double Cost::*;

/// What one solve cost, and what it cost to reach each target, infinite if it did not.
struct Solve {
  Cost whole;
  std::array<Cost, targets.size()> at_target;
};

/// Trials that are used: solves[trial * solvers + solver].
struct Sample {
  std::size_t solvers = 0;
  std::vector<Solve> solves;
  std::vector<bool> timed;  // by trial: all timings are valid
  std::vector<std::size_t> configurations, parameters;
  /// Costs below `least` count as that.
  [[nodiscard]] CostTable costs(const std::vector<std::size_t>& used, std::size_t target,
                                CostUnit unit, double least = 0.0) const {
    CostTable table(used.size(), solvers);
    for (std::size_t p = 0; p < used.size(); ++p)
      for (std::size_t s = 0; s < solvers; ++s)
        table.at(p, s) = std::max(solves[used[p] * solvers + s].at_target[target].*unit, least);
    return table;
  }
};

// The answer shows whether a target was reached, the trace when. Of points without noise the best
// is 0 but for rounding, and every ratio to it is large: what is within rounding of the best has
// reached every target. What is as low as the answer is near enough, too.
Solve solve_of(const Record& row) {
  Solve solve{.whole = {static_cast<double>(row.function_evaluations), row.wall_seconds},
              .at_target = {}};
  const double best = row.objective / (1.0 + row.gap);
  const double rounding = rounding_px * rounding_px * static_cast<double>(row.pairs);
  for (std::size_t t = 0; t < targets.size(); ++t) {
    const bool reached = row.gap <= targets[t] || row.objective - best <= rounding;
    if (row.status == SolveStatus::failed || !reached) continue;
    const double enough = std::max({row.objective, best * (1.0 + targets[t]), best + rounding});
    const auto first = std::ranges::find_if(
        row.trace, [&](const TracePoint& point) { return point.objective <= enough; });
    solve.at_target[t] = solve.whole;
    if (first != row.trace.end())
      solve.at_target[t] = {static_cast<double>(first->evaluation),
                            std::min(first->seconds, row.wall_seconds)};
  }
  return solve;
}

Sample sample_of(const ResultReader& reader, std::size_t solvers) {
  const Table configurations = reader.table("configurations");
  const auto& models = configurations.get<std::string>("model");
  const std::uint64_t stride = reader.trial_rows() / max_solves + 1;
  Sample sample{.solvers = solvers};
  std::uint64_t trial_number = 0;
  for (TrialCursor at(reader, 0, solvers); !at.done(); at.next()) {
    const std::span<const Record> trial = at.rows();
    if (trial[0].configuration >= models.size())
      throw InputError("a row names what is not in the file", {.key = "/trials/configuration"});
    if (trial_number++ % stride != 0) continue;
    const auto model = value_of<Model>(models[trial[0].configuration]);
    if (!model) throw InputError("names no model", {.key = "/configurations/model"});
    sample.configurations.push_back(trial[0].configuration);
    sample.parameters.push_back(parameter_count(*model));
    sample.timed.push_back(std::ranges::all_of(trial, [](const Record& row) {
      return row.status == SolveStatus::not_applicable || row.timing_valid;
    }));
    for (const Record& row : trial) sample.solves.push_back(solve_of(row));
  }
  return sample;
}

/// Trials that are counted together, and those of them whose timings are all valid.
struct Trials {
  std::vector<std::size_t> all, timed;
  void add(const Sample& sample, std::size_t trial) {
    all.push_back(trial);
    if (sample.timed[trial]) timed.push_back(trial);
  }
};

Json json_of(const Profile& profile) {
  return {{"budget", profile.budget}, {"share", profile.share}};
}

Json average_of(const Sample& sample, const std::vector<std::size_t>& used, std::size_t solver,
                std::size_t target, CostUnit unit) {
  std::vector<double> spent;
  std::vector<bool> reached;
  for (const std::size_t trial : used) {
    const Solve& solve = sample.solves[trial * sample.solvers + solver];
    if (std::isnan(solve.whole.*unit)) continue;  // a solve that threw has no time
    const double cost = solve.at_target[target].*unit;
    reached.push_back(std::isfinite(cost));
    spent.push_back(reached.back() ? cost : solve.whole.*unit);
  }
  const AverageRuntime art = average_runtime(spent, reached);
  return {{"value", art.value},
          {"low", art.low},
          {"high", art.high},
          {"successes", art.successes},
          {"attempts", art.attempts}};
}

/// Over all configurations of one kind: each trial is compared with its own best answer, and each
/// solver with the best one of the trial.
Json of_kind(const Sample& sample, const Trials& group, const std::vector<std::string>& names,
             std::size_t target) {
  const CostTable evaluations = sample.costs(group.all, target, &Cost::evaluations);
  // Else all others are infinitely far behind a closed form, which needs no evaluation.
  const CostTable at_least_one = sample.costs(group.all, target, &Cost::evaluations, 1.0);
  const CostTable seconds = sample.costs(group.timed, target, &Cost::seconds);
  std::vector<std::size_t> parameters;
  for (const std::size_t trial : group.all) parameters.push_back(sample.parameters[trial]);
  Json solvers = Json::array();
  for (std::size_t s = 0; s < names.size(); ++s)
    solvers.push_back({{"solver", names[s]},
                       {"evaluations",
                        {{"performance", json_of(performance_profile(at_least_one, s))},
                         {"data", json_of(data_profile(evaluations, parameters, s))}}},
                       {"seconds", {{"performance", json_of(performance_profile(seconds, s))}}}});
  return solvers;
}

/// Costs of one configuration: those of few and of many points have no common mean.
Json of_configuration(const Sample& sample, const Trials& group,
                      const std::vector<std::string>& names, std::size_t target) {
  const auto costs = [&](const std::vector<std::size_t>& used, std::size_t s, CostUnit unit) {
    return Json{{"runtime", json_of(runtime_distribution(sample.costs(used, target, unit), s))},
                {"average", average_of(sample, used, s, target, unit)}};
  };
  Json solvers = Json::array();
  for (std::size_t s = 0; s < names.size(); ++s)
    solvers.push_back({{"solver", names[s]},
                       {"evaluations", costs(group.all, s, &Cost::evaluations)},
                       {"seconds", costs(group.timed, s, &Cost::seconds)}});
  return solvers;
}

/// By kind, in the order of the configurations.
std::vector<std::pair<std::string, Trials>> groups_of_kinds(const Sample& sample,
                                                            const Table& configurations) {
  const RegionMap map = map_regions(configurations, 0);
  std::vector<std::pair<std::string, Trials>> groups;
  for (const Region& region : map.regions)
    if (region.scope == Region::Scope::overall) groups.emplace_back(region.kind, Trials{});
  for (std::size_t trial = 0; trial < sample.configurations.size(); ++trial)
    for (const std::size_t region : map.of_configuration[sample.configurations[trial]])
      if (region < groups.size()) groups[region].second.add(sample, trial);
  return groups;
}

}  // namespace

std::vector<std::filesystem::path> export_profiles(const ResultReader& reader,
                                                   const std::filesystem::path& directory,
                                                   bool overwrite) {
  auto paths = export_paths(directory, {"profiles.json"}, overwrite);
  const Table solver_table = reader.table("solvers");
  const auto& names = solver_table.get<std::string>("name");
  if (names.empty()) throw InputError("has no rows", {.key = "/solvers"});
  const Sample sample = sample_of(reader, names.size());
  std::map<std::size_t, Trials> configurations;
  for (std::size_t trial = 0; trial < sample.configurations.size(); ++trial)
    configurations[sample.configurations[trial]].add(sample, trial);
  Json json{{"trials", reader.trial_rows() / names.size()},
            {"trials_used", sample.timed.size()},
            {"trials_timed", std::ranges::count(sample.timed, true)},
            {"costs", reader.has_traces() ? costs_of_traces : costs_of_solves},
            {"pitfalls", pitfalls},
            {"targets", Json::array()},
            {"configurations", Json::array()}};
  for (const auto& [kind, group] : groups_of_kinds(sample, reader.table("configurations")))
    for (std::size_t target = 0; target < targets.size(); ++target)
      json["targets"].push_back({{"kind", kind},
                                 {"gap", targets[target]},
                                 {"trials_used", group.all.size()},
                                 {"trials_timed", group.timed.size()},
                                 {"solvers", of_kind(sample, group, names, target)}});
  for (const auto& [configuration, group] : configurations)
    for (std::size_t target = 0; target < targets.size(); ++target)
      json["configurations"].push_back(
          {{"configuration", configuration},
           {"gap", targets[target]},
           {"trials_used", group.all.size()},
           {"trials_timed", group.timed.size()},
           {"solvers", of_configuration(sample, group, names, target)}});
  TextFile file(paths.front());
  file.write(json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  file.publish(overwrite);
  return paths;
}

}  // namespace nucreg
