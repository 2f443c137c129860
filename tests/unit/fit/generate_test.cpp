#include "nucreg/fit/generate.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "nucreg/core/error.hpp"
#include "nucreg/fit/measures.hpp"
#include "nucreg/job/parse.hpp"

using namespace nucreg;

namespace {

Job job_of(const std::string& problem, const std::string& fit = {}, int seed = 1) {
  return parse_job_text("[job]\nname = \"t\"\nseed = " + std::to_string(seed) +
                            "\ntrials = 3\n[[solver]]\nname = \"A\"\nkind = \"lm\"\n[problem]\n" +
                            problem + "\n[fit]\n" + fit + "\n",
                        "job.toml");
}

struct MadeSource {
  Job job;
  Plan plan;
  std::unique_ptr<ProblemSource> source;
  explicit MadeSource(Job j, std::vector<InputFile> inputs = {})
      : job(std::move(j)),
        plan(make_plan(job)),
        source(make_source(job, plan, std::move(inputs))) {}
  [[nodiscard]] Trial trial(std::uint32_t number, std::size_t configuration = 0) const {
    return source->make(plan.configurations.at(configuration), number);
  }
};

// Pairs of `some` whose 10x point is not among those of `all`.
bool contains_points(const PointPairs& all, const PointPairs& some) {
  for (std::size_t i = 0; i < some.size(); ++i) {
    bool found = false;
    for (std::size_t j = 0; j < all.size() && !found; ++j)
      found = all.x10[j] == some.x10[i] && all.y10[j] == some.y10[i];
    if (!found) return false;
  }
  return true;
}

std::size_t pairs_off(const Trial& trial, double tolerance_px) {
  std::size_t off = 0;
  for (std::size_t i = 0; i < trial.pairs.size(); ++i) {
    const auto at = apply(*trial.truth, trial.pairs.x10[i], trial.pairs.y10[i]);
    off += std::hypot(at[0] - trial.pairs.x40[i], at[1] - trial.pairs.y40[i]) > tolerance_px;
  }
  return off;
}

bool same(const PointPairs& a, const PointPairs& b) {
  return a.x10 == b.x10 && a.y10 == b.y10 && a.x40 == b.x40 && a.y40 == b.y40;
}

const std::string trs_lines =
    "transform = { model = \"trs\", dx_px = 30, dy_px = 40, angle_deg = {min = -5, max = 5}, "
    "scale_x = 4, scale_y = 4 }\n";

}  // namespace

TEST_CASE("a trial depends on seed, configuration and number, and on nothing else") {
  const std::string problem =
      trs_lines + "points = [100, 120]\nnoise_px = 2\noutliers = 0.1\nmissing = 0.1";
  const MadeSource a(job_of(problem)), b(job_of(problem)), other_seed(job_of(problem, {}, 2));
  const Trial reference = a.trial(2);
  static_cast<void>(b.trial(0));  // whatever was made before
  static_cast<void>(b.trial(1, 1));
  const Trial again = b.trial(2);
  CHECK(same(reference.pairs, again.pairs));
  CHECK(reference.truth->params == again.truth->params);
  CHECK(a.trial(1).pairs.x10 != reference.pairs.x10);
  CHECK(a.trial(1).truth->params != reference.truth->params);
  CHECK(other_seed.trial(2).pairs.x10 != reference.pairs.x10);
  CHECK(a.trial(2, 1).pairs.x10[0] != reference.pairs.x10[0]);
}

TEST_CASE("noise moves the 40x side by its standard deviation and nothing else") {
  const MadeSource quiet(job_of(trs_lines + "points = 2000\nnoise_px = 0"));
  const MadeSource noisy(job_of(trs_lines + "points = 2000\nnoise_px = 2"));
  const Trial a = quiet.trial(1), b = noisy.trial(1);
  CHECK(a.pairs.x10 == b.pairs.x10);
  CHECK(a.pairs.y10 == b.pairs.y10);
  CHECK(a.truth->params == b.truth->params);
  CHECK(pairs_off(a, 1e-11) == 0);
  double sum = 0.0, squares = 0.0, product = 0.0;
  for (std::size_t i = 0; i < 2000; ++i) {
    const double x = b.pairs.x40[i] - a.pairs.x40[i], y = b.pairs.y40[i] - a.pairs.y40[i];
    sum += x + y;
    squares += x * x + y * y;
    product += x * y;
  }
  CHECK(std::abs(sum / 4000) < 5 * 2 / std::sqrt(4000.0));
  CHECK(std::abs(squares / 4000 - 4.0) < 5 * 4 * std::sqrt(2.0 / 4000));
  CHECK(std::abs(product / 2000) < 5 * 4 / std::sqrt(2000.0));
}

TEST_CASE("missing nuclei are gone and the others as they were") {
  const MadeSource all(job_of(trs_lines + "points = 200"));
  for (const auto& [fraction, left] :
       {std::pair{"0.0", 200u}, {"0.1", 180u}, {"0.333", 133u}, {"0.9", 20u}}) {
    const MadeSource some(job_of(trs_lines + "points = 200\nmissing = " + fraction));
    const Trial trial = some.trial(0);
    CHECK(trial.pairs.size() == left);
    CHECK(contains_points(all.trial(0).pairs, trial.pairs));
    CHECK(pairs_off(trial, 1e-11) == 0);
  }
}

TEST_CASE("outliers are as many as asked for, anywhere in the field, the rest as it was") {
  const MadeSource clean(job_of(trs_lines + "points = 500"));
  for (const auto& [fraction, count] : {std::pair{"0.0", 0u}, {"0.1", 50u}, {"0.5", 250u}}) {
    const MadeSource made(
        job_of(trs_lines + "points = 500\noutliers = " + fraction, "model = \"trs\""));
    const Trial a = clean.trial(0), trial = made.trial(0);
    CHECK(trial.pairs.x10 == a.pairs.x10);
    CHECK(pairs_off(trial, 1e-9) == count);
    // Back at 10x each lies within the field.
    for (std::size_t i = 0; i < 500; ++i) {
      const double angle = trial.truth->params[2] * std::acos(-1.0) / 180.0;
      const double u = trial.pairs.x40[i] / 4 - 30, v = trial.pairs.y40[i] / 4 - 40;
      const double x = std::cos(angle) * u + std::sin(angle) * v;
      const double y = -std::sin(angle) * u + std::cos(angle) * v;
      CHECK(x > -1e-9);
      CHECK(x < 1024 + 1e-9);
      CHECK(y > -1e-9);
      CHECK(y < 1024 + 1e-9);
    }
  }
}

TEST_CASE("drawn numbers stay within their ranges and fill them") {
  const MadeSource made(job_of(
      "points = {min = 50, max = 60}\ntransform = { model = \"trs\", dx_px = {min = -9, max = 9}, "
      "dy_px = 40, angle_deg = {min = -5, max = 5}, scale_x = {min = 3.9, max = 4.1}, scale_y = 4 "
      "}",
      "loss = \"huber\"\nloss_scale_px = {min = 1, max = 2}\nmodel = \"trs\""));
  double lowest = 1e9, highest = -1e9;
  for (std::uint32_t i = 0; i < 200; ++i) {
    const Trial trial = made.trial(i);
    const Params& p = trial.truth->params;
    REQUIRE(trial.truth->model == Model::trs);
    CHECK(trial.pairs.size() >= 50);
    CHECK(trial.pairs.size() <= 60);
    CHECK(std::abs(p[0]) <= 9.0);
    CHECK(p[1] == 40.0);
    CHECK(std::abs(p[2]) <= 5.0);
    CHECK(std::abs(p[3] - 4.0) <= 0.1);
    CHECK(p[4] == 4.0);
    CHECK(trial.loss_scale_px >= 1.0);
    CHECK(trial.loss_scale_px < 2.0);
    lowest = std::min(lowest, p[2]);
    highest = std::max(highest, p[2]);
  }
  CHECK(lowest < -4.5);
  CHECK(highest > 4.5);
}

TEST_CASE("fixing one number leaves the others as they were drawn") {
  const auto with = [](const std::string& dx) {
    return MadeSource(job_of("points = 50\ntransform = { model = \"trs\", dx_px = " + dx +
                                 ", dy_px = {min = 0, max = 1}, angle_deg = {min = -5, max = 5}, "
                                 "scale_x = 4, scale_y = 4 }",
                             "model = \"trs\""))
        .trial(1);
  };
  const Trial drawn = with("{min = -9, max = 9}"), fixed = with("3");
  CHECK(fixed.truth->params[0] == 3.0);
  CHECK(fixed.truth->params.tail(4) == drawn.truth->params.tail(4));
  CHECK(fixed.pairs.x10 == drawn.pairs.x10);
}

TEST_CASE("the truth is given in the model that is fitted, where that contains it") {
  const auto truth = [](const std::string& model) {
    return MadeSource(job_of(trs_lines + "points = 20", "model = \"" + model + "\"")).trial(0);
  };
  for (const std::string model : {"rigid", "similarity", "trs", "affine", "projective"}) {
    const Trial trial = truth(model);
    REQUIRE(trial.truth);
    CHECK(name_of(trial.truth->model) == model);
    CHECK(rmsd_px(trial.pairs, *trial.truth) < 1e-11);
  }
  const std::string stretched =
      "transform = { model = \"trs\", dx_px = 0, dy_px = 0, angle_deg = 1, scale_x = 4, scale_y = "
      "5 }";
  for (const std::string model : {"rigid", "similarity"})
    CHECK(!MadeSource(job_of(stretched + "\npoints = 20", "model = \"" + model + "\""))
               .trial(0)
               .truth);
}

TEST_CASE("a density that does not fit in any configuration is refused with file and line") {
  try {
    const MadeSource made(job_of("points = [100, 8000]"));
    FAIL("8000 points do not fit");
  } catch (const JobError& error) {
    CHECK(error.fields().file == "job.toml");
    CHECK(error.fields().line == 9);
    CHECK(error.fields().key == "problem.points");
    CHECK(error.fields().allowed == "at most 6675");
  }
  // What may be drawn counts, not what is.
  CHECK_THROWS_AS(MadeSource(job_of("points = {min = 10, max = 8000}")), JobError);
  CHECK_THROWS_AS(MadeSource(job_of("points = 5000\nmin_distance_px = {min = 5, max = 30}")),
                  JobError);
  CHECK_NOTHROW(MadeSource(job_of("points = 6675")));
}

TEST_CASE("labels give real positions, each file its configuration, and a made 40x side") {
  const Points real{{1, 5, 9, 20}, {2, 8, 3, 30}}, other{{7, 8, 9}, {1, 2, 4}};
  const MadeSource made(job_of("source = \"labels\"\nfiles = [\"a.tif\", \"b.tif\"]\n" + trs_lines),
                        {{.path = "a.tif", .points = real, .field_px = {64, 32}},
                         {.path = "b.tif", .points = other, .field_px = {10, 12}}});
  REQUIRE(made.plan.configurations.size() == 2);
  const Trial a = made.trial(0, 0), b = made.trial(0, 1);
  CHECK(a.pairs.x10 == real.x);
  CHECK(a.pairs.y10 == real.y);
  CHECK(a.field_px == std::array<double, 2>{64, 32});
  CHECK(pairs_off(a, 1e-12) == 0);
  CHECK(b.pairs.x10 == other.x);
  CHECK(b.field_px == std::array<double, 2>{10, 12});
  CHECK(made.trial(1, 0).truth->params != a.truth->params);
}

TEST_CASE("losses, models and starts get the same points, noise and truth") {
  const MadeSource made(job_of("points = 40\nnoise_px = 1\noutliers = 0.2\n" + trs_lines,
                               "model = [\"trs\", \"affine\"]\nloss = [\"squared\", \"cauchy\"]\n"
                               "start = [\"nominal\", \"truth\"]\n"));
  REQUIRE(made.plan.configurations.size() == 8);
  for (std::uint32_t number = 0; number < 3; ++number) {
    const Trial first = made.trial(number, 0);
    for (std::uint32_t c = 1; c < 8; ++c) {
      CHECK(same(made.trial(number, c).pairs, first.pairs));
      CHECK(made.trial(number, c).field_px == first.field_px);
    }
    CHECK(!same(made.trial(number + 1, 0).pairs, first.pairs));
  }
}

TEST_CASE("pairs are given as they were read, without a truth") {
  const PointPairs read{{1, 2, 3}, {4, 5, 7}, {7, 8, 9}, {1, 0, 1}};
  const MadeSource made(job_of("source = \"pairs\"\nfiles = [\"p.csv\"]"),
                        {{.path = "p.csv", .pairs = read, .field_px = {100, 200}}});
  for (std::uint32_t number = 0; number < 2; ++number) {
    const Trial trial = made.trial(number);
    CHECK(same(trial.pairs, read));
    CHECK(!trial.truth);
    CHECK(trial.field_px == std::array<double, 2>{100, 200});
    CHECK(trial.max_evaluations == 1000);
  }
}
