#include "nucreg/report/run_comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

#include "bounded_sample.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/random.hpp"
#include "nucreg/core/text.hpp"
#include "resampler.hpp"
#include "text_table.hpp"

namespace nucreg {
namespace {

constexpr double tolerance = 1e-6;
constexpr double rounding_floor_px2 = 1e-18;

bool arrived(const Record& r) {
  return r.status != SolveStatus::failed && r.status != SolveStatus::not_applicable &&
         std::isfinite(r.objective);
}

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

struct RunComparison::Tally {
  explicit Tally(std::uint32_t number) : random(0, number, 0, Purpose::resampling) {}
  SolverChange change;
  BlockedSample logs;
  BoundedSample ranked;
  RandomStream random;
};

RunComparison::RunComparison(std::vector<std::string> solvers) {
  tallies_.reserve(solvers.size());
  for (std::string& name : solvers) {
    const auto number = static_cast<std::uint32_t>(tallies_.size());
    tallies_.emplace_back(number).change.solver = std::move(name);
  }
}

RunComparison::~RunComparison() = default;

void RunComparison::add(std::span<const Record> a, std::span<const Record> b) {
  if (a.size() != b.size() || a.size() != tallies_.size())
    throw InputError("a trial has other solves than there are solvers");
  for (std::size_t s = 0; s < a.size(); ++s) {
    const Record &one = a[s], &two = b[s];
    if (one.solver != s || two.solver != s || one.configuration != two.configuration ||
        one.trial != two.trial)
      throw InputError("the solves of a trial are not sorted, or of different trials");
    if (one.status == SolveStatus::not_applicable && two.status == SolveStatus::not_applicable)
      continue;
    Tally& tally = tallies_[s];
    SolverChange& change = tally.change;
    ++change.solves;
    if (identical(one, two)) ++change.identical;
    if (!arrived(one) || !arrived(two)) {
      change.better += !arrived(one) && arrived(two) ? 1 : 0;
      change.worse += arrived(one) && !arrived(two) ? 1 : 0;
      continue;
    }
    change.largest_change_px =
        std::fmax(change.largest_change_px, std::abs(one.rmsd_px - two.rmsd_px));
    const double allowed = tolerance * std::min(one.objective, two.objective) +
                           rounding_floor_px2 * static_cast<double>(one.pairs);
    if (std::abs(one.objective - two.objective) > allowed) {
      ++(two.objective < one.objective ? change.better : change.worse);
      continue;
    }
    if (!one.timing_valid || !two.timing_valid) continue;
    if (const double log = std::log(two.wall_seconds / one.wall_seconds); std::isfinite(log)) {
      ++change.timed;
      tally.logs.add(log, tally.random.bits());
      tally.ranked.add(log, tally.random);
    }
  }
}

std::vector<SolverChange> RunComparison::changes() const {
  std::vector<SolverChange> all;
  Resampler resampler;
  for (const Tally& tally : tallies_) {
    SolverChange& change = all.emplace_back(tally.change);
    if (change.timed == 0) continue;
    change.time_ratio = std::exp(tally.logs.mean());
    const ConfidenceInterval logs = resampler.mean_interval(tally.logs);
    change.time_interval.low = std::exp(logs.low);
    change.time_interval.high = std::exp(logs.high);
    BoundedSample ranked = tally.ranked;
    change.time_p = wilcoxon_signed_rank(ranked.sorted()).p;
  }
  return all;
}

std::string to_text(std::span<const SolverChange> changes, double threshold, std::size_t width) {
  std::vector<TextColumn> columns{
      {"solver", false, 9}, {"solves", true, 3}, {"time B/A", true, 8},  {"95 % interval", true, 7},
      {"p", true, 1},       {"timed", true, 2},  {"same bits", true, 4}, {"better", true, 5},
      {"worse", true, 6},   {"speed", false, 6}};
  for (const SolverChange& c : changes) {
    const bool known = !std::isnan(c.time_interval.low);
    const std::vector<std::string> cells{
        c.solver,
        count_text(c.solves),
        number_text(c.time_ratio),
        known ? fmt::format("{} to {}", number_text(c.time_interval.low),
                            number_text(c.time_interval.high))
              : "-",
        std::isnan(c.time_p) ? "-" : number_text(c.time_p),
        count_text(c.timed),
        count_text(c.identical),
        count_text(c.better),
        count_text(c.worse),
        !c.compared()                ? "not compared"
        : !known                     ? "too few timings"
        : c.slower(threshold)        ? "B slower"
        : c.time_interval.high < 1.0 ? "B faster"
        : c.time_interval.low > 1.0  ? "B slower, within the threshold"
                                     : "no difference"};
    for (std::size_t i = 0; i < columns.size(); ++i) columns[i].cells.push_back(cells[i]);
  }
  return render(std::move(columns), width);
}

std::string to_json(std::span<const SolverChange> changes, double threshold) {
  auto list = nlohmann::ordered_json::array();
  for (const SolverChange& c : changes)
    list.push_back({{"solver", c.solver},
                    {"solves", c.solves},
                    {"timed", c.timed},
                    {"compared", c.compared()},
                    {"time_ratio", c.time_ratio},
                    {"time_ratio_low", c.time_interval.low},
                    {"time_ratio_high", c.time_interval.high},
                    {"time_p", c.time_p},
                    {"identical", c.identical},
                    {"better", c.better},
                    {"worse", c.worse},
                    {"largest_change_px", c.largest_change_px},
                    {"slower", c.slower(threshold)}});
  return list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace nucreg
