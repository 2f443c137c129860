// Order and size of the product.
#include <doctest/doctest.h>

#include <filesystem>

#include "nucreg/job/parse.hpp"
#include "nucreg/plan/plan.hpp"
#include "unit/plan/text.hpp"

using namespace nucreg;
using plan_test::job_with;
using plan_test::plan_error;

TEST_CASE("a job without axes is one configuration") {
  const Plan plan = make_plan(job_with("points = { min = 5, max = 9 }\n", "", 3));
  REQUIRE(plan.configurations.size() == 1);
  CHECK(plan.trials == 3);
  CHECK(plan.solvers == 2);
  CHECK(plan.tasks() == 3);
  CHECK(plan.solves() == 6);
  const Configuration& c = plan.configurations.front();
  CHECK(c.index == 0);
  CHECK(c.file.empty());
  CHECK(c.points == Draw(5.0, 9.0));
  CHECK(c.min_distance_px == Draw(10.0));
  CHECK(c.transform == std::vector<Draw>{0.0, 0.0, 0.0, 4.0, 4.0});
  CHECK(c.noise_px == Draw(0.0));
  CHECK(c.model == Model::affine);
  CHECK(c.loss == Loss::squared);
  CHECK(c.loss_scale_px == Draw(3.0));
  CHECK(c.coordinates == Coordinates::normalized);
  CHECK(c.start == Start{});
  CHECK(c.max_evaluations == Draw(1000.0));
  CHECK(c.ftol_rel == Draw(1e-12));
  CHECK(c.xtol_rel == Draw(1e-12));
  CHECK(c.max_seconds == Draw(10.0));
}

TEST_CASE("every axis varies faster than the one before it") {
  const Job job = job_with(R"(
points = [1, 2]
min_distance_px = [1, 2]
noise_px = [1, 2]
outliers = [0.1, 0.2]
missing = [0.1, 0.2]
transform = { model = "rigid", dx_px = [1, 2], dy_px = [1, 2], angle_deg = [1, 2] }
)",
                           R"(
model = ["affine", "trs"]
loss = ["huber", "squared"]
loss_scale_px = [1, 2]
coordinates = ["raw", "normalized"]
start = ["identity", "nominal"]
max_evaluations = [1, 2]
ftol_rel = [0.1, 0.2]
xtol_rel = [0.1, 0.2]
max_seconds = [1, 2]
)");
  const Plan plan = make_plan(job);
  REQUIRE(plan.configurations.size() == 1U << 17);
  for (std::size_t i = 0; i < plan.configurations.size(); ++i) {
    const Configuration& c = plan.configurations[i];
    REQUIRE(c.index == i);
    // Each axis as a bit, slowest first: together they must count up with the index.
    const bool bits[] = {c.points == Draw(2.0),
                         c.min_distance_px == Draw(2.0),
                         c.transform.at(0) == Draw(2.0),
                         c.transform.at(1) == Draw(2.0),
                         c.transform.at(2) == Draw(2.0),
                         c.noise_px == Draw(2.0),
                         c.outliers == Draw(0.2),
                         c.missing == Draw(0.2),
                         c.model == Model::trs,
                         c.loss == Loss::squared,
                         c.loss_scale_px == Draw(2.0),
                         c.coordinates == Coordinates::normalized,
                         c.start.kind == Start::Kind::nominal,
                         c.max_evaluations == Draw(2.0),
                         c.ftol_rel == Draw(0.2),
                         c.xtol_rel == Draw(0.2),
                         c.max_seconds == Draw(2.0)};
    std::size_t number = 0;
    for (const bool bit : bits) number = 2 * number + (bit ? 1 : 0);
    REQUIRE(number == i);
    REQUIRE(c.transform.size() == 3);
  }
}

TEST_CASE("files are the slowest axis") {
  const Plan labels = make_plan(job_with(
      "source = \"labels\"\nfiles = [\"b\", \"a\"]\nnoise_px = [0, { min = 1, max = 2 }]\n", "",
      7));
  REQUIRE(labels.configurations.size() == 4);
  CHECK(labels.tasks() == 28);
  CHECK(labels.configurations[0].file == "b");
  CHECK(labels.configurations[1].file == "b");
  CHECK(labels.configurations[2].file == "a");
  CHECK(labels.configurations[1].noise_px == Draw(1.0, 2.0));
  CHECK(labels.configurations[0].transform.size() == 5);
  CHECK(labels.configurations[0].points == Draw(0.0));
  CHECK(labels.configurations[0].min_distance_px == Draw(0.0));

  const Plan pairs = make_plan(job_with("source = \"pairs\"\nfiles = \"a\"\n"));
  REQUIRE(pairs.configurations.size() == 1);
  CHECK(pairs.configurations[0].file == "a");
  CHECK(pairs.configurations[0].transform.empty());
  CHECK(pairs.configurations[0].noise_px == Draw(0.0));
}

namespace {

std::string axis_of(int values) {
  std::string text = "[1";
  for (int i = 2; i <= values; ++i) text += ", " + std::to_string(i);
  return text + "]";
}

}  // namespace

TEST_CASE("a million configurations are a plan, one axis more is an error") {
  const std::string axes = "points = " + axis_of(1000) + "\nnoise_px = " + axis_of(1000) + "\n";
  CHECK(make_plan(job_with(axes)).configurations.size() == 1'000'000);
  const auto error = plan_error(axes, "model = [\"trs\", \"affine\"]\n");
  REQUIRE(error);
  CHECK(error->fields().file == "job.toml");
  CHECK(error->fields().line > 0);
  CHECK(error->fields().key == "fit.model");
  CHECK(error->problem() ==
        "the product of the axes so far, 1000000 x 2 configurations, is too large");
  CHECK(error->fields().allowed == "at most 1000000 configurations in one job");
}

TEST_CASE("more solves than a double can count are an error") {
  const std::string axes = "points = " + axis_of(1000) + "\nnoise_px = " + axis_of(1000) + "\n";
  // 2 solvers x 10^6 configurations: 2^53 is between these two.
  CHECK(make_plan(job_with(axes, "", 4'294'967'295)).solves() == 8'589'934'590'000'000);
  Job job = job_with(axes, "", 4'294'967'295);
  job.solvers.push_back({.name = "C", .kind = "lm"});
  try {
    (void)make_plan(job);
    FAIL("no error");
  } catch (const JobError& error) {
    CHECK(error.fields().key == "job.trials");
    CHECK(error.fields().line == 3);
    CHECK(error.problem() ==
          "4294967295 trials x 1000000 configurations x 3 solvers are too many "
          "solves");
    CHECK(error.fields().allowed == "at most 9007199254740992 solves");
  }
}

TEST_CASE("configurations that differ in [fit] only share their problem") {
  const Plan plan = make_plan(
      job_with("points = [5, 6]\nnoise_px = [0, 1]\n",
               "model = [\"trs\", \"affine\"]\nloss = [\"squared\", \"cauchy\", \"huber\"]\n"));
  REQUIRE(plan.configurations.size() == 24);
  for (const Configuration& a : plan.configurations)
    for (const Configuration& b : plan.configurations)
      CHECK((a.problem == b.problem) == (a.points == b.points && a.noise_px == b.noise_px));
  // Without an axis in [fit] the numbers are those of the configurations.
  const Plan plain = make_plan(job_with("points = [5, 6, 7]\n", ""));
  for (const Configuration& c : plain.configurations) CHECK(c.problem == c.index);
}

TEST_CASE("every job that is shipped has a plan, of the size that its header tells") {
  const auto size_of = [](const std::string& name) {
    const Plan plan = make_plan(parse_job(std::filesystem::path(NUCREG_JOBS) / (name + ".toml")));
    return std::array<std::uint64_t, 3>{plan.configurations.size(), plan.trials, plan.solves()};
  };
  using Size = std::array<std::uint64_t, 3>;
  CHECK(size_of("quickstart") == Size{6, 20, 480});
  CHECK(size_of("synthetic") == Size{20, 40, 3200});
  CHECK(size_of("python-parallel") == Size{20, 5, 400});
  CHECK(size_of("python-synthetic") == Size{5, 3, 60});
  CHECK(size_of("large-quick") == Size{36, 2, 288});
  CHECK(size_of("large-medium") == Size{90, 3, 1080});
  CHECK(size_of("large-full") == Size{126, 5, 2520});
  CHECK(size_of("large-noise") == Size{84, 3, 1008});
  CHECK(size_of("large-outliers") == Size{84, 3, 1008});
  CHECK(size_of("nuclei") == Size{10, 30, 1200});
}
