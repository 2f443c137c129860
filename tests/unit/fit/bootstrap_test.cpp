#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "nucreg/fit/generate.hpp"
#include "nucreg/job/parse.hpp"

using namespace nucreg;

namespace {

Job images_job(int seed) {
  return parse_job_text("[job]\nname = \"t\"\nseed = " + std::to_string(seed) +
                        "\ntrials = 300\n[[solver]]\nname = \"A\"\nkind = \"lm\"\n"
                        "[problem]\nsource = \"images\"\n[problem.images]\nten = \"a\"\n"
                        "forty = \"b\"\npairs = [\"a + b\", \"a + c\"]\n");
}

InputFile input_of(const std::string& name, std::size_t pairs) {
  InputFile input{.path = name, .field_px = {300.0, 200.0}};
  for (std::size_t i = 0; i < pairs; ++i) {
    const auto x = static_cast<double>(i);
    input.pairs.x10.push_back(x);
    input.pairs.y10.push_back(x + 0.25);
    input.pairs.x40.push_back(4.0 * x);
    input.pairs.y40.push_back(4.0 * x + 1.0);
  }
  return input;
}

struct Made {
  Job job;
  Plan plan = make_plan(job);
  std::unique_ptr<ProblemSource> source =
      make_source(job, plan, {input_of("a + b", 40), input_of("a + c", 7)});
};

}  // namespace

TEST_CASE("a resample draws as many pairs as there are, and holds out those not drawn") {
  const Made made{images_job(1)};
  REQUIRE(made.plan.configurations.size() == 2);
  double heldout = 0.0;
  std::vector<int> times(40);
  for (std::uint32_t number = 0; number < 300; ++number) {
    const Trial trial = made.source->make(made.plan.configurations[0], number);
    CHECK(trial.pairs.size() == 40);
    CHECK_FALSE(trial.truth);
    CHECK(trial.field_px == std::array<double, 2>{300.0, 200.0});
    std::map<double, int> seen;
    for (std::size_t i = 0; i < trial.pairs.size(); ++i) {
      const double x = trial.pairs.x10[i];
      ++seen[x];
      ++times[static_cast<std::size_t>(x)];
      CHECK(trial.pairs.y10[i] == x + 0.25);
      CHECK(trial.pairs.x40[i] == 4.0 * x);
      CHECK(trial.pairs.y40[i] == 4.0 * x + 1.0);
    }
    CHECK(trial.heldout.size() == 40 - seen.size());
    for (const double x : trial.heldout.x10) CHECK_FALSE(seen.contains(x));
    CHECK(trial.heldout.y40.size() == trial.heldout.size());
    heldout += static_cast<double>(trial.heldout.size()) / 40.0 / 300.0;
  }
  // (1 - 1/40)^40, give or take five standard errors.
  CHECK(heldout == doctest::Approx(0.363).epsilon(0.05));
  // Each pair is drawn as often as any: 300 times, standard deviation 17.
  CHECK(*std::ranges::min_element(times) > 210);
  CHECK(*std::ranges::max_element(times) < 390);
}

TEST_CASE("a resample depends on seed, configuration and trial alone") {
  const Made made{images_job(1)}, again{images_job(1)}, other{images_job(2)};
  const auto drawn = [](const Made& source, std::size_t configuration, std::uint32_t number) {
    return source.source->make(source.plan.configurations[configuration], number).pairs.x10;
  };
  CHECK(drawn(made, 0, 5) == drawn(again, 0, 5));
  CHECK(drawn(made, 0, 5) != drawn(made, 0, 6));
  CHECK(drawn(made, 0, 5) != drawn(other, 0, 5));
  CHECK(drawn(made, 1, 5).size() == 7);
}
