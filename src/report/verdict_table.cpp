#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "nucreg/report/verdict.hpp"

namespace nucreg {
namespace {

const char* scope_name(Region::Scope scope) {
  switch (scope) {
    case Region::Scope::overall:
      return "overall";
    case Region::Scope::axis:
      return "axis";
    case Region::Scope::configuration:
      return "configuration";
  }
  return "";
}

const char* finding_name(SpeedFinding finding) {
  switch (finding) {
    case SpeedFinding::faster:
      return "faster";
    case SpeedFinding::same:
      return "no difference";
    case SpeedFinding::undecided:
      return "not enough trials";
    case SpeedFinding::incomparable:
      return "no times to compare";
  }
  return "";
}

}  // namespace

bool is_verdict_scope(std::string_view name) {
  using enum Region::Scope;
  return std::ranges::any_of(std::array{overall, axis, configuration},
                             [&](Region::Scope scope) { return scope_name(scope) == name; });
}

bool is_verdict_finding(std::string_view name) {
  using enum SpeedFinding;
  return std::ranges::any_of(std::array{faster, same, undecided, incomparable},
                             [&](SpeedFinding finding) { return finding_name(finding) == name; });
}

Table verdict_table(const Comparison& comparison) {
  Table table{.name = "verdict"};
  struct Row {
    const Region* region;
    const PairStatistics* pair;
  };
  std::vector<Row> rows;
  for (const Region& region : comparison.regions)
    for (const PairStatistics& pair : region.pairs) rows.push_back({&region, &pair});

  const auto add = [&]<class T>(T, const char* name, const char* units, auto&& value) {
    std::vector<T> values;
    values.reserve(rows.size());
    for (const Row& row : rows) values.push_back(static_cast<T>(value(*row.region, *row.pair)));
    table.columns.push_back({name, units, std::move(values)});
  };
  using R = Region;
  using P = PairStatistics;
  const auto name_of_side = [&](const P& pair, Side side) -> std::string {
    if (side == Side::neither) return "";
    return comparison.solvers[side == Side::a ? pair.a : pair.b];
  };
  const std::string text;
  constexpr std::int64_t count = 0;
  constexpr double number = 0.0;
  add(text, "scope", "1", [](const R& r, const P&) { return std::string(scope_name(r.scope)); });
  add(text, "axis", "1", [](const R& r, const P&) { return r.axis; });
  add(text, "value", "1", [](const R& r, const P&) { return r.value; });
  add(count, "configuration", "1", [](const R& r, const P&) { return r.configuration; });
  add(count, "configurations", "1", [](const R& r, const P&) { return r.configurations; });
  add(text, "solver_a", "1", [&](const R&, const P& p) { return comparison.solvers[p.a]; });
  add(text, "solver_b", "1", [&](const R&, const P& p) { return comparison.solvers[p.b]; });
  add(count, "trials", "1", [](const R&, const P& p) { return p.trials; });
  add(count, "failed_a", "1", [](const R&, const P& p) { return p.failed_a; });
  add(count, "failed_b", "1", [](const R&, const P& p) { return p.failed_b; });
  add(count, "equal", "1", [](const R&, const P& p) { return p.equal; });
  add(count, "better_a", "1", [](const R&, const P& p) { return p.better_a; });
  add(count, "better_b", "1", [](const R&, const P& p) { return p.better_b; });
  add(count, "timed", "1", [](const R&, const P& p) { return p.timed; });
  add(count, "left_out", "1", [](const R&, const P& p) { return p.equal - p.timed; });
  add(number, "time_ratio", "1", [](const R&, const P& p) { return p.ratio; });
  add(number, "time_ratio_low", "1", [](const R&, const P& p) { return p.interval.low; });
  add(number, "time_ratio_high", "1", [](const R&, const P& p) { return p.interval.high; });
  add(number, "log_ratio_std", "1", [](const R&, const P& p) { return p.spread; });
  add(number, "effect", "1", [](const R&, const P& p) { return p.effect; });
  add(number, "speed_p", "1", [](const R&, const P& p) { return p.speed_p; });
  add(number, "speed_p_holm", "1", [](const R&, const P& p) { return p.speed_p_holm; });
  add(number, "arrival_p", "1", [](const R&, const P& p) { return p.arrival_p; });
  add(number, "arrival_p_holm", "1", [](const R&, const P& p) { return p.arrival_p_holm; });
  add(true, "sampled", "1", [](const R&, const P& p) { return p.sampled; });
  add(text, "finding", "1",
      [](const R&, const P& p) { return std::string(finding_name(p.finding)); });
  add(text, "faster", "1", [&](const R&, const P& p) { return name_of_side(p, p.faster); });
  add(text, "arrives", "1", [&](const R&, const P& p) { return name_of_side(p, p.arrives); });
  add(count, "more_trials", "1", [](const R&, const P& p) { return p.more_trials; });
  add(text, "sentence", "1",
      [&](const R& r, const P& p) { return pair_sentence(comparison, r, p); });
  return table;
}

Table solver_rank_table(const Comparison& comparison) {
  const SolverRanks& ranks = comparison.ranks;
  const std::size_t solvers = comparison.solvers.size();
  return {
      "verdict_ranks",
      {{"solver", "1", comparison.solvers},
       {"mean_rank", "1", ranks.mean_rank},
       {"trials", "1", std::vector<std::int64_t>(solvers, static_cast<std::int64_t>(ranks.trials))},
       {"friedman_p", "1", std::vector<double>(solvers, ranks.friedman_p)},
       {"critical_difference", "1", std::vector<double>(solvers, ranks.critical_difference)}}};
}

}  // namespace nucreg
