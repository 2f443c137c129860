// What a right job becomes.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "nucreg/job/parse.hpp"
#include "unit/job/text.hpp"

using namespace nucreg;
using job_test::minimal;

TEST_CASE("what a job does not set has the documented default") {
  const Job job = parse_job_text(minimal());
  CHECK(job.job.name == "t");
  CHECK(job.job.seed == 1);
  CHECK(job.job.trials == 1);
  CHECK(job.problem.source == Source::synthetic);
  CHECK(job.problem.points == Axis<Draw>{Draw(1000.0)});
  CHECK(job.problem.magnification == 4.0);
  CHECK(job.problem.transform.model == Model::trs);
  CHECK(job.problem.transform.params ==
        std::vector<Axis<Draw>>{{Draw(0.0)}, {Draw(0.0)}, {Draw(0.0)}, {Draw(4.0)}, {Draw(4.0)}});
  CHECK(job.fit == FitOptions{});
  CHECK(job.run == RunOptions{});
  CHECK(job.solvers.size() == 1);
  CHECK(job.solvers[0].options.empty());
}

TEST_CASE("an unset transform takes the magnification of the job") {
  const auto params = [](const std::string& model) {
    return parse_job_text(minimal("magnification = 2.5\ntransform.model = \"" + model + "\"\n"))
        .problem.transform.params;
  };
  const Axis<Draw> zero{Draw(0.0)}, scale{Draw(2.5)};
  using Params = std::vector<Axis<Draw>>;
  CHECK(params("rigid") == Params{zero, zero, zero});
  CHECK(params("similarity") == Params{zero, zero, zero, scale});
  CHECK(params("trs") == Params{zero, zero, zero, scale, scale});
  CHECK(params("affine") == Params{scale, zero, zero, zero, scale, zero});
  CHECK(params("projective") == Params{scale, zero, zero, zero, scale, zero, zero, zero});
}

TEST_CASE("numbers, lists and drawn numbers, alone and mixed") {
  const Job job = parse_job_text(minimal(R"(
points = [1, 2e2, { min = 10, max = 100_000_000 }]
field_px = [300, 200.5]
noise_px = { min = 0.5, max = 2 }
outliers = [0, 0.999]
missing = 0.25
min_distance_px = 0
border_px = 3
transform = { model = "similarity", dx_px = [1, { min = -2, max = 2 }], scale = -4 }
)"));
  CHECK(job.problem.points == Axis<Draw>{Draw(1.0), Draw(200.0), Draw(10.0, 1e8)});
  CHECK(job.problem.field_px == std::array{300.0, 200.5});
  CHECK(job.problem.noise_px == Axis<Draw>{Draw(0.5, 2.0)});
  CHECK(job.problem.outliers == Axis<Draw>{Draw(0.0), Draw(0.999)});
  CHECK(job.problem.missing == Axis<Draw>{Draw(0.25)});
  CHECK(job.problem.min_distance_px == Axis<Draw>{Draw(0.0)});
  CHECK(job.problem.border_px == 3.0);
  CHECK(job.problem.transform.model == Model::similarity);
  CHECK(job.problem.transform.params[0] == Axis<Draw>{Draw(1.0), Draw(-2.0, 2.0)});
  CHECK(job.problem.transform.params[3] == Axis<Draw>{Draw(-4.0)});
}

TEST_CASE("a drawn number whose ends are equal is fixed") {
  const Job job = parse_job_text(minimal("noise_px = { min = 2, max = 2 }\n"));
  CHECK(job.problem.noise_px.front().fixed());
}

TEST_CASE("what is fitted") {
  const Job job = parse_job_text(minimal("", R"(
model = ["rigid", "projective"]
loss = ["squared", "tukey"]
coordinates = "raw"
start = ["identity", { params = [1, 2, 3.5] }, "closed-form"]
bounds = { scale = [3.5, inf], dx_px = [-10, 10] }
ftol_rel = 0
max_evaluations = [10, 20]
)"));
  CHECK(job.fit.model == Axis<Model>{Model::rigid, Model::projective});
  CHECK(job.fit.loss == Axis<Loss>{Loss::squared, Loss::tukey});
  CHECK(job.fit.coordinates == Axis<Coordinates>{Coordinates::raw});
  REQUIRE(job.fit.start.size() == 3);
  CHECK(job.fit.start[0] == Start{.kind = Start::Kind::identity});
  CHECK(job.fit.start[1] == Start{Start::Kind::params, {1.0, 2.0, 3.5}});
  CHECK(job.fit.start[2] == Start{.kind = Start::Kind::closed_form});
  CHECK(job.fit.bounds.scale == Interval{.min = 3.5, .max = HUGE_VAL});
  CHECK(job.fit.bounds.dx_px == Interval{-10.0, 10.0});
  CHECK_FALSE(job.fit.bounds.dy_px.bounded());
  CHECK(job.fit.ftol_rel == Axis<Draw>{Draw(0.0)});
  CHECK(job.fit.max_evaluations == Axis<Draw>{Draw(10.0), Draw(20.0)});
}

TEST_CASE("files: an axis or one alone") {
  const std::string head = "source = \"pairs\"\n";
  CHECK(parse_job_text(minimal(head + "files = \"a.csv\"\n")).problem.files ==
        Axis<std::string>{"a.csv"});
  CHECK(parse_job_text(minimal(head + "files = [\"a.csv\", \"b.npy\"]\n")).problem.files ==
        Axis<std::string>{"a.csv", "b.npy"});
}

TEST_CASE("solvers keep their options and the lines of them") {
  const std::string text =
      "[job]\nname = \"t\"\n[[solver]]\nname = \"A\"\nkind = \"nlopt\"\n"
      "algorithm = \"LD_LBFGS\"\nvector_storage = 7\n[[solver]]\nname = \"B\"\nkind = \"unheard\"\n"
      "\"odd key\" = 1.0\nflag = true\n";
  const Job job = parse_job_text(text, "job.toml");
  REQUIRE(job.solvers.size() == 2);
  const SolverSpec &a = job.solvers[0], &b = job.solvers[1];
  CHECK(a.name == "A");
  CHECK(a.kind == "nlopt");
  CHECK(a.line == 3);
  CHECK(a.options == std::map<std::string, OptionValue>{{"algorithm", std::string("LD_LBFGS")},
                                                        {"vector_storage", std::int64_t{7}}});
  CHECK(a.option_lines == std::map<std::string, int>{
                              {"name", 4}, {"kind", 5}, {"algorithm", 6}, {"vector_storage", 7}});
  CHECK(b.kind == "unheard");
  CHECK(b.line == 8);
  CHECK(b.options == std::map<std::string, OptionValue>{{"odd key", 1.0}, {"flag", true}});
  CHECK(b.option_lines.at("flag") == 12);
}

TEST_CASE("repeats of timing: a word or a count") {
  const auto repeats = [](const std::string& value) {
    return parse_job_text(minimal() + "[run]\ntiming_repeats = " + value + "\n").run.timing_repeats;
  };
  CHECK(repeats("\"auto\"") == 0);
  CHECK(repeats("1") == 1);
  CHECK(repeats("12") == 12);
}

TEST_CASE("the memory of a solve: off or a count; a trace: yes or no") {
  const auto run = [](const std::string& line) {
    return parse_job_text(minimal() + "[run]\n" + line + "\n").run;
  };
  CHECK(run("").max_solve_bytes == 4294967296);
  CHECK(run("max_solve_bytes = \"off\"").max_solve_bytes == 0);
  CHECK(run("max_solve_bytes = 1000000").max_solve_bytes == 1000000);
  CHECK(!run("").trace);
  CHECK(run("trace = true").trace);
}

TEST_CASE("the largest seed fits") {
  const Job job = parse_job_text(minimal(), {}, {"job.seed=9223372036854775807"});
  CHECK(job.job.seed == 9223372036854775807ULL);
}

TEST_CASE("errors found later can still name the line") {
  const Job job = parse_job_text(
      "[job]\nname = \"t\"\n[problem]\npoints = 8000\n[[solver]]\n"
      "name = \"A\"\nkind = \"lm\"\n",
      "job.toml", {"problem.border_px=3"});
  const ErrorFields points = where(job, "problem.points", "few");
  CHECK(points.file == "job.toml");
  CHECK(points.line == 4);
  CHECK(points.key == "problem.points");
  CHECK(points.allowed == "few");
  const ErrorFields border = where(job, "problem.border_px");
  CHECK(border.file == "--set problem.border_px=3");
  CHECK(border.line == 0);
  const ErrorFields unset = where(job, "problem.field_px");
  CHECK(unset.file == "job.toml");
  CHECK(unset.line == 0);
}

TEST_CASE("a file is read as its text") {
  const auto file = std::filesystem::temp_directory_path() / "nucreg_parse_test.toml";
  std::ofstream(file) << minimal("points = 7\n");
  const Job job = parse_job(file, {"job.trials=3"});
  std::filesystem::remove(file);
  CHECK(job.file == file.string());
  CHECK(job.problem.points == Axis<Draw>{Draw(7.0)});
  CHECK(job.job.trials == 3);
}

TEST_CASE("lists in the options of a solver are a solver for each combination") {
  const Job job = parse_job_text(
      "[job]\nname = \"t\"\n[fit]\nloss_scale_px = [\"auto\", 3]\n[[solver]]\nname = \"A\"\n"
      "kind = \"nlopt\"\nvector_storage = [5, 50]\nalgorithm = [\"LD_LBFGS\", \"LD_VAR2\"]\n"
      "[[solver]]\nname = \"B\"\nkind = \"process\"\ncommand = [\"python3\", \"x.py\"]\n");
  std::vector<std::string> names;
  for (const SolverSpec& solver : job.solvers) names.push_back(solver.name);
  CHECK(names == std::vector<std::string>{"A algorithm LD_LBFGS vector_storage 5",
                                          "A algorithm LD_LBFGS vector_storage 50",
                                          "A algorithm LD_VAR2 vector_storage 5",
                                          "A algorithm LD_VAR2 vector_storage 50", "B"});
  CHECK(std::get<std::int64_t>(job.solvers[1].options.at("vector_storage")) == 50);
  CHECK(std::get<std::string>(job.solvers[2].options.at("algorithm")) == "LD_VAR2");
  CHECK(std::get<std::vector<std::string>>(job.solvers[4].options.at("command")) ==
        std::vector<std::string>{"python3", "x.py"});
  CHECK(job.fit.loss_scale_px == Axis<Draw>{Draw(0.0), Draw(3.0)});
  const Job again = parse_job_text(to_toml(job));
  CHECK(again.solvers.size() == 5);
  CHECK(again.solvers[3].name == names[3]);
  CHECK(again.solvers[4].options == job.solvers[4].options);
  CHECK(again.fit == job.fit);
}
