#include "nucreg/stats/run_comparison.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>

#include "nucreg/core/bytes.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/random.hpp"
#include "nucreg/stats/samples.hpp"

namespace nucreg {
namespace {

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
        runs(std::make_unique<ComparisonBuilder>(
            std::vector<std::string>{"B", "A"}, configurations,
            ComparisonOptions{.by_arrival = false, .overall_only = true})),
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
      // Only one run has it: an answer was lost, or won.
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
    change.pair = tally.runs->finish().wholes().front().pairs.front();
    change.rmsd_change_px = tally.rmsd_changes.mean();
    change.rmsd_interval_px = resampler.mean_interval(tally.rmsd_changes);
  }
  return all;
}

}  // namespace nucreg
