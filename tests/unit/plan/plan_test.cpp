// Order and size of the product.

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "nucreg/job/parse.hpp"
#include "nucreg/plan/plan.hpp"
#include "support/job_error.hpp"
#include "text.hpp"
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

// Parts of a plan: disjoint, together everything, equal in size.

TEST_CASE("parts are disjoint, together the whole, and differ by one trial at most") {
  for (std::uint64_t configurations = 1; configurations <= 6; ++configurations)
    for (std::uint64_t trials = 1; trials <= 7; ++trials)
      for (std::uint64_t count = 1; count <= configurations * trials; ++count) {
        CAPTURE(configurations);
        CAPTURE(trials);
        CAPTURE(count);
        std::vector<int> owners(configurations * trials);
        std::uint64_t smallest = owners.size(), largest = 0;
        for (std::uint64_t number = 1; number <= count; ++number) {
          const Part part{number, count};
          std::uint64_t size = 0;
          for (std::uint64_t c = 0; c < configurations; ++c) {
            const TrialRange range = part.of(c, trials);
            REQUIRE(range.first + range.count <= trials);
            for (std::uint64_t t = 0; t < trials; ++t)
              if (range.contains(t)) ++owners[c * trials + t], ++size;
          }
          REQUIRE(part.tasks(configurations, trials) == size);
          smallest = std::min(smallest, size);
          largest = std::max(largest, size);
        }
        REQUIRE(std::ranges::all_of(owners, [](int n) { return n == 1; }));
        REQUIRE(smallest >= 1);
        REQUIRE(largest - smallest <= 1);
      }
}

TEST_CASE("parts of the largest plans do not overflow") {
  const std::uint64_t trials = (std::uint64_t{1} << 53) - 1;
  std::uint64_t next = 0;
  // Configuration 0 is dealt in order.
  for (std::uint64_t number = 1; number <= 1000; ++number) {
    const TrialRange range = Part{number, 1000}.of(0, trials);
    REQUIRE(range.first == next);
    next += range.count;
  }
  CHECK(next == trials);
  const TrialRange last = Part{max_parts, max_parts}.of(999'999, trials);
  CHECK(last.first + last.count <= trials);
}

TEST_CASE("each trial has an equal share of each configuration") {
  CHECK(Part{2, 4}.of(3, 100).first == 25);
  CHECK(Part{2, 4}.of(3, 100).count == 25);
}

TEST_CASE("K/N and nothing else names a part") {
  CHECK(parse_part("1/1").whole());
  CHECK(parse_part("2/8") == Part{2, 8});
  CHECK(parse_part("2/8").text() == "2/8");
  for (const char* text : {"", "/", "2", "2/", "/8", "0/8", "9/8", "-1/8", "2/8/3", " 2/8", "2/8 ",
                           "a/b", "1.5/2", "0/0", "1/1000001", "1/99999999999999999999999", "+1/2"})
    CHECK_THROWS_AS(static_cast<void>(parse_part(text)), JobError);
}

TEST_CASE("more parts than trials are refused") {
  const Plan plan = make_plan(plan_test::job_with("points = [10, 20]", {}, 3));
  CHECK_NOTHROW(check_part({6, 6}, plan));
  CHECK_THROWS_WITH_AS(check_part({1, 7}, plan),
                       "--part: the job has no 7 parts; allowed: at most one per trial, 6",
                       JobError);
}

// Values that are right alone but do not go together.

using plan_test::plan_error;

namespace {

void check(const std::string& problem, const std::string& fit, const Expected& expected) {
  CAPTURE(problem);
  CAPTURE(fit);
  check_error(plan_error(problem, fit), expected);
}

const std::string with_truth = "truth only with models that contain problem.transform";

}  // namespace

TEST_CASE("a start in numbers has as many as the model") {
  CHECK_FALSE(plan_error("", "model = \"trs\"\nstart = { params = [1, 2, 3, 4, 5] }\n"));
  check("", "model = \"trs\"\nstart = { params = [1, 2, 3, 4] }\n",
        {14, "fit.start", "4 params do not make a start of model trs",
         "params = [dx_px, dy_px, angle_deg, scale_x, scale_y], 5 numbers"});
  check("",
        "model = [\"affine\", \"rigid\"]\nstart = [\"nominal\", { params = [1, 2, 3, 4, 5, 6] }]\n",
        {14, "fit.start", "6 params do not make a start of model rigid",
         "params = [dx_px, dy_px, angle_deg], 3 numbers"});
  check("", "model = \"rigid\"\nstart = { params = [] }\n",
        {14, "fit.start", "0 params do not make a start of model rigid",
         "params = [dx_px, dy_px, angle_deg], 3 numbers"});
}

TEST_CASE("a start at the truth needs one") {
  check("source = \"pairs\"\nfiles = \"a\"\n", "start = [\"nominal\", \"truth\"]\n",
        {15, "fit.start", "pairs have no known truth to start from",
         "nominal, identity, closed-form, { params = [...] }"});
  CHECK_FALSE(plan_error("source = \"labels\"\nfiles = \"a\"\n", "start = \"truth\"\n"));
  CHECK_FALSE(plan_error("transform.model = \"affine\"\n",
                         "model = [\"affine\", \"projective\"]\nstart = \"truth\"\n"));
  check("transform.model = \"affine\"\n", "model = [\"affine\", \"trs\"]\nstart = \"truth\"\n",
        {15, "fit.start", "model trs does not contain the true affine map to start from",
         with_truth});
}

TEST_CASE("the scales of each configuration count, not those of the job") {
  const std::string similarity = "model = \"similarity\"\nstart = \"truth\"\n";
  CHECK_FALSE(plan_error("transform = { scale_x = 4.5, scale_y = 4.5 }\n", similarity));
  check("transform = { scale_x = [4, 4.5], scale_y = 4 }\n", similarity,
        {15, "fit.start", "model similarity does not contain the true trs map to start from",
         with_truth});
}

TEST_CASE("which model contains which truth") {
  constexpr Model models[] = {Model::rigid, Model::similarity, Model::trs, Model::affine,
                              Model::projective};
  const std::vector<std::vector<Draw>> general = {
      {1, 2, 3}, {1, 2, 3, 4.5}, {1, 2, 3, 4, 4.5}, {4, 0, 1, 0, 4, 2}, {4, 0, 1, 0, 4, 2, 0, 0}};
  for (std::size_t truth = 0; truth < 5; ++truth)
    for (std::size_t model = 0; model < 5; ++model) {
      CAPTURE(truth);
      CAPTURE(model);
      CHECK(contains_truth(models[model], models[truth], general[truth], 4.0) == (truth <= model));
    }
  // The entries of a matrix are no scales, even where they are alike.
  CHECK_FALSE(contains_truth(Model::trs, Model::affine, {4, 0, 1, 4, 4, 4}, 4.0));
  // Fixed scales that make a smaller model of it.
  using Params = std::vector<Draw>;
  const auto rigid = [](Model truth, const Params& params) {
    return contains_truth(Model::rigid, truth, params, 4.0);
  };
  CHECK(rigid(Model::similarity, {1, 2, 3, 4}));
  CHECK_FALSE(rigid(Model::similarity, {1, 2, 3, Draw(4, 5)}));
  CHECK(rigid(Model::trs, {1, 2, Draw(-5, 5), 4, 4}));
  CHECK_FALSE(rigid(Model::trs, {1, 2, 3, 5, 5}));
  CHECK(contains_truth(Model::similarity, Model::trs, {1, 2, 3, 5, 5}, 4.0));
  CHECK_FALSE(contains_truth(Model::similarity, Model::trs, {1, 2, 3, 5, 4}, 4.0));
  CHECK_FALSE(
      contains_truth(Model::similarity, Model::trs, {1, 2, 3, Draw(4, 5), Draw(4, 5)}, 4.0));
}

TEST_CASE("shift bounds of linear models need finite scale bounds") {
  const std::string allowed = "together with fit.bounds.scale, finite";
  for (const std::string model : {"affine", "projective"})
    check("", "model = [\"trs\", \"" + model + "\"]\nbounds = { dy_px = [-1, inf] }\n",
          {14, "fit.bounds.dy_px",
           "model " + model + " cannot be bounded in shift without a bounded scale", allowed});
  check("", "bounds = { scale = [1, inf], dx_px = [-1, 1] }\n",
        {13, "fit.bounds.dx_px", "model affine cannot be bounded in shift without a bounded scale",
         allowed});
  CHECK_FALSE(plan_error("", "bounds = { scale = [1, 5], dx_px = [-1, 1], dy_px = [-1, 1] }\n"));
  CHECK_FALSE(plan_error("", "bounds = { scale = [1, inf], angle_deg = [-1, 1] }\n"));
  for (const std::string model : {"rigid", "similarity", "trs"})
    CHECK_FALSE(plan_error("", "model = \"" + model + "\"\nbounds.dx_px = [-1, 1]\n"));
  CHECK_FALSE(plan_error("", "model = \"rigid\"\nbounds.scale = [1, 2]\n"));
}

TEST_CASE("a border leaves a field") {
  check("field_px = [100, 50]\nborder_px = 25\n", "",
        {12, "problem.border_px", "25 leaves no field", "less than half of the field, 25"});
  CHECK_FALSE(plan_error("field_px = [100, 50]\nborder_px = 24.9\n", ""));
}
