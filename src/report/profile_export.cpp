#include "nucreg/report/profile_export.hpp"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "export_folder.hpp"
#include "nucreg/core/terms.hpp"
#include "nucreg/report/profiles.hpp"
#include "table_access.hpp"
#include "text_file.hpp"
#include "trial_stream.hpp"

namespace nucreg {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array targets{1e-1, 1e-3, 1e-6, 1e-9};
constexpr std::uint64_t most_trials = 100'000;
constexpr const char* pitfalls =
    "A performance profile compares with the best solver of each problem: leaving a solver out can "
    "exchange the order of two others. All profiles depend on the target and on which problems "
    "there are.";

/// What one solve cost, and how near it came.
struct Solve {
  double gap = Record::nan, evaluations = 0.0, seconds = Record::nan;
};

/// Trials that are used: solves[trial * solvers + solver].
struct Sample {
  std::size_t solvers = 0;
  std::vector<Solve> solves;
  std::vector<bool> timed;  // by trial: all timings are valid
  std::vector<std::size_t> parameters;
  [[nodiscard]] std::size_t trials() const { return timed.size(); }
  /// Of the trials in `used`, infinite where the gap is above the target.
  [[nodiscard]] CostTable costs(const std::vector<std::size_t>& used, double target,
                                double Solve::*cost) const {
    CostTable table(used.size(), solvers);
    for (std::size_t p = 0; p < used.size(); ++p)
      for (std::size_t s = 0; s < solvers; ++s)
        if (const Solve& solve = solves[used[p] * solvers + s]; solve.gap <= target)
          table.at(p, s) = solve.*cost;
    return table;
  }
};

Sample sample_of(const ResultReader& reader, std::size_t solvers) {
  const Table configurations = reader.table("configurations");
  const auto& models = need<std::string>(configurations, "model");
  const std::uint64_t stride = reader.trial_rows() / solvers / most_trials + 1;
  Sample sample{.solvers = solvers};
  std::uint64_t row_number = 0;
  stream_trials(reader, [&](std::span<const Record> rows) {
    for (const Record& row : rows) {
      const std::uint64_t number = row_number++;
      if (row.solver != number % solvers || row.configuration >= models.size())
        throw InputError("rows are not whole trials of the solvers in the file",
                         {.key = "/trials"});
      if (number / solvers % stride != 0) continue;
      if (row.solver == 0) {
        const auto model = value_of<Model>(models[row.configuration]);
        if (!model) throw InputError("names no model", {.key = "/configurations/model"});
        sample.parameters.push_back(parameter_count(*model));
        sample.timed.push_back(true);
      }
      sample.solves.push_back(
          {row.gap, static_cast<double>(row.function_evaluations), row.wall_seconds});
      if (row.status != SolveStatus::not_applicable && !row.timing_valid)
        sample.timed.back() = false;
    }
  });
  return sample;
}

Json json_of(const Profile& profile) {
  return {{"budget", profile.budget}, {"share", profile.share}};
}

Json average_of(const Sample& sample, const std::vector<std::size_t>& used, std::size_t solver,
                double target, double Solve::*cost) {
  std::vector<double> spent;
  std::vector<bool> reached;
  for (const std::size_t trial : used) {
    const Solve& solve = sample.solves[trial * sample.solvers + solver];
    if (std::isnan(solve.*cost)) continue;  // a solve that threw has no time
    spent.push_back(solve.*cost);
    reached.push_back(solve.gap <= target);
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
  const auto& names = need<std::string>(solver_table, "name");
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
            {"pitfalls", pitfalls},
            {"targets", Json::array()}};
  for (const double target : targets) {
    const CostTable evaluations = sample.costs(all, target, &Solve::evaluations);
    const CostTable seconds = sample.costs(timed, target, &Solve::seconds);
    Json solvers = Json::array();
    for (std::size_t s = 0; s < names.size(); ++s)
      solvers.push_back({{"solver", names[s]},
                         {"evaluations",
                          {{"runtime", json_of(runtime_distribution(evaluations, s))},
                           {"performance", json_of(performance_profile(evaluations, s))},
                           {"data", json_of(data_profile(evaluations, sample.parameters, s))},
                           {"average", average_of(sample, all, s, target, &Solve::evaluations)}}},
                         {"seconds",
                          {{"runtime", json_of(runtime_distribution(seconds, s))},
                           {"performance", json_of(performance_profile(seconds, s))},
                           {"average", average_of(sample, timed, s, target, &Solve::seconds)}}}});
    json["targets"].push_back({{"gap", target}, {"solvers", std::move(solvers)}});
  }
  TextFile file(paths.front());
  file.write(json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  file.publish(overwrite);
  return paths;
}

}  // namespace nucreg
