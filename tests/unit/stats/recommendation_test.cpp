#include "nucreg/stats/recommendation.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <string>

#include "nucreg/core/error.hpp"
#include "nucreg/job/parse.hpp"
#include "nucreg/plan/plan.hpp"
#include "nucreg/stats/inference.hpp"

using namespace nucreg;

namespace {

/// What a solve does: whether it arrives, and its time in s.
struct Outcome {
  bool arrives = true;
  double seconds = 1e-3;
};
using Outcomes =
    std::function<Outcome(const Configuration&, const std::string& solver, std::uint32_t trial)>;

const std::string fits = R"([fit]
model = ["affine", "similarity"]
loss = ["squared", "cauchy"]
)";

struct Result {
  Job job;
  Table configurations, solvers;
  std::vector<Record> rows;
};

Result result(const std::string& problem, const std::string& fit, const Outcomes& outcome,
              std::int64_t trials = 20,
              const std::vector<std::string>& solvers = {"fast", "sure"}) {
  std::string text = "[job]\nname = \"r\"\ntrials = " + std::to_string(trials) + "\n[problem]\n" +
                     problem + "\n" + fit;
  for (const std::string& name : solvers)
    text += "[[solver]]\nname = \"" + name + "\"\nkind = \"lm\"\n";
  Result made{.job = parse_job_text(text), .configurations = {}, .solvers = {}, .rows = {}};
  const Plan plan = make_plan(made.job);
  made.configurations = configuration_table(plan, made.job);
  made.solvers.add("name", "", made.job.solvers, [](const SolverSpec& s) { return s.name; });
  made.solvers.add("kind", "", made.job.solvers, [](const SolverSpec& s) { return s.kind; });
  made.solvers.add("options", "", made.job.solvers, [](const SolverSpec&) { return ""; });
  for (const Configuration& c : plan.configurations)
    for (std::uint32_t t = 0; t < static_cast<std::uint32_t>(trials); ++t)
      for (std::uint32_t s = 0; s < solvers.size(); ++s) {
        const Outcome done = outcome(c, solvers[s], t);
        Record row;
        row.configuration = static_cast<std::uint32_t>(c.index);
        row.trial = t;
        row.solver = s;
        row.status = SolveStatus::converged;
        row.arrival_px = 10.0;
        row.arrived = done.arrives ? 1 : 0;
        row.wall_seconds = done.seconds;
        row.timing_valid = true;
        row.function_evaluations = 7;
        made.rows.push_back(row);
      }
  return made;
}

Recommendation recommend(const std::vector<Result>& results, const AskedPoint& asked = {}) {
  RecommendationBuilder builder(asked);
  for (const Result& r : results) {
    builder.begin(r.job, r.configurations, r.solvers);
    for (const Record& row : r.rows) builder.add({&row, 1});
  }
  return builder.finish();
}

bool has(const std::vector<std::string>& sentences, const std::string& words) {
  for (const std::string& s : sentences)
    if (s.find(words) != std::string::npos) return true;
  return false;
}

/// "fast" arrives without outliers only; cauchy is needed with them.
Outcome usual(const Configuration& c, const std::string& solver, std::uint32_t) {
  const bool clean = c.outliers.max == 0.0;
  if (solver == "fast") return {clean, 1e-3};
  return {clean || c.loss == Loss::cauchy, c.loss == Loss::cauchy ? 4e-3 : 2e-3};
}

const std::string outliers = "points = [10, 100, 1000]\noutliers = [0, 0.4]";

}  // namespace

TEST_CASE("the cheapest of those that arrive as often as the best is recommended") {
  const std::vector<Result> results{result(outliers, fits, usual)};
  const Recommendation clean = recommend(results, {.outliers = 0.0});
  REQUIRE(clean.choices.size() == 2);
  CHECK(clean.reached());
  CHECK(clean.choices[0].choice.solver.name == "fast");
  CHECK(clean.choices[0].trials == 120);  // 3 points x 2 models x 20
  CHECK(clean.choices[0].arrived == 120);
  CHECK(clean.choices[0].rate.low == wilson_interval(120, 120).low);
  CHECK(clean.choices[0].expected_seconds == doctest::Approx(1e-3));
  CHECK(clean.choices[0].expected_evaluations == doctest::Approx(7.0));

  const Recommendation wrong = recommend(results, {.outliers = 0.4});
  REQUIRE(wrong.choices.size() == 1);  // "fast" never arrives there
  CHECK(wrong.choices[0].choice.solver.name == "sure");
  CHECK(wrong.choices[0].choice.loss == Loss::cauchy);
  CHECK(wrong.choices[0].choice.start.kind == Start::Kind::nominal);
}

TEST_CASE("an arrival costs what all trials cost") {
  const std::vector<Result> results{
      result("points = 10", "[fit]\nmodel = \"affine\"\n",
             [](const Configuration&, const std::string&, std::uint32_t t) {
               return Outcome{t % 4 != 0, 3e-3};
             })};
  const Recommendation made = recommend(results);
  CHECK(made.choices.front().arrived == 15);
  CHECK(made.choices.front().expected_seconds == doctest::Approx(4e-3));
  CHECK(made.choices.front().expected_evaluations == doctest::Approx(7.0 * 20 / 15));
}

TEST_CASE("timings that are not valid count only if there are no others") {
  Result r = result("points = 10", "[fit]\nmodel = \"affine\"\n",
                    [](const Configuration&, const std::string&, std::uint32_t t) {
                      return Outcome{true, t == 0 ? 1.0 : 1e-3};
                    });
  for (Record& row : r.rows) row.timing_valid = row.trial != 0;
  CHECK(recommend({r}).choices.front().expected_seconds == doctest::Approx(1e-3));
  for (Record& row : r.rows) row.timing_valid = false;
  CHECK(recommend({r}).choices.front().expected_seconds == doctest::Approx(1.019 / 20));
  for (Record& row : r.rows) row.cpu_seconds = 5e-4;  // what others did not stretch
  CHECK(recommend({r}).choices.front().expected_seconds == doctest::Approx(5e-4));
}

TEST_CASE("a number between two of an axis takes both, beyond its ends is a shortfall") {
  const std::vector<Result> results{result(outliers, fits, usual)};
  const Recommendation between = recommend(results, {.points = 50.0, .outliers = 0.4});
  CHECK(between.reached());
  CHECK(has(between.notes, "points 50 lies between 10 and 100"));
  CHECK(between.choices.front().trials == 80);  // 2 points x 2 models x 20
  const Recommendation beyond = recommend(results, {.points = 5000.0});
  CHECK_FALSE(beyond.reached());
  CHECK(has(beyond.shortfalls, "No evidence beyond 1,000 points: this answer is for 1,000, not "));
  CHECK(beyond.choices.front().trials == 80);
  const Recommendation below = recommend(results, {.points = 3.0});
  CHECK(has(below.shortfalls, "No evidence below 10 points: this answer is for 10, not "));
}

TEST_CASE("a drawn number holds all of its range, its ends included") {
  const std::vector<Result> results{
      result("points = 10\nnoise_px = { min = 1, max = 3 }", fits, usual)};
  for (const double noise : {1.0, 2.0, 3.0})
    CHECK(recommend(results, {.noise_px = noise}).reached());
  CHECK(has(recommend(results, {.noise_px = 4.0}).shortfalls,
            "No evidence beyond noise_px 3: this answer is for 3, not 4."));
}

TEST_CASE("a model that was not fitted has no recommendation") {
  const Recommendation made =
      recommend({result(outliers, fits, usual)}, {.model = Model::projective});
  CHECK(made.choices.empty());
  CHECK(has(made.shortfalls, "no fit of model projective, only of affine, similarity"));
}

TEST_CASE("what seldom arrives, and too few trials, are said") {
  const auto seldom = [](const Configuration&, const std::string&, std::uint32_t t) {
    return Outcome{t % 3 == 0, 1e-3};
  };
  const Recommendation rare = recommend({result("points = 10", fits, seldom)});
  CHECK(has(rare.shortfalls, "arrives in 14 of 40 trials there only"));
  const Recommendation few = recommend({result(
      "points = 10", "[fit]\nmodel = \"affine\"\n",
      [](const auto&, const auto&, std::uint32_t) { return Outcome{}; }, 2)});
  CHECK(has(few.shortfalls, "2 of 2 trials are too few"));
  const Recommendation none =
      recommend({result("points = 10", fits,
                        [](const auto&, const auto&, std::uint32_t) { return Outcome{false}; })});
  CHECK(none.choices.empty());
  CHECK(has(none.shortfalls, "No trial there arrives"));
}

TEST_CASE("a half in which a condition has no known arrival does without it") {
  Result r = result("points = [10, 100]", "[fit]\nmodel = \"affine\"\n", usual);
  for (Record& row : r.rows)
    if (row.configuration == 0 && row.trial % 2 == 1) row.arrival_px = Record::nan;
  CHECK(recommend({r}).regret.trials == 30);
  CHECK(recommend({r}).regret.arrival == 0.0);
}

TEST_CASE("regret is what a choice by half of the trials costs in the other half") {
  // In even trials "fast" arrives always, in odd ones in half; "sure" always, at four times the
  // time.
  const auto halves = [](const Configuration&, const std::string& solver, std::uint32_t t) {
    if (solver == "sure") return Outcome{true, 4e-3};
    return Outcome{t % 2 == 0 || t % 4 == 1, 1e-3};
  };
  const Recommendation made =
      recommend({result("points = 10", "[fit]\nmodel = \"affine\"\n", halves, 80)});
  // Chosen by the even ones: "fast", which misses half of the odd ones (2e-3 s each, "sure" 4e-3
  // s); by the odd ones: "sure", 4e-3 s where "fast" takes 1e-3 s.
  CHECK(made.regret.trials == 80);
  CHECK(made.regret.arrival == doctest::Approx(0.25));
  CHECK(made.regret.time == doctest::Approx(std::sqrt(0.5 * 4.0)));
  const Recommendation alone = recommend({result("points = 10", fits, usual, 1)});
  CHECK(std::isnan(alone.regret.arrival));
}

TEST_CASE("results of several jobs are compared over conditions that all choices had") {
  const Result first = result("points = [10, 100]", fits, usual);
  // "new" was tried with 10 points only, where it is the fastest.
  const Result second = result("points = 10", fits,
                               [](const Configuration&, const std::string&, std::uint32_t) {
                                 return Outcome{true, 1e-4};
                               },
                               20, {"new"});
  const Recommendation all = recommend({first, second});
  CHECK(all.choices.front().choice.solver.name == "fast");
  CHECK(has(all.notes, "do not count"));
  const Recommendation ten = recommend({first, second}, {.points = 10.0});
  CHECK(ten.choices.front().choice.solver.name == "new");
  const Recommendation twice = recommend({first, first}, {.points = 10.0});
  CHECK(twice.choices.front().trials == 80);  // of both
}

TEST_CASE("a start that only a synthetic problem has is not recommended") {
  const auto by_truth = [](const Configuration& c, const std::string&, std::uint32_t) {
    return Outcome{true, c.start.kind == Start::Kind::truth ? 1e-4 : 1e-3};
  };
  const Recommendation made = recommend({result(
      "points = 10", "[fit]\nmodel = \"affine\"\nstart = [\"nominal\", \"truth\"]\n", by_truth)});
  CHECK(made.choices.front().choice.start.kind == Start::Kind::nominal);
}

TEST_CASE("rows whose arrival is not known say nothing, those that do not apply do not arrive") {
  Result r = result("points = 10", "[fit]\nmodel = \"affine\"\n", usual);
  for (Record& row : r.rows)
    if (row.trial < 5) row.arrival_px = Record::nan;
  CHECK(recommend({r}).choices.front().trials == 15);
  for (Record& row : r.rows)
    if (row.solver == 0) row.status = SolveStatus::not_applicable, row.arrived = 0;
  const Recommendation made = recommend({r});
  REQUIRE(made.choices.size() == 1);
  CHECK(made.choices.front().choice.solver.name == "sure");
}

TEST_CASE("what does not belong together is refused") {
  RecommendationBuilder builder({});
  Result r = result("points = 10", fits, usual);
  const Result other = result("points = [10, 20]", fits, usual);
  CHECK_THROWS_AS(builder.begin(r.job, other.configurations, r.solvers), InputError);
  builder.begin(r.job, r.configurations, r.solvers);
  r.rows.front().solver = 2;
  CHECK_THROWS_AS(builder.add(r.rows), InputError);
}
