#include "nucreg/report/export.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "export_file.hpp"
#include "nucreg/core/table.hpp"
#include "nucreg/core/terms.hpp"
#include "nucreg/disk/publish.hpp"
#include "nucreg/stats/profiles.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array targets{1e-1, 1e-3, 1e-6, 1e-9};
constexpr std::uint64_t most_solves = 100'000;
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

/// What one solve cost, and what it cost to reach each target, infinite where it did not.
struct Solve {
  Cost whole;
  std::array<Cost, targets.size()> at_target;
};

/// Trials that are used: solves[trial * solvers + solver].
struct Sample {
  std::size_t solvers = 0;
  std::vector<Solve> solves;
  std::vector<bool> timed;  // by trial: all timings are valid
  std::vector<std::size_t> parameters;
  [[nodiscard]] std::size_t trials() const { return timed.size(); }
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

// The answer tells whether a target was reached, the trace when. An answer within rounding of the
// best known has gap 0: what is as low as the answer is near enough, too.
Solve solve_of(const Record& row) {
  Solve solve{.whole = {static_cast<double>(row.function_evaluations), row.wall_seconds},
              .at_target = {}};
  const double best = row.objective / (1.0 + row.gap);
  for (std::size_t t = 0; t < targets.size(); ++t) {
    if (row.status == SolveStatus::failed || !(row.gap <= targets[t])) continue;
    const double enough = std::fmax(row.objective, best * (1.0 + targets[t]));
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
  const std::uint64_t stride = reader.trial_rows() / most_solves + 1;
  Sample sample{.solvers = solvers};
  std::uint64_t trial_number = 0;
  for (TrialCursor at(reader, 0, solvers); !at.done(); at.next()) {
    const std::span<const Record> trial = at.rows();
    if (trial[0].configuration >= models.size())
      throw InputError("a row names what is not in the file", {.key = "/trials/configuration"});
    if (trial_number++ % stride != 0) continue;
    const auto model = value_of<Model>(models[trial[0].configuration]);
    if (!model) throw InputError("names no model", {.key = "/configurations/model"});
    sample.parameters.push_back(parameter_count(*model));
    sample.timed.push_back(std::ranges::all_of(trial, [](const Record& row) {
      return row.status == SolveStatus::not_applicable || row.timing_valid;
    }));
    for (const Record& row : trial) sample.solves.push_back(solve_of(row));
  }
  return sample;
}

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

}  // namespace

std::vector<std::filesystem::path> export_profiles(const ResultReader& reader,
                                                   const std::filesystem::path& directory,
                                                   bool overwrite) {
  auto paths = export_paths(directory, {"profiles.json"}, overwrite);
  const Table solver_table = reader.table("solvers");
  const auto& names = solver_table.get<std::string>("name");
  if (names.empty()) throw InputError("has no rows", {.key = "/solvers"});
  const Sample sample = sample_of(reader, names.size());
  std::vector<std::size_t> all, timed;
  for (std::size_t trial = 0; trial < sample.trials(); ++trial) {
    all.push_back(trial);
    if (sample.timed[trial]) timed.push_back(trial);
  }
  Json json{{"trials", reader.trial_rows() / names.size()},
            {"trials_used", all.size()},
            {"trials_timed", timed.size()},
            {"costs", reader.has_traces() ? costs_of_traces : costs_of_solves},
            {"pitfalls", pitfalls},
            {"targets", Json::array()}};
  for (std::size_t target = 0; target < targets.size(); ++target) {
    const CostTable evaluations = sample.costs(all, target, &Cost::evaluations);
    // Else all others are infinitely far behind a closed form, which needs no evaluation.
    const CostTable at_least_one = sample.costs(all, target, &Cost::evaluations, 1.0);
    const CostTable seconds = sample.costs(timed, target, &Cost::seconds);
    Json solvers = Json::array();
    for (std::size_t s = 0; s < names.size(); ++s)
      solvers.push_back({{"solver", names[s]},
                         {"evaluations",
                          {{"runtime", json_of(runtime_distribution(evaluations, s))},
                           {"performance", json_of(performance_profile(at_least_one, s))},
                           {"data", json_of(data_profile(evaluations, sample.parameters, s))},
                           {"average", average_of(sample, all, s, target, &Cost::evaluations)}}},
                         {"seconds",
                          {{"runtime", json_of(runtime_distribution(seconds, s))},
                           {"performance", json_of(performance_profile(seconds, s))},
                           {"average", average_of(sample, timed, s, target, &Cost::seconds)}}}});
    json["targets"].push_back({{"gap", targets[target]}, {"solvers", std::move(solvers)}});
  }
  TextFile file(paths.front());
  file.write(json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  file.publish(overwrite);
  return paths;
}

}  // namespace nucreg
