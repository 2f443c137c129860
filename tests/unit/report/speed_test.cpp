#include "nucreg/report/speed.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "nucreg/core/error.hpp"

using namespace nucreg;

namespace {

Record solve(std::uint32_t trial, std::uint32_t solver, double objective, double seconds) {
  Record r;
  r.trial = trial;
  r.solver = solver;
  r.pairs = 100;
  r.status = SolveStatus::converged;
  r.objective = objective;
  r.wall_seconds = seconds;
  r.timing_valid = true;
  return r;
}

SpeedComparison compare(std::vector<std::string> names, const std::vector<Record>& rows) {
  SpeedComparison comparison(std::move(names));
  for (const Record& row : rows) comparison.add({&row, 1});
  return comparison;
}

bool says(const SpeedComparison& comparison, const std::string& words) {
  const std::string sentence = comparison.sentence();
  INFO(sentence);
  CHECK(sentence.find('\n') == std::string::npos);
  const bool found = sentence.find(words) != std::string::npos;
  CHECK_MESSAGE(found, words);
  return found;
}

}  // namespace

TEST_CASE("the ratio is the geometric mean with Student's interval") {
  // Ratios a/b 2, 4, 8: logarithms ln2 * (1, 2, 3), mean ln 4, standard error ln2 / sqrt(3);
  // with two degrees of freedom t(p) = (2p - 1) / sqrt(2p (1 - p)).
  const SpeedComparison c =
      compare({"slow", "fast"}, {solve(0, 0, 1, 2e-3), solve(0, 1, 1, 1e-3), solve(1, 0, 1, 4e-3),
                                 solve(1, 1, 1, 1e-3), solve(2, 0, 1, 8e-3), solve(2, 1, 1, 1e-3)});
  const auto ratios = c.ratios();
  REQUIRE(ratios.size() == 1);
  CHECK(ratios[0].a == "slow");
  CHECK(ratios[0].b == "fast");
  CHECK(ratios[0].equal == 3);
  CHECK(ratios[0].timed == 3);
  const double t = 0.95 / std::sqrt(2.0 * 0.975 * 0.025);
  const double reach = t * std::log(2.0) / std::sqrt(3.0);
  CHECK(ratios[0].ratio == doctest::Approx(4.0).epsilon(1e-14));
  CHECK(ratios[0].low == doctest::Approx(4.0 * std::exp(-reach)).epsilon(1e-12));
  CHECK(ratios[0].high == doctest::Approx(4.0 * std::exp(reach)).epsilon(1e-12));
  says(c, "fast was no faster and no slower than slow within the error");
}

TEST_CASE("a clear case names the faster one, the factor and the interval") {
  std::vector<Record> rows;
  for (std::uint32_t t = 0; t < 50; ++t) {
    rows.push_back(solve(t, 0, 1.0, (t % 2 ? 3.1e-3 : 2.9e-3)));
    rows.push_back(solve(t, 1, 1.0 + 1e-9, 1e-3));
  }
  rows.push_back(solve(50, 0, 1.0, 1e-3));
  rows.push_back(solve(50, 1, 2.0, 1e-9));
  const SpeedComparison c = compare({"L-BFGS", "LM"}, rows);
  says(c, "LM was 3 times as fast as L-BFGS (95 % interval 2.97 to 3.03)");
  says(c, "in 50 of 51 trials (lower objective elsewhere: LM 0, L-BFGS 1)");
}

TEST_CASE("equal means equal within the tolerance or below the rounding floor") {
  const auto equal = [](double a, double b) {
    return compare({"a", "b"}, {solve(0, 0, a, 1), solve(0, 1, b, 1)}).ratios()[0].equal == 1;
  };
  CHECK(equal(1.0, 1.0 + 0.9e-6));
  CHECK_FALSE(equal(1.0, 1.0 + 1.1e-6));
  CHECK(equal(0.0, 0.9e-16));  // 100 pairs: the floor is 1e-16
  CHECK(equal(0.9e-16, 1e-25));
  CHECK_FALSE(equal(0.0, 1.1e-16));
}

TEST_CASE("one trial has a ratio and no interval") {
  const SpeedComparison c = compare({"a", "b"}, {solve(0, 0, 1, 1), solve(0, 1, 1, 2)});
  CHECK(c.ratios()[0].ratio == 0.5);
  CHECK(std::isnan(c.ratios()[0].low));
  says(c, "a was 2 times as fast as b (one trial, no interval)");
}

TEST_CASE("why no verdict is possible is said") {
  says(compare({"a"}, {solve(0, 0, 1, 1)}), "one solver only");
  says(compare({"a", "b"}, {}), "no trial was taken on by two solvers");
  says(compare({"a", "b"},
               {solve(0, 0, 1, 1), solve(0, 1, 2, 1), solve(1, 0, 1, 1), solve(1, 1, 2, 1)}),
       "equal objectives in 0 of 2 trials (lower objective elsewhere: a 2, b 0)");
  Record preempted = solve(0, 1, 1, 1);
  preempted.timing_valid = false;
  says(compare({"a", "b"}, {solve(0, 0, 1, 1), preempted}), "no timing is valid");
  Record other = solve(0, 1, 1, 1);
  other.status = SolveStatus::not_applicable;
  says(compare({"a", "b"}, {solve(0, 0, 1, 1), other}), "no trial was taken on by two");
}

TEST_CASE("failures, NaN, infinity and times of zero make no ratio") {
  Record failed = solve(0, 1, 1, 1);
  failed.status = SolveStatus::failed;
  const auto first = [](const Record& b) {
    return compare({"a", "b"}, {solve(0, 0, 1, 1), b}).ratios()[0];
  };
  CHECK(first(failed).trials == 1);
  CHECK(first(failed).equal == 0);
  CHECK(first(failed).a_better == 0);
  CHECK(first(solve(0, 1, Record::nan, 1)).equal == 0);
  CHECK(first(solve(0, 1, 1.0 / 0.0, 1)).equal == 0);
  CHECK(first(solve(0, 1, 1, 0.0)).equal == 1);
  CHECK(first(solve(0, 1, 1, 0.0)).timed == 0);
  CHECK(first(solve(0, 1, 1, Record::nan)).timed == 0);
}

TEST_CASE("of three the fastest is compared with each other, nearest first") {
  std::vector<Record> rows;
  for (std::uint32_t t = 0; t < 10; ++t)
    for (std::uint32_t s = 0; s < 3; ++s)
      rows.push_back(solve(t, s, 1,
                           (s == 0   ? 8e-3
                            : s == 1 ? 1e-3
                                     : 2e-3) *
                               (t % 2 ? 1.0 : 1.0001)));
  const SpeedComparison c = compare({"x", "y", "z"}, rows);
  CHECK(c.ratios().size() == 3);
  says(c, "y was 2 times as fast as z");
  says(c, "; 8 times as fast as x");
}

TEST_CASE("an unknown solver is refused") {
  CHECK_THROWS_AS(compare({"a"}, {solve(0, 1, 1, 1)}), InputError);
}
