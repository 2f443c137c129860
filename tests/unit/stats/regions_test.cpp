#include <doctest/doctest.h>

#include <algorithm>

#include "nucreg/stats/comparison.hpp"
#include "nucreg/stats/verdict.hpp"
#include "support/verdict_simulation.hpp"

using namespace nucreg;

namespace {

/// 40 trials of a configuration in which two solvers take the same time, give or take.
std::vector<Record> even_timings(std::uint32_t configuration) {
  std::vector<Record> rows;
  for (std::uint32_t trial = 0; trial < 40; ++trial)
    for (std::uint32_t solver = 0; solver < 2; ++solver) {
      Record& row = rows.emplace_back();
      row.configuration = configuration;
      row.trial = trial;
      row.solver = solver;
      row.pairs = 100;
      row.status = SolveStatus::converged;
      row.objective = 1.0;
      row.wall_seconds = 1e-3 + (solver == 0 ? 1e-5 * (trial % 7) : 0.0);
      row.timing_valid = true;
    }
  return rows;
}

void mentions(const std::string& sentence, const std::string& words) {
  INFO(sentence);
  CHECK_MESSAGE(sentence.find(words) != std::string::npos, words);
}

/// Of the whole, as /verdict holds it.
std::string finding_of_whole(const Comparison& comparison) {
  return verdict_table(comparison).get<std::string>("finding").at(0);
}

}  // namespace

namespace {

/// Points 100 and 200, noise 0 and 1, so many layouts: who is faster hangs on points and noise
/// together, or on points alone.
Comparison crossed(std::uint32_t layouts, bool on_both) {
  std::vector<Record> rows;
  for (std::uint32_t c = 0; c < 4 * layouts; ++c) {
    const std::uint32_t points = c / layouts / 2, noise = c / layouts % 2;
    const bool first_wins = points == (on_both ? noise : 0);
    for (Record row : even_timings(c)) {
      // Either way round by the same factor, so that all together say nothing.
      if (row.solver == (first_wins ? 1 : 0)) row.wall_seconds *= 2.0;
      rows.push_back(row);
    }
  }
  ComparisonBuilder builder({"x", "y"}, simulation::configurations(4 * layouts, layouts));
  builder.add(rows);
  return builder.finish();
}

std::vector<std::string> names_of(const Comparison& comparison, Region::Scope scope) {
  std::vector<std::string> names;
  for (const Region& region : comparison.regions)
    if (region.scope == scope) names.push_back(region_name(region));
  return names;
}

}  // namespace

TEST_CASE("what two axes say together is said where neither says it alone") {
  const Comparison c = crossed(2, true);
  for (const Region& region : c.regions)
    if (region.scope == Region::Scope::axis) CHECK(region.pairs[0].faster == Side::neither);
  CHECK(names_of(c, Region::Scope::two_axes).size() == 12);
  const Verdict verdict = make_verdict(c);
  REQUIRE(verdict.flips.size() == 4);
  mentions(verdict.flips[0], "points = 100, noise_px = 0: x is 1.9");
  mentions(verdict.flips[1], "points = 100, noise_px = 1: y is 2.0");
  mentions(verdict.flips[2], "points = 200, noise_px = 0: y is 2.0");
  mentions(verdict.flips[3], "points = 200, noise_px = 1: x is 1.9");
  CHECK(finding_of_whole(c) == "differs between regions");
  CHECK(verdict.more.empty());

  const Table table = verdict_table(c);
  const auto& scope = table.get<std::string>("scope");
  const auto at = static_cast<std::size_t>(std::ranges::find(scope, "two axes") - scope.begin());
  REQUIRE(at == 7);  // after the whole and three axes of two values
  CHECK(table.get<std::string>("axis")[at] == "points");
  CHECK(table.get<std::string>("value")[at] == "100");
  CHECK(table.get<std::string>("axis_2")[at] == "noise_px");
  CHECK(table.get<std::string>("value_2")[at] == "0");
  CHECK(table.get<std::int64_t>("configurations")[at] == 2);
  CHECK(table.get<std::int64_t>("trials")[at] == 80);
  CHECK(table.get<std::string>("faster")[at] == "x");
}

TEST_CASE("what one axis says is not said again of two") {
  const Comparison c = crossed(2, false);
  const Verdict verdict = make_verdict(c);
  REQUIRE(verdict.flips.size() == 2);
  mentions(verdict.flips[0], "points = 100: x is 1.9");
  mentions(verdict.flips[1], "points = 200: y is 2.0");
}

TEST_CASE("with two axes a configuration is a region of both, and is judged once") {
  const Comparison c = crossed(1, true);
  CHECK(names_of(c, Region::Scope::two_axes).empty());
  CHECK(names_of(c, Region::Scope::configuration) ==
        std::vector<std::string>{"points = 100, noise_px = 0", "points = 100, noise_px = 1",
                                 "points = 200, noise_px = 0", "points = 200, noise_px = 1"});
  const Verdict verdict = make_verdict(c);
  REQUIRE(verdict.flips.size() == 4);
  mentions(verdict.flips[2], "points = 200, noise_px = 0: y is 2.0");
}

TEST_CASE("a solver that is better in one region of two axes only is named there") {
  std::vector<Record> rows;
  for (std::uint32_t c = 0; c < 18; ++c)  // 3 x 3 x 2 layouts
    for (Record row : even_timings(c)) {
      row.wall_seconds *= 1.0 + 0.3 * ((row.trial * (row.solver + 3)) % 11);  // times overlap
      if (row.solver == 1 && c / 2 == 1) row.wall_seconds *= 0.5;
      rows.push_back(row);
    }
  ComparisonBuilder builder({"x", "y"}, simulation::configurations(18, 2));
  builder.add(rows);
  const Comparison c = builder.finish();
  for (const Region& region : c.regions)
    if (region.axis_2 == "noise_px")
      CHECK((region.pairs[0].faster == Side::b) ==
            (region_name(region) == "points = 100, noise_px = 1"));
}

TEST_CASE("axes are crossed as long as the regions are not too many") {
  const Table table = simulation::configurations(18, 2);
  const auto crossed_pairs = [&](std::size_t most) {
    std::vector<std::string> found;
    for (const Region& region : map_regions(table, most).regions)
      if (region.scope == Region::Scope::two_axes &&
          (found.empty() || found.back() != region.axis + " x " + region.axis_2))
        found.push_back(region.axis + " x " + region.axis_2);
    return found;
  };
  CHECK(crossed_pairs(0).empty());
  CHECK(crossed_pairs(8) == std::vector<std::string>{"points x layout"});
  CHECK(crossed_pairs(9) == std::vector<std::string>{"points x noise_px"});
  CHECK(crossed_pairs(21) ==
        std::vector<std::string>{"points x noise_px", "points x layout", "noise_px x layout"});
}

TEST_CASE("an axis that follows from another is not crossed with it") {
  Table table = simulation::configurations(4);
  table.columns.push_back({"density", "1", std::vector<double>{1.0, 1.0, 2.0, 2.0}});
  for (const Region& region : map_regions(table, 100).regions)
    CHECK(region.scope != Region::Scope::two_axes);
}

TEST_CASE("an axis of many numbers is halved, one of many words left out") {
  Table table = simulation::configurations(100);  // ten values each
  table.columns.push_back({"file", "1", std::vector<std::string>{}});
  for (int c = 0; c < 100; ++c)
    std::get<std::vector<std::string>>(table.columns.back().values).push_back(std::to_string(c));
  const Comparison c = ComparisonBuilder({"a", "b"}, table).finish();
  std::vector<std::string> names;
  for (const Region& region : c.regions) names.push_back(region_name(region));
  CHECK(names == std::vector<std::string>{
                     "overall", "points <= 500", "points > 500", "noise_px <= 4", "noise_px > 4",
                     "points <= 500, noise_px <= 4", "points <= 500, noise_px > 4",
                     "points > 500, noise_px <= 4", "points > 500, noise_px > 4"});
  CHECK(c.regions[1].configurations == 50);
}
