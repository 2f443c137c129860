#include "nucreg/stats/comparison.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "nucreg/core/error.hpp"
#include "nucreg/stats/verdict.hpp"
#include "support/verdict_simulation.hpp"

using namespace nucreg;

namespace {

Record solve(std::uint32_t trial, std::uint32_t solver, double objective, double seconds,
             std::uint32_t configuration = 0) {
  Record r;
  r.configuration = configuration;
  r.trial = trial;
  r.solver = solver;
  r.pairs = 100;
  r.status = SolveStatus::converged;
  r.objective = objective;
  r.wall_seconds = seconds;
  r.timing_valid = true;
  return r;
}

Comparison compare(std::vector<std::string> names, const std::vector<Record>& rows,
                   std::uint32_t configurations = 1) {
  ComparisonBuilder builder(std::move(names), simulation::configurations(configurations));
  for (const Record& row : rows) builder.add({&row, 1});
  return builder.finish();
}

const PairStatistics& first(const Comparison& comparison) {
  return comparison.wholes()[0].pairs.at(0);
}

/// `trials` trials in which solver 0 takes `factor` times as long as solver 1, give or take.
std::vector<Record> timings(std::uint32_t trials, double factor, std::uint32_t configuration = 0) {
  std::vector<Record> rows;
  for (std::uint32_t t = 0; t < trials; ++t) {
    rows.push_back(solve(t, 0, 1.0, factor * (1e-3 + 1e-5 * (t % 7)), configuration));
    rows.push_back(solve(t, 1, 1.0 + 1e-9, 1e-3, configuration));
  }
  return rows;
}

void add(std::vector<Record>& rows, const std::vector<Record>& more) {
  rows.insert(rows.end(), more.begin(), more.end());
}

bool says(const std::string& sentence, const std::string& words) {
  INFO(sentence);
  CHECK(sentence.find('\n') == std::string::npos);
  const bool found = sentence.find(words) != std::string::npos;
  CHECK_MESSAGE(found, words);
  return found;
}

/// Of the whole, as /verdict holds it.
std::string finding(const Comparison& comparison) {
  return verdict_table(comparison).get<std::string>("finding").at(0);
}

bool says(const Comparison& comparison, const std::string& words) {
  return says(make_verdict(comparison).sentence(), words);
}

}  // namespace

TEST_CASE("the ratio is the geometric mean, the effect the rank biserial") {
  const Comparison c =
      compare({"slow", "fast"}, {solve(0, 0, 1, 2e-3), solve(0, 1, 1, 1e-3), solve(1, 0, 1, 4e-3),
                                 solve(1, 1, 1, 1e-3), solve(2, 0, 1, 8e-3), solve(2, 1, 1, 1e-3)});
  const PairStatistics& pair = first(c);
  CHECK(pair.equal == 3);
  CHECK(pair.timed == 3);
  CHECK(pair.ratio == doctest::Approx(4.0).epsilon(1e-14));
  CHECK(pair.spread == doctest::Approx(std::log(2.0)).epsilon(1e-12));
  CHECK(pair.effect == 1.0);
  CHECK(pair.speed_p == doctest::Approx(0.25));  // 2 / 2^3
  CHECK(pair.interval.low >= 2.0);
  CHECK(pair.interval.high <= 8.0);
  CHECK(pair.finding == SpeedFinding::undecided);
  // All of one sign in n trials have p = 2^(1 - n): n >= 1 + log2(1 / 0.03) = 6.06.
  CHECK(pair.more_trials >= 4);
  says(c, "not enough trials to tell the speed of fast and slow apart");
  says(c, "more would tell");
  CHECK(finding(c) == "not enough trials");
}

TEST_CASE("a clear case names the faster one, the factor and the interval") {
  std::vector<Record> rows = timings(50, 3.0);
  rows.push_back(solve(50, 0, 1.0, 1e-3));
  rows.push_back(solve(50, 1, 2.0, 1e-9));
  const Comparison c = compare({"L-BFGS", "LM"}, rows);
  CHECK(first(c).faster == Side::b);
  CHECK(first(c).better_a == 1);
  CHECK(first(c).arrives == Side::neither);
  says(c, "LM is 3.09 times as fast as L-BFGS at equal accuracy (95 % interval 3.07 to 3.1, p ");
  says(c, "50 of 51 trials; 3.09 times in total)");
}

TEST_CASE("equal times are no difference once there are enough of them") {
  std::vector<Record> rows;
  for (std::uint32_t t = 0; t < 40; ++t) {
    rows.push_back(solve(t, 0, 1.0, t % 2 ? 1.01e-3 : 1e-3));
    rows.push_back(solve(t, 1, 1.0, t % 2 ? 1e-3 : 1.01e-3));
  }
  const Comparison c = compare({"x", "y"}, rows);
  CHECK(first(c).finding == SpeedFinding::same);
  says(c, "no difference in speed between x and y");
}

TEST_CASE("equal means equal within the tolerance or below the rounding floor") {
  const auto equal = [](double a, double b) {
    return first(compare({"a", "b"}, {solve(0, 0, a, 1), solve(0, 1, b, 1)})).equal == 1;
  };
  CHECK(equal(1.0, 1.0 + 0.9e-6));
  CHECK_FALSE(equal(1.0, 1.0 + 1.1e-6));
  CHECK(equal(0.0, 0.9e-16));  // 100 pairs: the floor is 1e-16
  CHECK(equal(0.9e-16, 1e-25));
  CHECK_FALSE(equal(0.0, 1.1e-16));
}

TEST_CASE("failures count against the solver that failed") {
  std::vector<Record> rows = timings(30, 1.0);
  for (std::uint32_t t = 0; t < 12; ++t) rows[2 * t].status = SolveStatus::failed;
  rows[2 * 20 + 1].objective = Record::nan;
  rows[2 * 21].status = rows[2 * 21 + 1].status = SolveStatus::failed;
  const Comparison c = compare({"weak", "strong"}, rows);
  const PairStatistics& pair = first(c);
  CHECK(pair.trials == 30);
  CHECK(pair.failed_a == 13);
  CHECK(pair.failed_b == 2);
  CHECK(pair.better_b == 12);
  CHECK(pair.better_a == 1);
  CHECK(pair.equal == 16);
  CHECK(pair.arrival_p == doctest::Approx(28.0 / 8192.0));  // 2 (1 + 13) / 2^13
  CHECK(pair.arrives == Side::b);
  says(c, "strong reaches the better fit in 12 trials, weak in 1");
  const Verdict verdict = make_verdict(c);
  REQUIRE(verdict.notes.size() == 1);
  says(verdict.notes[0], "failed: weak in 13 of 30 trials, strong in 2 of 30 trials");
}

TEST_CASE("faster and arriving less often is said in one breath") {
  std::vector<Record> rows = timings(60, 0.5);
  for (std::uint32_t t = 0; t < 20; ++t) rows[2 * t].status = SolveStatus::failed;
  const Comparison c = compare({"hasty", "safe"}, rows);
  CHECK(first(c).faster == Side::a);
  CHECK(first(c).arrives == Side::b);
  says(c, "hasty is 1.9");
  says(c, ", but safe reaches the better fit in 20 trials, hasty in 0");
}

TEST_CASE("timings that are not valid are left out of the times, and it is said how many") {
  std::vector<Record> rows = timings(20, 2.0);
  for (std::uint32_t t = 0; t < 5; ++t) rows[2 * t].timing_valid = false;
  rows[11].wall_seconds = 0.0;
  rows[13].wall_seconds = Record::nan;
  const Comparison c = compare({"a", "b"}, rows);
  CHECK(first(c).equal == 20);
  CHECK(first(c).timed == 13);
  says(make_verdict(c).notes.at(0),
       "7 of 20 comparisons at equal accuracy are left out of the time ratios");
}

TEST_CASE("the trials that would tell are trials, of which few may give a valid timing") {
  std::vector<Record> rows = timings(30, 2.0);
  for (std::uint32_t t = 3; t < 30; ++t) rows[2 * t].timing_valid = false;
  const Comparison c = compare({"a", "b"}, rows);
  REQUIRE(first(c).timed == 3);
  CHECK(first(c).more_trials >= 40);  // four more timings, of which each takes ten trials
  says(c, "of 30 at equal accuracy 3 have valid timings only (more ranks than processors");
  says(c, "not enough valid timings to tell ");
  says(c, "run again on an idle machine");
  CHECK(make_verdict(c).more.empty());
  CHECK(finding(c) == "timings not valid");
  for (std::uint32_t t = 3; t < 30; ++t) rows[2 * t].objective = 2.0;
  says(compare({"a", "b"}, rows), "accuracy is equal in 3 of 30 only");
}

TEST_CASE("where no number of trials tells, none is promised") {
  std::vector<Record> rows;
  for (std::uint32_t c = 0; c < 2; ++c) add(rows, timings(400, c == 0 ? 0.5 : 3.0, c));
  const Comparison c = compare({"x", "y"}, rows, 2);
  REQUIRE(first(c).finding == SpeedFinding::undecided);
  CHECK(first(c).more_trials == 0);
  says(c, "which of y and x is faster differs between regions; more trials would not tell (ratio");
  CHECK(finding(c) == "differs between regions");
  // In one configuration often a little faster, now and then much slower: the ranks balance.
  rows = timings(707, 0.75);
  for (Record row : timings(293, 3.0)) {
    row.trial += 707;
    rows.push_back(row);
  }
  const Comparison mixed = compare({"x", "y"}, rows);
  REQUIRE(first(mixed).finding == SpeedFinding::undecided);
  CHECK(first(mixed).more_trials == 0);
  says(mixed, "is faster is unclear (ratio");
  says(mixed, " after Holm's correction)");
  CHECK(finding(mixed) == "unclear");
}

TEST_CASE("an interrupted solve moves no ratio far") {
  std::vector<Record> rows = timings(50, 2.0);
  const double before = first(compare({"a", "b"}, rows)).ratio;
  rows[40].wall_seconds *= 1e6;
  CHECK(first(compare({"a", "b"}, rows)).ratio == doctest::Approx(before).epsilon(0.01));
}

TEST_CASE("one trial has a ratio and no interval") {
  const Comparison c = compare({"a", "b"}, {solve(0, 0, 1, 1), solve(0, 1, 1, 2)});
  CHECK(first(c).ratio == 0.5);
  CHECK(std::isnan(first(c).interval.low));
  CHECK(first(c).faster == Side::neither);
  says(c, "(ratio 2, one timing, no interval, 1 of 1 trials; 2 in total)");
}

TEST_CASE("why nothing can be compared is said") {
  says(compare({"a"}, {solve(0, 0, 1, 1)}), "one solver only");
  says(compare({"a", "b"}, {}), "no trial was taken on by both");
  says(compare({"a", "b"},
               {solve(0, 0, 1, 1), solve(0, 1, 2, 1), solve(1, 0, 1, 1), solve(1, 1, 2, 1)}),
       "equal accuracy in 0 of 2 trials");
  Record preempted = solve(0, 1, 1, 1);
  preempted.timing_valid = false;
  says(compare({"a", "b"}, {solve(0, 0, 1, 1), preempted}), "no timing is valid");
  Record other = solve(0, 1, 1, 1);
  other.status = SolveStatus::not_applicable;
  says(compare({"a", "b"}, {solve(0, 0, 1, 1), other}), "no trial was taken on by both");
  Record failed[] = {solve(0, 0, 1, 1), solve(0, 1, 1, 1)};
  failed[0].status = failed[1].status = SolveStatus::failed;
  says(compare({"a", "b"}, {failed[0], failed[1]}), "both failed in each of 1 trials");
}

TEST_CASE("where it flips is found and named") {
  std::vector<Record> rows;
  for (std::uint32_t c = 0; c < 4; ++c) add(rows, timings(40, c < 2 ? 0.5 : 3.0, c));
  const Comparison c = compare({"x", "y"}, rows, 4);
  // overall, points 100 and 200, noise_px 0 and 1, four configurations
  REQUIRE(c.regions.size() == 9);
  CHECK(region_name(c.regions[1]) == "points = 100");
  CHECK(c.regions[1].configurations == 2);
  CHECK(c.regions[1].pairs[0].trials == 80);
  CHECK(c.regions[1].pairs[0].faster == Side::a);
  CHECK(c.regions[2].pairs[0].faster == Side::b);
  CHECK(c.regions[8].configuration == 3);
  CHECK(c.regions[8].pairs[0].trials == 40);
  const Verdict verdict = make_verdict(c);
  REQUIRE_FALSE(verdict.flips.empty());
  says(verdict.flips[0], "points = 100: x is 1.9");
}

TEST_CASE("of three solvers the best is compared with each other, nearest first") {
  std::vector<Record> rows;
  const double seconds[] = {8e-3, 1e-3, 2e-3};
  for (std::uint32_t t = 0; t < 20; ++t)
    for (std::uint32_t s = 0; s < 3; ++s)
      rows.push_back(solve(t, s, 1, seconds[s] * (1.0 + 0.001 * ((t * 7 + s * 3) % 10))));
  rows[3].status = SolveStatus::failed;  // trial 1, x: last anyway
  const Comparison c = compare({"x", "y", "z"}, rows);
  CHECK(c.wholes()[0].pairs.size() == 3);
  says(c, "y is 2.01 times as fast as z");
  says(c, "; y is 7.98 times as fast as x");
  CHECK(leaders(c, c.wholes()[0]).best == 1);
  CHECK(leaders(c, c.wholes()[0]).second == 2);
  const PairStatistics& pair = pair_of(c, c.wholes()[0], 2, 0);
  CHECK(pair.a == 0);
  CHECK(pair.b == 2);
}

TEST_CASE("more trials than are ranked by all of them are sampled, and it is said") {
  simulation::Setting setting{.trials = max_ranked, .slowdown = 1.02};
  CHECK_FALSE(first(simulation::judge(setting, 0)).sampled);
  setting.trials = max_ranked + 5000;
  const Comparison c = simulation::judge(setting, 0);
  CHECK(first(c).sampled);
  CHECK(first(c).faster == Side::a);
  CHECK(first(c).timed == max_ranked + 5000);
  CHECK(1.0 / first(c).ratio == doctest::Approx(1.02).epsilon(0.005));
  says(make_verdict(c).notes.at(0), "a random sample of 16,384 trials");
}

TEST_CASE("rows that cannot be are refused") {
  CHECK_THROWS_WITH_AS(compare({"a"}, {solve(0, 1, 1, 1)}), doctest::Contains("solver 1 is not in"),
                       InputError);
  CHECK_THROWS_WITH_AS(compare({"a"}, {solve(0, 0, 1, 1, 7)}),
                       doctest::Contains("configuration 7 is not in"), InputError);
  CHECK_THROWS_WITH_AS(compare({"a", "b"}, {solve(3, 1, 1, 1), solve(3, 1, 1, 1)}),
                       doctest::Contains("there twice in configuration 0, trial 3"), InputError);
  CHECK_THROWS_WITH_AS(compare({"a"}, {solve(0, 0, 1, 1, 1), solve(0, 0, 1, 1, 0)}, 2),
                       doctest::Contains("not sorted"), InputError);
}

TEST_CASE("the table has a row per region and pair, with names, units and sentences") {
  std::vector<Record> rows;
  for (std::uint32_t c = 0; c < 4; ++c) add(rows, timings(40, 3.0, c));
  const Comparison c = compare({"x", "y"}, rows, 4);
  const Table table = verdict_table(c);
  CHECK(table.name == "verdict");
  CHECK(table.rows() == 9);
  CHECK(table.get<std::string>("scope")[8] == "configuration");
  CHECK(table.get<std::string>("faster")[0] == "y");
  CHECK(table.get<std::string>("finding")[0] == "faster");
  CHECK(table.get<std::int64_t>("left_out")[0] == 0);
  CHECK(table.get<double>("time_ratio")[0] == first(c).ratio);
  CHECK(table.get<std::string>("sentence")[0] == pair_sentence(c, c.wholes()[0], first(c)));
  for (const Column& column : table.columns) {
    CHECK(column.rows() == 9);
    CHECK(column.units == "1");
  }
}

namespace {

/// The same trial with known arrival.
Record arrived(Record row, bool here, std::int64_t evaluations = 10) {
  row.arrival_px = 10.0;
  row.tre_px = here ? 1.0 : 100.0;
  row.arrived = row.arrives();
  row.function_evaluations = evaluations;
  return row;
}

/// Trials of two solvers of which so many arrive, of `trials`, and the same time for all.
std::vector<Record> arrivals(std::uint32_t trials, std::uint32_t a, std::uint32_t b,
                             std::uint32_t configuration = 0) {
  std::vector<Record> rows;
  for (std::uint32_t t = 0; t < trials; ++t) {
    rows.push_back(arrived(solve(t, 0, 1.0, 1e-3 + 1e-5 * (t % 7), configuration), t < a));
    rows.push_back(arrived(solve(t, 1, 1.0, 1e-3 + 1e-5 * (t % 5), configuration), t < b));
  }
  return rows;
}

Table losses(std::vector<std::string> names) {
  Table table{.name = "configurations"};
  table.add("configuration", "1", names, [i = 0](const std::string&) mutable { return i++; });
  table.add("problem", "1", names, [](const std::string&) { return 0; });
  table.add("loss", "", names, [](const std::string& name) { return name; });
  return table;
}

}  // namespace

TEST_CASE("who arrives more often is said first, whatever the time") {
  std::vector<Record> rows = arrivals(60, 40, 57);
  for (Record& row : rows)
    if (row.solver == 0) row.wall_seconds *= 0.5;
  const Comparison c = compare({"hasty", "safe"}, rows);
  CHECK(first(c).known == 60);
  CHECK(first(c).arrived_a == 40);
  CHECK(first(c).better_b == 17);
  CHECK(first(c).better_a == 0);
  CHECK(first(c).arrival_p == doctest::Approx(2.0 / 131072.0));  // 2 / 2^17
  CHECK(first(c).arrives == Side::b);
  CHECK(first(c).timed == 40);  // where both arrived
  CHECK(leaders(c, c.wholes()[0]).best == 1);
  says(c, "safe arrives more often than hasty (57 of 60 against 40 of 60 trials, p ");
  says(c, ", but hasty is 1.98 times as fast as safe where both arrive");
  CHECK(make_verdict(c).best == "safe");
}

TEST_CASE("rates of arrival that differ undecidedly ask for more trials") {
  const Comparison c = compare({"x", "y"}, arrivals(12, 8, 11));
  CHECK(first(c).arrives == Side::neither);
  const std::uint64_t more = first(c).more_arrival_trials;
  REQUIRE(more > 0);
  says(c, "arrivals do not tell y and x apart (11 of 12 and 8 of 12 trials): about ");
  const std::string line = make_verdict(c).more;
  CHECK(std::stoull(line.substr(line.find('=') + 1)) >= 12 + more);
  // So many of the same kind do tell.
  const auto times = static_cast<std::uint32_t>((12 + more) / 12 + 1);
  CHECK(first(compare({"x", "y"}, arrivals(12 * times, 8 * times, 11 * times))).arrives == Side::b);
}

TEST_CASE("rates of arrival that hardly differ ask for nothing") {
  const Comparison c = compare({"x", "y"}, arrivals(400, 380, 382));
  CHECK(first(c).more_arrival_trials == 0);
  says(c, "arrivals do not tell y and x apart (382 of 400 and 380 of 400 trials)");
}

TEST_CASE("where neither arrives nobody is called faster") {
  std::vector<Record> rows = arrivals(60, 0, 3);
  for (Record& row : rows)
    if (row.solver == 0) row.wall_seconds *= 0.1;
  const Comparison c = compare({"x", "y"}, rows);
  CHECK(first(c).finding == SpeedFinding::neither);
  CHECK(first(c).faster == Side::neither);
  const std::string sentence = make_verdict(c).sentence();
  says(sentence, "neither x nor y arrives (0 of 60 and 3 of 60 trials)");
  CHECK(sentence.find("times as fast") == std::string::npos);
}

TEST_CASE("a trial that nobody answers is nobody's loss") {
  std::vector<Record> rows = arrivals(60, 0, 0);
  for (Record& row : rows)
    if (row.solver == 1) row.status = SolveStatus::failed;
  const Comparison c = compare({"lm", "eigen-lm"}, rows);
  CHECK(first(c).better_a == 0);
  CHECK(first(c).arrives == Side::neither);
  CHECK(make_verdict(c).sentence().find("better fit") == std::string::npos);
}

TEST_CASE("a solver that is slow in some trials costs more, and is not called faster") {
  std::vector<Record> rows = arrivals(200, 200, 200);
  for (Record& row : rows)
    if (row.solver == 0) row.wall_seconds *= row.trial % 10 == 0 ? 100.0 : 0.8;
  const Comparison c = compare({"A", "B"}, rows);
  CHECK(first(c).ratio < 0.9);
  CHECK(first(c).total_ratio == doctest::Approx(10.7).epsilon(0.02));
  CHECK(first(c).finding == SpeedFinding::mixed);
  CHECK(first(c).faster == Side::neither);
  CHECK(first(c).total_interval.low > 1.0);
  says(c, "A takes less time than B in the typical trial");
  says(c, "times as much in total");
}

TEST_CASE("a faster code with the slower method is called an implementation") {
  std::vector<Record> rows = arrivals(60, 60, 60);
  for (Record& row : rows) {
    if (row.solver == 0) row.wall_seconds *= 0.2;
    row.function_evaluations = row.solver == 0 ? 7 : 3;
  }
  says(compare({"L-BFGS", "LM"}, rows), "as an implementation, not as a method (95 %");
  says(compare({"L-BFGS", "LM"}, rows), "LM is the cheaper method: 3 evaluations against 7)");
  for (Record& row : rows) row.function_evaluations = row.solver == 0 ? 2 : 7;
  CHECK(make_verdict(compare({"a", "b"}, rows)).sentence().find("implementation") ==
        std::string::npos);
}

TEST_CASE("solvers are named with their kind") {
  CHECK(solver_label("LM", "eigen-lm") == "LM (eigen-lm)");
  CHECK(solver_label("LM (Eigen)", "eigen-lm") == "LM (Eigen)");
  CHECK(solver_label("closed form", "closed-form") == "closed form");
  CHECK(solver_label("Eigen LM", "eigen-lm") == "Eigen LM");
  CHECK(solver_label("x", "") == "x");
}

TEST_CASE("nothing is pooled over losses: each has its own verdict, and trials do not decide") {
  std::vector<Record> rows;
  for (std::uint32_t c = 0; c < 2; ++c) {
    std::vector<Record> more = arrivals(40, 40, 40, c);
    for (Record& row : more)
      if (row.solver == 0) row.wall_seconds *= c == 0 ? 0.5 : 1.95;
    add(rows, more);
  }
  ComparisonBuilder builder({"A", "B"}, losses({"squared", "huber"}));
  builder.add(rows);
  const Comparison c = builder.finish();
  REQUIRE(c.wholes().size() == 2);
  CHECK(region_name(c.wholes()[0]) == "loss = squared");
  CHECK(c.wholes()[0].pairs[0].faster == Side::a);
  CHECK(c.wholes()[1].pairs[0].faster == Side::b);
  const Verdict verdict = make_verdict(c);
  CHECK(verdict.sentences.size() == 2);
  says(verdict.sentences[0], "loss = squared: A and B both arrive in all 40 trials; A is ");
  says(verdict.sentences[1], "loss = huber: ");
  CHECK(verdict.best.empty());
  CHECK(verdict.more.empty());
  for (const std::string& sentence : verdict.sentences)
    CHECK(sentence.find("would tell") == std::string::npos);
}

TEST_CASE("losses are compared on the same points, by their arrivals") {
  std::vector<Record> rows = arrivals(60, 0, 0, 0);
  add(rows, arrivals(60, 57, 60, 1));
  ComparisonBuilder builder({"A", "B"}, losses({"squared", "cauchy"}));
  builder.add(rows);
  const Comparison c = builder.finish();
  REQUIRE(c.fits.size() == 2);
  CHECK(c.fits[0].axis == "loss");
  CHECK(c.fits[0].a == "squared");
  CHECK(c.fits[0].b == "cauchy");
  CHECK(c.fits[0].only_a == 0);
  CHECK(c.fits[0].only_b == 57);
  CHECK(c.fits[0].better == 1);
  const Verdict verdict = make_verdict(c);
  REQUIRE(verdict.fits.size() == 2);
  says(verdict.fits[0],
       "loss by A: arrivals cauchy 57 of 60, squared 0 of 60; cauchy arrives more often than "
       "squared (p ");
  CHECK(fit_verdict_table(c).get<std::string>("arrives")[1] == "cauchy");

  Table other = losses({"squared", "cauchy"});
  other.columns.erase(other.columns.begin() + 1);  // `problem`: a file whose points differ
  ComparisonBuilder without({"A", "B"}, other);
  without.add(rows);
  CHECK(without.finish().fits.empty());
}

TEST_CASE("trials of pairs that repeat one fit count once") {
  Table pairs{.name = "configurations"};
  const std::vector<std::string> files{"a.csv", "b.csv"};
  pairs.add("configuration", "1", files, [i = 0](const std::string&) mutable { return i++; });
  pairs.add("file", "", files, [](const std::string& name) { return name; });
  pairs.add("transform_model", "", files, [](const std::string&) { return ""; });
  std::vector<Record> rows;
  for (std::uint32_t c = 0; c < 2; ++c)
    for (std::uint32_t t = 0; t < 30; ++t)
      for (std::uint32_t s = 0; s < 3; ++s) {
        rows.push_back(solve(t, s, 1.0, s == 0 ? 1e-3 : 2e-3, c));
        if (s < 2) continue;
        rows.back().status = SolveStatus::not_applicable;  // which has no objective
        rows.back().objective = Record::nan;
      }
  rows[0].timing_valid = false;  // a later trial lends its timing
  ComparisonBuilder builder({"A", "B", "none"}, pairs);
  builder.add(rows);
  const Comparison c = builder.finish();
  CHECK(first(c).trials == 2);
  CHECK(first(c).timed == 2);
  CHECK(c.repeated == 58);
  CHECK(first(c).faster == Side::neither);
  CHECK(first(c).more_trials == 0);  // they would be repeats
  CHECK(make_verdict(c).more.empty());
  says(make_verdict(c).notes.at(0), "58 trials repeat the fit of another trial");
}

TEST_CASE("the trials to ask for are per configuration and decide all that is undecided") {
  std::vector<Record> rows;
  for (std::uint32_t t = 0; t < 3; ++t)
    for (std::uint32_t s = 0; s < 2; ++s)
      rows.push_back(arrived(solve(t, s, 1, s == 0 ? 1e-3 * (2 + t) : 1e-3), true));
  const Comparison c = compare({"slow", "fast"}, rows);
  REQUIRE(first(c).more_trials > 0);
  CHECK(make_verdict(c).more == "--set job.trials=" + std::to_string(3 + first(c).more_trials));
}
