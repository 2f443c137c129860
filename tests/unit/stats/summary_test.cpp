#include "nucreg/stats/summary.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>

#include "nucreg/core/error.hpp"

using namespace nucreg;

namespace {

constexpr double missing = Record::nan;
constexpr double infinity = std::numeric_limits<double>::infinity();

Record row(std::uint32_t configuration, std::uint32_t solver, double rmsd) {
  Record r;
  r.configuration = configuration;
  r.solver = solver;
  r.status = SolveStatus::converged;
  r.rmsd_px = rmsd;
  return r;
}

Table summarise(std::size_t solvers, std::initializer_list<Record> rows) {
  SummaryBuilder builder(solvers);
  for (const Record& r : rows) builder.add({&r, 1});  // split over calls
  return builder.finish();
}

std::int64_t count(const Table& table, const char* column, std::size_t row = 0) {
  return table.get<std::int64_t>(column).at(row);
}
double value(const Table& table, const char* column, std::size_t row = 0) {
  return table.get<double>(column).at(row);
}

}  // namespace

TEST_CASE("no rows give an empty table with all columns") {
  const Table table = summarise(2, {});
  CHECK(table.name == "summary");
  CHECK(table.rows() == 0);
  CHECK(table.columns.size() == 6 + 12 * 6 + 7 + 1);
  CHECK(table.at("wall_s_p95").units == "s");
  CHECK(table.at("wall_s_count").units == "1");
  CHECK(table.at("peak_bytes_mean").units == "B");
}

TEST_CASE("values are those of NumPy") {
  // numpy: a = [3, 1, 4, 1.5, 9, 2.6]; mean 3.516666..., sum of squares 116.01,
  // percentile 5: 1.125, 50: 2.8, 95: 7.75
  const Table t = summarise(
      1, {row(0, 0, 3), row(0, 0, 1), row(0, 0, 4), row(0, 0, 1.5), row(0, 0, 9), row(0, 0, 2.6)});
  REQUIRE(t.rows() == 1);
  CHECK(count(t, "count") == 6);
  CHECK(count(t, "rmsd_px_count") == 6);
  CHECK(value(t, "rmsd_px_mean") == doctest::Approx(21.1 / 6.0).epsilon(1e-15));
  CHECK(value(t, "rmsd_px_std") == doctest::Approx(std::sqrt((116.01 - 21.1 * 21.1 / 6) / 5)));
  CHECK(value(t, "rmsd_px_median") == doctest::Approx(2.8).epsilon(1e-15));
  CHECK(value(t, "rmsd_px_p05") == doctest::Approx(1.125).epsilon(1e-15));
  CHECK(value(t, "rmsd_px_p95") == doctest::Approx(7.75).epsilon(1e-15));
}

TEST_CASE("one row has no standard deviation, and every quantile is it") {
  const Table t = summarise(1, {row(0, 0, 2.5)});
  CHECK(value(t, "rmsd_px_mean") == 2.5);
  CHECK(std::isnan(value(t, "rmsd_px_std")));
  for (const char* column : {"rmsd_px_median", "rmsd_px_p05", "rmsd_px_p95"})
    CHECK(value(t, column) == 2.5);
}

TEST_CASE("NaN and infinity are counted, not averaged") {
  Record unbounded = row(0, 0, missing);
  unbounded.gap = infinity;
  Record plain = row(0, 0, 1.0);
  plain.gap = 0.5;
  const Table t = summarise(1, {unbounded, plain, row(0, 0, 3.0)});
  CHECK(count(t, "count") == 3);
  CHECK(count(t, "rmsd_px_count") == 2);
  CHECK(value(t, "rmsd_px_mean") == 2.0);
  CHECK(count(t, "gap_count") == 1);
  CHECK(value(t, "gap_mean") == 0.5);
  CHECK(count(t, "tre_px_count") == 0);
  CHECK(std::isnan(value(t, "tre_px_median")));
}

TEST_CASE("arrivals have a rate, Wilson's interval and the cost of one") {
  std::vector<Record> rows;
  for (int i = 0; i < 60; ++i) {
    Record r = row(0, 0, 1.0);
    r.tre_px = i < 57 ? 1.0 : 50.0;
    r.arrival_px = 10.0;
    r.arrived = r.arrives();
    r.function_evaluations = i < 57 ? 10 : 200;
    r.wall_seconds = 1e-3;
    r.timing_valid = i % 2 == 0;
    if (i % 2 != 0) r.wall_seconds = 1.0;  // interrupted
    rows.push_back(r);
  }
  SummaryBuilder builder(1);
  builder.add(rows);
  const Table t = builder.finish();
  CHECK(count(t, "arrival_known") == 60);
  CHECK(count(t, "arrived") == 57);
  CHECK(value(t, "arrival_rate") == 57.0 / 60.0);
  // scipy.stats.binomtest(57, 60).proportion_ci(method="wilson")
  CHECK(value(t, "arrival_low") == doctest::Approx(0.8629948352).epsilon(1e-9));
  CHECK(value(t, "arrival_high") == doctest::Approx(0.9828504979).epsilon(1e-9));
  CHECK(value(t, "expected_evaluations") == doctest::Approx((57 * 10 + 3 * 200) / 57.0));
  CHECK(value(t, "expected_s") == doctest::Approx(60e-3 / 57.0));
}

TEST_CASE("without an arrival the cost of one is infinite, if unknown it is none") {
  Record lost = row(0, 0, 1.0), unknown = row(1, 0, 1.0), failed = row(2, 0, 1.0);
  lost.tre_px = 11.0;
  lost.arrival_px = failed.arrival_px = 10.0;
  failed.tre_px = 1.0;
  lost.function_evaluations = 5;
  failed.status = SolveStatus::failed;
  failed.arrived = failed.arrives();
  const Table t = summarise(1, {lost, unknown, failed});
  CHECK(value(t, "arrival_rate", 0) == 0.0);
  CHECK(value(t, "expected_evaluations", 0) == infinity);
  CHECK(count(t, "arrival_known", 1) == 0);
  lost.function_evaluations = 0;  // as a closed form has
  CHECK(value(summarise(1, {lost}), "expected_evaluations", 0) == infinity);
  CHECK(std::isnan(value(t, "arrival_rate", 1)));
  CHECK(std::isnan(value(t, "arrival_low", 1)));
  CHECK(count(t, "arrived", 2) == 0);
}

TEST_CASE("failures are counted, and what they measured too") {
  Record failed = row(0, 0, missing);
  failed.status = SolveStatus::failed;
  failed.function_evaluations = 40;
  const Table t = summarise(1, {failed, failed});
  CHECK(count(t, "count") == 2);
  CHECK(count(t, "failures") == 2);
  CHECK(std::isnan(value(t, "rmsd_px_mean")));
  CHECK(value(t, "function_evaluations_mean") == 40.0);
}

TEST_CASE("rows that are not applicable are no failures and no measures") {
  Record other = row(0, 0, missing);
  other.status = SolveStatus::not_applicable;
  const Table t = summarise(1, {other, other});
  CHECK(count(t, "count") == 2);
  CHECK(count(t, "not_applicable") == 2);
  CHECK(count(t, "failures") == 0);
  CHECK(count(t, "function_evaluations_count") == 0);
  CHECK(std::isnan(value(t, "peak_bytes_mean")));
}

TEST_CASE("iterations that a library does not tell are left out") {
  Record unknown = row(0, 0, 1.0), known = row(0, 0, 1.0);
  unknown.iterations = -1;
  known.iterations = 0;
  const Table t = summarise(1, {unknown, known});
  CHECK(count(t, "iterations_count") == 1);
  CHECK(value(t, "iterations_mean") == 0.0);
}

TEST_CASE("times are those with a valid timing, where there are any") {
  const auto timed = [](double seconds, bool valid) {
    Record r = row(0, 0, 1.0);
    r.wall_seconds = r.cpu_seconds = seconds;
    r.timing_valid = valid;
    return r;
  };
  Table t = summarise(1, {timed(9, false), timed(2, true), timed(8, false), timed(4, true)});
  CHECK(count(t, "timing_valid") == 2);
  CHECK(count(t, "wall_s_count") == 2);
  CHECK(value(t, "wall_s_mean") == 3.0);
  CHECK(value(t, "cpu_s_mean") == 3.0);
  CHECK(count(t, "rmsd_px_count") == 4);
  t = summarise(1, {timed(9, false), timed(1, false)});
  CHECK(value(t, "wall_s_mean") == 5.0);
}

TEST_CASE("each configuration has a row for each solver, also for one without rows") {
  const Table t = summarise(2, {row(0, 0, 1), row(0, 1, 2), row(3, 1, 4), row(3, 1, 6)});
  CHECK(t.get<std::int64_t>("configuration") == std::vector<std::int64_t>{0, 0, 3, 3});
  CHECK(t.get<std::int64_t>("solver") == std::vector<std::int64_t>{0, 1, 0, 1});
  CHECK(t.get<std::int64_t>("count") == std::vector<std::int64_t>{1, 1, 0, 2});
  CHECK(value(t, "rmsd_px_mean", 1) == 2.0);
  CHECK(std::isnan(value(t, "rmsd_px_mean", 2)));
  CHECK(value(t, "rmsd_px_mean", 3) == 5.0);
}

TEST_CASE("rows out of order and unknown solvers are refused") {
  CHECK_THROWS_WITH_AS(summarise(1, {row(1, 0, 1), row(0, 0, 1)}), doctest::Contains("not sorted"),
                       InputError);
  CHECK_THROWS_WITH_AS(summarise(1, {row(0, 1, 1)}), doctest::Contains("solver 1"), InputError);
}
