// --set key=value
#include <doctest/doctest.h>

#include "nucreg/job/parse.hpp"
#include "unit/job/text.hpp"

using namespace nucreg;

namespace {

const std::string base = R"([job]
name = "t"
[problem]
points = 5
transform = { model = "trs", dx_px = 3 }
[[solver]]
name = "A"
kind = "lm"
)";

Job with(const std::vector<std::string>& overrides) {
  return parse_job_text(base, "job.toml", overrides);
}

void check_error(const std::string& assignment, const std::string& key, const std::string& problem,
                 const std::string& allowed) {
  CAPTURE(assignment);
  try {
    (void)with({assignment});
    FAIL("no error");
  } catch (const JobError& error) {
    CHECK(error.fields().file == "--set " + assignment);
    CHECK(error.fields().line == 0);
    CHECK(error.fields().key == key);
    CHECK(error.problem() == problem);
    CHECK(error.fields().allowed == allowed);
  }
}

const std::string on_one_line = "dotted.key=value on one line";

}  // namespace

TEST_CASE("values of every kind") {
  CHECK(with({"job.trials=7"}).job.trials == 7);
  CHECK(with({"problem.points=[100,200]"}).problem.points == Axis<Draw>{Draw(100.0), Draw(200.0)});
  CHECK(with({"problem.points={min=1,max=9}"}).problem.points == Axis<Draw>{Draw(1.0, 9.0)});
  CHECK(with({"fit.model=[\"trs\", \"rigid\"]"}).fit.model ==
        Axis<Model>{Model::trs, Model::rigid});
  CHECK(with({"fit.start={params=[1,2]}"}).fit.start.front() ==
        Start{Start::Kind::params, {1.0, 2.0}});
  CHECK(with({"fit.bounds.scale=[3,5]"}).fit.bounds.scale == Interval{3.0, 5.0});
  CHECK(with({"run.monitor_seconds=5"}).run.monitor_seconds == 5.0);
}

TEST_CASE("numbers that TOML cannot hold are no words") {
  const std::string allowed =
      "whole numbers up to 9223372036854775807, others up to 1.797e308; a name in quotes";
  for (const char* value : {"9223372036854775808", "-99999999999999999999", "1e999"})
    check_error(std::string("job.trials=") + value, "job.trials", "out of range", allowed);
  CHECK(with({"job.name=007"}).job.name == "007");
}

TEST_CASE("a bare word is a string") {
  CHECK(with({"fit.model=trs"}).fit.model == Axis<Model>{Model::trs});
  CHECK(with({"fit.start=closed-form"}).fit.start.front().kind == Start::Kind::closed_form);
  CHECK(with({"job.name=10x-run.2"}).job.name == "10x-run.2");
  const Job pairs = parse_job_text(job_test::minimal(), {},
                                   {"problem.source=pairs", "problem.files=../data/a_1.csv"});
  CHECK(pairs.problem.files == Axis<std::string>{"../data/a_1.csv"});
}

TEST_CASE("a part of a table leaves the rest, a table replaces it") {
  const auto part = with({"problem.transform.dy_px=8"}).problem.transform.params;
  CHECK(part[0] == Axis<Draw>{Draw(3.0)});
  CHECK(part[1] == Axis<Draw>{Draw(8.0)});
  const auto whole = with({"problem.transform={dy_px=8}"}).problem.transform.params;
  CHECK(whole[0] == Axis<Draw>{Draw(0.0)});
  CHECK(whole[1] == Axis<Draw>{Draw(8.0)});
}

TEST_CASE("the last of two wins, and sections need not be there") {
  CHECK(with({"job.seed=3", "job.seed=4"}).job.seed == 4);
  CHECK(with({"run.timing_repeats=3"}).run.timing_repeats == 3);
  CHECK(with({"fit.bounds.scale=[3,5]", "fit.bounds.dx_px=[-1,1]"}).fit.bounds.scale ==
        Interval{3.0, 5.0});
}

TEST_CASE("the whole list of solvers can be set") {
  const Job job = with({"solver=[{name=\"X\", kind=\"nlopt\", algorithm=\"LN_COBYLA\"}]"});
  REQUIRE(job.solvers.size() == 1);
  CHECK(job.solvers[0].name == "X");
  CHECK(job.solvers[0].options.at("algorithm") == OptionValue(std::string("LN_COBYLA")));
}

TEST_CASE("errors name the override") {
  check_error("job.trails=3", "job.trails", "unknown key (did you mean \"trials\"?)",
              "name, seed, trials");
  check_error("problem.tranform.dx_px=3", "problem.tranform",
              "unknown key (did you mean \"transform\"?)",
              "source, points, field_px, min_distance_px, border_px, magnification, noise_px, "
              "outliers, missing, layout, noise_kind, outlier_kind, transform");
  check_error("nothing.at.all=3", "nothing", "unknown key",
              "[job], [problem], [fit], [[solver]], [run]");
  check_error("job.trials=0", "job.trials", "0 is out of range", "whole number, 1 ... 4294967295");
  check_error("problem.points=[1,-2]", "problem.points", "-2 is out of range", job_test::count);
  check_error("problem.points=many", "problem.points", "wrong type (string)", job_test::count);
  check_error("fit.loss=huge", "fit.loss", "unknown loss \"huge\" (did you mean \"huber\"?)",
              "squared, huber, cauchy, tukey");
  check_error("problem.files=a.csv", "problem.files", "has no meaning with source \"synthetic\"",
              "with source pairs, labels");
}

TEST_CASE("an error in the file is still the file's") {
  try {
    (void)with({"problem.transform.model=affine"});
    FAIL("no error");
  } catch (const JobError& error) {
    CHECK(error.fields().file == "job.toml");
    CHECK(error.fields().line == 5);
    CHECK(error.fields().key == "problem.transform.dx_px");
  }
}

TEST_CASE("keys below what has none") {
  check_error("job.name.x=1", "job.name", "is not a table that has keys", "a value for it");
  check_error("solver.0.kind=nlopt", "solver", "is not a table that has keys",
              "the whole list, or an edit of the job file");
}

TEST_CASE("what is no assignment") {
  for (const std::string bad :
       {"", "job.trials", "=3", ".job=3", "job.=3", "job..trials=3", "job trials=3", "#=3",
        "\"job\".trials=3", "job.seed=1\njob.trials=2"})
    check_error(bad, "", "cannot be understood", on_one_line);
}

TEST_CASE("values that are neither TOML nor a word") {
  for (const std::string value : {"", "[1,", "[trs,affine]", "a b", "\"open", "{min=1"}) {
    CAPTURE(value);
    try {
      (void)with({"problem.points=" + value});
      FAIL("no error");
    } catch (const JobError& error) {
      CHECK(error.fields().file == "--set problem.points=" + value);
      CHECK(error.fields().key == "problem.points");
      CHECK(error.fields().allowed.starts_with("a TOML value, quoted for the shell"));
    }
  }
}
