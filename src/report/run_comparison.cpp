#include "nucreg/report/run_comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "nucreg/core/error.hpp"
#include "nucreg/core/random.hpp"
#include "nucreg/core/text.hpp"
#include "resampler.hpp"
#include "text_table.hpp"

namespace nucreg {
namespace {

bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

bool identical(const Record& a, const Record& b) {
  return a.status == b.status && a.function_evaluations == b.function_evaluations &&
         a.jacobian_evaluations == b.jacobian_evaluations && same_bits(a.objective, b.objective) &&
         std::ranges::equal(a.params, b.params, same_bits);
}

}  // namespace

/// The two runs of a solver are the two solvers of a comparison.
struct RunComparison::Tally {
  Tally(std::string name, std::uint32_t number, const Table& configurations)
      : change{.solver = std::move(name)},
        runs(std::make_unique<ComparisonBuilder>(std::vector<std::string>{"B", "A"}, configurations,
                                                 ComparisonOptions{.overall_only = true})),
        random(0, number, 0, Purpose::resampling) {}
  SolverChange change;
  std::unique_ptr<ComparisonBuilder> runs;
  BlockedSample rmsd_changes;
  RandomStream random;
};

RunComparison::RunComparison(std::vector<std::string> solvers, std::size_t configurations) {
  // Regions of conditions are not asked for: no axis, numbers only.
  std::vector<std::int64_t> numbers(configurations);
  std::iota(numbers.begin(), numbers.end(), 0);
  const Table table{"configurations", {{"configuration", "1", std::move(numbers)}}};
  for (std::string& name : solvers)
    tallies_.emplace_back(std::move(name), static_cast<std::uint32_t>(tallies_.size()), table);
}

RunComparison::~RunComparison() = default;

void RunComparison::add(std::span<const Record> a, std::span<const Record> b) {
  if (a.size() != b.size() || a.size() != tallies_.size())
    throw InputError("a trial has other solves than there are solvers");
  for (std::size_t s = 0; s < a.size(); ++s) {
    std::array<Record, 2> runs{b[s], a[s]};
    if (runs[0].solver != s || runs[1].solver != s ||
        runs[0].configuration != runs[1].configuration || runs[0].trial != runs[1].trial)
      throw InputError("the solves of a trial are not sorted, or of different trials");
    Tally& tally = tallies_[s];
    const auto not_applicable =
        std::ranges::count(runs, SolveStatus::not_applicable, &Record::status);
    if (not_applicable == 2) continue;
    if (identical(runs[0], runs[1])) ++tally.change.identical;
    if (const double change = runs[0].rmsd_px - runs[1].rmsd_px; std::isfinite(change)) {
      tally.rmsd_changes.add(change, tally.random.bits());
      tally.change.largest_change_px = std::max(tally.change.largest_change_px, std::abs(change));
    }
    for (std::uint32_t run = 0; run < runs.size(); ++run) {
      runs[run].solver = run;
      // Of one run only: it has lost, or won, an answer.
      if (runs[run].status == SolveStatus::not_applicable) runs[run].status = SolveStatus::failed;
    }
    tally.runs->add(runs);
  }
}

std::vector<SolverChange> RunComparison::finish() {
  std::vector<SolverChange> all;
  Resampler resampler;
  for (Tally& tally : tallies_) {
    SolverChange& change = all.emplace_back(std::move(tally.change));
    change.pair = tally.runs->finish().overall().pairs.front();
    change.rmsd_change_px = tally.rmsd_changes.mean();
    change.rmsd_interval_px = resampler.mean_interval(tally.rmsd_changes);
  }
  return all;
}

namespace {

std::string interval_text(const ConfidenceInterval& interval, auto&& number) {
  return std::isnan(interval.low) ? "-" : number(interval.low) + " to " + number(interval.high);
}

std::string px_text(double value) {
  return number_text(std::abs(value) < rounding_px ? 0.0 : value);
}

}  // namespace

std::string to_text(std::span<const SolverChange> changes, double threshold, std::size_t width) {
  std::vector<TextColumn> speed{{"solver", false, 9}, {"time B/A", true, 8}, {"95 %", true, 7},
                                {"p", true, 1},       {"timed", true, 2},    {"speed", false, 6}};
  std::vector<TextColumn> results{
      {"solver", false, 9}, {"solves", true, 2},      {"same bits", true, 3}, {"better", true, 4},
      {"worse", true, 8},   {"RMSD B-A px", true, 7}, {"95 %", true, 6},      {"at most", true, 5}};
  const auto put = [](std::vector<TextColumn>& table, const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < table.size(); ++i) table[i].cells.push_back(cells[i]);
  };
  for (const SolverChange& c : changes) {
    const ConfidenceInterval& interval = c.pair.interval;
    put(speed, {c.solver, number_text(c.pair.ratio), interval_text(interval, number_text),
                std::isnan(c.pair.speed_p) ? "-" : fmt::format("{:.1g}", c.pair.speed_p),
                count_text(c.pair.timed),
                !c.compared()         ? "not compared"
                : c.slower(threshold) ? "B slower"
                : interval.high < 1.0 ? "B faster"
                : interval.low > 1.0  ? "B slower, within the threshold"
                                      : "no difference"});
    put(results,
        {c.solver, count_text(c.pair.trials), count_text(c.identical), count_text(c.pair.better_a),
         count_text(c.pair.better_b), px_text(c.rmsd_change_px),
         interval_text(c.rmsd_interval_px, px_text), px_text(c.largest_change_px)});
  }
  return render(std::move(speed), width) + "\n" + render(std::move(results), width);
}

std::string to_json(std::span<const SolverChange> changes, double threshold) {
  auto list = nlohmann::ordered_json::array();
  for (const SolverChange& c : changes)
    list.push_back({{"solver", c.solver},
                    {"solves", c.pair.trials},
                    {"timed", c.pair.timed},
                    {"compared", c.compared()},
                    {"time_ratio", c.pair.ratio},
                    {"time_ratio_low", c.pair.interval.low},
                    {"time_ratio_high", c.pair.interval.high},
                    {"time_p", c.pair.speed_p},
                    {"identical", c.identical},
                    {"better", c.pair.better_a},
                    {"worse", c.pair.better_b},
                    {"results_p", c.pair.arrival_p},
                    {"rmsd_change_px", c.rmsd_change_px},
                    {"rmsd_change_px_low", c.rmsd_interval_px.low},
                    {"rmsd_change_px_high", c.rmsd_interval_px.high},
                    {"largest_change_px", c.largest_change_px},
                    {"slower", c.slower(threshold)}});
  return list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace nucreg
