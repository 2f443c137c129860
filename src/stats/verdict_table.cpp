#include <algorithm>
#include <array>

#include "nucreg/stats/verdict.hpp"
#include "pair_text.hpp"

namespace nucreg {
namespace {

const char* scope_name(Region::Scope scope) {
  switch (scope) {
    case Region::Scope::overall:
      return "overall";
    case Region::Scope::axis:
      return "axis";
    case Region::Scope::two_axes:
      return "two axes";
    case Region::Scope::configuration:
      return "configuration";
  }
  return "";
}

/// `differs`: between regions, so that the whole has no answer.
const char* finding_name(const PairStatistics& pair, bool differs = false) {
  switch (pair.finding) {
    case SpeedFinding::faster:
      return "faster";
    case SpeedFinding::same:
      return "no difference";
    case SpeedFinding::undecided:
      if (pair.lacks_timings()) return "timings not valid";
      if (differs) return "differs between regions";
      if (pair.more_trials == 0) return "unclear";
      return "not enough trials";
    case SpeedFinding::mixed:
      return "faster, but costs more";
    case SpeedFinding::neither:
      return "neither arrives";
    case SpeedFinding::incomparable:
      return "no times to compare";
  }
  return "";
}

}  // namespace

bool is_verdict_scope(std::string_view name) {
  using enum Region::Scope;
  return std::ranges::any_of(std::array{overall, axis, two_axes, configuration},
                             [&](Region::Scope scope) { return scope_name(scope) == name; });
}

bool is_verdict_finding(std::string_view name) {
  using enum SpeedFinding;
  return std::ranges::any_of(
      std::array<PairStatistics, 8>{{{.finding = faster},
                                     {.finding = same},
                                     {.finding = undecided},
                                     {.finding = undecided, .more_trials = 1},
                                     {.equal = 1, .finding = undecided},
                                     {.finding = mixed},
                                     {.finding = neither},
                                     {.finding = incomparable}}},
      [&](const PairStatistics& pair) {
        return finding_name(pair) == name || finding_name(pair, true) == name;
      });
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

  const auto add = [&](const char* name, auto&& value) {
    table.add(name, "1", rows, [&](const Row& row) { return value(*row.region, *row.pair); });
  };
  using R = Region;
  using P = PairStatistics;
  const auto name_of_side = [&](const P& pair, Side side) -> std::string {
    if (side == Side::neither) return "";
    return comparison.solvers[side == Side::a ? pair.a : pair.b];
  };
  add("scope", [](const R& r, const P&) { return scope_name(r.scope); });
  add("kind", [](const R& r, const P&) { return r.kind; });
  add("axis", [](const R& r, const P&) { return r.axis; });
  add("value", [](const R& r, const P&) { return r.value; });
  add("axis_2", [](const R& r, const P&) { return r.axis_2; });
  add("value_2", [](const R& r, const P&) { return r.value_2; });
  add("configuration", [](const R& r, const P&) { return r.configuration; });
  add("configurations", [](const R& r, const P&) { return r.configurations; });
  add("solver_a", [&](const R&, const P& p) { return comparison.solvers[p.a]; });
  add("solver_b", [&](const R&, const P& p) { return comparison.solvers[p.b]; });
  add("trials", [](const R&, const P& p) { return p.trials; });
  add("failed_a", [](const R&, const P& p) { return p.failed_a; });
  add("failed_b", [](const R&, const P& p) { return p.failed_b; });
  add("arrival_known", [](const R&, const P& p) { return p.known; });
  add("arrived_a", [](const R&, const P& p) { return p.arrived_a; });
  add("arrived_b", [](const R&, const P& p) { return p.arrived_b; });
  add("equal", [](const R&, const P& p) { return p.equal; });
  add("better_a", [](const R&, const P& p) { return p.better_a; });
  add("better_b", [](const R&, const P& p) { return p.better_b; });
  add("timed", [](const R&, const P& p) { return p.timed; });
  add("left_out", [](const R&, const P& p) { return p.equal - p.timed; });
  add("time_ratio", [](const R&, const P& p) { return p.ratio; });
  add("time_ratio_low", [](const R&, const P& p) { return p.interval.low; });
  add("time_ratio_high", [](const R&, const P& p) { return p.interval.high; });
  add("total_ratio", [](const R&, const P& p) { return p.total_ratio; });
  add("total_ratio_low", [](const R&, const P& p) { return p.total_interval.low; });
  add("total_ratio_high", [](const R&, const P& p) { return p.total_interval.high; });
  add("evaluations_a", [](const R&, const P& p) { return p.evaluations_a; });
  add("evaluations_b", [](const R&, const P& p) { return p.evaluations_b; });
  add("log_ratio_std", [](const R&, const P& p) { return p.spread; });
  add("effect", [](const R&, const P& p) { return p.effect; });
  add("speed_p", [](const R&, const P& p) { return p.speed_p; });
  add("speed_p_holm", [](const R&, const P& p) { return p.speed_p_holm; });
  add("arrival_p", [](const R&, const P& p) { return p.arrival_p; });
  add("arrival_p_holm", [](const R&, const P& p) { return p.arrival_p_holm; });
  add("sampled", [](const R&, const P& p) { return p.sampled; });
  add("finding", [&](const R& r, const P& p) {
    return finding_name(p, r.scope == R::Scope::overall && regions_differ(comparison, r, p));
  });
  add("faster", [&](const R&, const P& p) { return name_of_side(p, p.faster); });
  add("arrives", [&](const R&, const P& p) { return name_of_side(p, p.arrives); });
  add("more_trials", [](const R&, const P& p) { return p.more_trials; });
  add("sentence", [&](const R& r, const P& p) { return pair_sentence(comparison, r, p); });
  return table;
}

Table fit_verdict_table(const Comparison& comparison) {
  Table table{.name = "fit_verdict"};
  using F = FitPair;
  const auto add = [&](const char* name, auto&& value) {
    table.add(name, "1", comparison.fits, value);
  };
  add("axis", [](const F& f) { return f.axis; });
  add("value_a", [](const F& f) { return f.a; });
  add("value_b", [](const F& f) { return f.b; });
  add("kind", [](const F& f) { return f.kind; });
  add("solver", [&](const F& f) { return comparison.solvers.at(f.solver); });
  add("trials", [](const F& f) { return f.trials; });
  add("arrived_a", [](const F& f) { return f.arrived_a; });
  add("arrived_b", [](const F& f) { return f.arrived_b; });
  add("only_a", [](const F& f) { return f.only_a; });
  add("only_b", [](const F& f) { return f.only_b; });
  add("p", [](const F& f) { return f.p; });
  add("p_holm", [](const F& f) { return f.p_holm; });
  add("arrives", [](const F& f) {
    return f.better < 0 ? f.a : f.better > 0 ? f.b : std::string();
  });
  return table;
}

}  // namespace nucreg
