#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "nucreg/core/error.hpp"
#include "nucreg/match/match.hpp"
#include "support/two_magnifications.hpp"

using namespace nucreg;

namespace {

void check_no_match(const MatchResult& result, NoMatch why) {
  CHECK(!result.matched());
  CHECK(result.no_match == why);
  CHECK(!result.reason.empty());
  CHECK(result.ten.empty());
  CHECK(result.forty.empty());
  for (const double entry : result.affine) CHECK(std::isnan(entry));
  CHECK(std::isnan(result.match_rate));
}

Points lattice(std::size_t side, double step) {
  Points points;
  for (std::size_t i = 0; i < side * side; ++i) {
    points.x.push_back(step * static_cast<double>(i % side));
    points.y.push_back(step * static_cast<double>(i / side));
  }
  return points;
}

template <class E>
void check_refused(const std::function<void()>& call, const std::string& key,
                   const std::string& part) {
  try {
    call();
    FAIL("was taken");
  } catch (const E& error) {
    CAPTURE(std::string(error.what()));
    CHECK(error.fields().key == key);
    CHECK(error.problem().find(part) != std::string::npos);
    CHECK(!error.fields().allowed.empty());
  }
}

}  // namespace

TEST_CASE("a tile of another place has no match") {
  for (std::uint32_t seed = 1; seed <= 5; ++seed) {
    const Scene scene = make_scene({.seed = seed, .nuclei = 1200, .elsewhere = true});
    const MatchResult result = match_nuclei(scene.ten, scene.forty);
    check_no_match(result, NoMatch::not_significant);
    CHECK(result.hypotheses > 1000);
    CHECK(result.log10_significance > -4.0);
  }
}

TEST_CASE("chance is found about as often as it is allowed, not more") {
  int found = 0;
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    const Scene scene = make_scene({.seed = seed, .nuclei = 60, .elsewhere = true});
    found += match_nuclei(scene.ten, scene.forty, {.significance = 0.1}).matched() ? 1 : 0;
  }
  CHECK(found <= 30);
}

TEST_CASE("a magnification outside the range is not found") {
  const Scene scene = make_scene({.seed = 4, .nuclei = 600, .magnification = {4.0, 4.0}});
  CHECK(match_nuclei(scene.ten, scene.forty, {.magnification = {2.0, 8.0}}).matched());
  check_no_match(match_nuclei(scene.ten, scene.forty, {.magnification = {1.5, 2.5}}),
                 NoMatch::not_significant);
}

TEST_CASE("a regular lattice is ambiguous, also where some of it is missing") {
  const Points ten = lattice(30, 20.0);
  check_no_match(match_nuclei(ten, lattice(15, 80.0)), NoMatch::ambiguous);
  RandomStream random(1, 0, 0, Purpose::noise);
  Points holes;
  const Points forty = lattice(15, 80.0);
  for (std::size_t i = 0; i < forty.size(); ++i) {
    if (random.uniform() < 0.15) continue;
    holes.x.push_back(forty.x[i] + random.normal());
    holes.y.push_back(forty.y[i] + random.normal());
  }
  check_no_match(match_nuclei(ten, holes), NoMatch::ambiguous);
  // A stage that is sure of one of the maps is not believed.
  const StagePrior sure{{560.0, 560.0}, {{300.0, 300.0}}, 5.0};
  check_no_match(match_nuclei(ten, holes, {.stage = sure}), NoMatch::ambiguous);
}

TEST_CASE("two equal places are ambiguous, also to a stage that is sure of one") {
  for (std::uint32_t seed = 1; seed <= 4; ++seed) {
    const SceneOptions options{.seed = seed};
    Scene scene = make_scene(options);
    const auto [x, y] = middle_of_tile_at_10x(scene, options);
    const double half_px = 0.5 * tile_side_px(scene, options);
    const StagePrior sure{{half_px, half_px}, {{x, y}}, 20.0};
    CHECK(match_nuclei(scene.ten, scene.forty, {.stage = sure}).matched());
    const Points once = scene.ten;
    for (std::size_t i = 0; i < once.size(); ++i) {  // again, far beyond what the stage allows
      scene.ten.x.push_back(once.x[i] + 1e4);
      scene.ten.y.push_back(once.y[i]);
    }
    check_no_match(match_nuclei(scene.ten, scene.forty), NoMatch::ambiguous);
    check_no_match(match_nuclei(scene.ten, scene.forty, {.stage = sure}), NoMatch::ambiguous);
  }
}

TEST_CASE("too few points, and points on a line, have no match") {
  const Points many = make_scene({.seed = 1, .nuclei = 100}).ten;
  for (const std::size_t n : {0u, 1u, 2u, 3u}) {
    const Points few{{many.x.begin(), many.x.begin() + static_cast<std::ptrdiff_t>(n)},
                     {many.y.begin(), many.y.begin() + static_cast<std::ptrdiff_t>(n)}};
    check_no_match(match_nuclei(few, many), NoMatch::too_few);
    check_no_match(match_nuclei(many, few), NoMatch::too_few);
    check_no_match(match_nuclei(few, few), NoMatch::too_few);
  }
  const Points equal{std::vector<double>(50, 7.0), std::vector<double>(50, -3.0)};
  check_no_match(match_nuclei(equal, equal), NoMatch::too_few);
  const Points four{{0.0, 10.0, 3.0, 7.0}, {0.0, 1.0, 11.0, 5.0}};
  check_no_match(match_nuclei(four, four, {.magnification = {0.5, 2.0}}), NoMatch::not_significant);
  Points line;
  for (int i = 0; i < 60; ++i) {
    line.x.push_back(10.0 * i + (i * i) % 7);
    line.y.push_back(3.0 * line.x.back() + 5.0);
  }
  check_no_match(match_nuclei(line, many), NoMatch::collinear);
  check_no_match(match_nuclei(many, line), NoMatch::collinear);
  check_no_match(match_nuclei(line, line, {.magnification = {0.5, 2.0}}), NoMatch::collinear);
}

TEST_CASE("coordinates that are no numbers, or no pixels, are refused by side and index") {
  const Points good = make_scene({.seed = 1, .nuclei = 100}).ten;
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(),
                           std::numeric_limits<double>::infinity(), -1e300}) {
    Points points = good;
    points.y[17] = bad;
    check_refused<InputError>([&] { static_cast<void>(match_nuclei(points, good)); }, "ten",
                              "point 17");
    check_refused<InputError>([&] { static_cast<void>(match_nuclei(good, points)); }, "forty",
                              "point 17");
  }
  Points short_y = good;
  short_y.y.pop_back();
  check_refused<InputError>([&] { static_cast<void>(match_nuclei(short_y, good)); }, "ten", "y");
}

TEST_CASE("options out of range are refused by name") {
  const Points points = make_scene({.seed = 1, .nuclei = 100}).ten;
  const auto refused = [&](const MatchOptions& options, const std::string& key) {
    check_refused<JobError>([&] { static_cast<void>(match_nuclei(points, points, options)); }, key,
                            "");
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const std::array<double, 2>& range :
       {std::array{5.0, 3.0}, {0.0, 4.0}, {nan, 4.0}, {3.0, nan}, {-4.0, 4.0}})
    refused({.magnification = range}, "magnification");
  for (const double p : {0.0, 1.0, -1.0, nan}) refused({.significance = p}, "significance");
  refused({.max_seeds = 0}, "most seeds");
  for (const Model model : {Model::rigid, Model::similarity, Model::projective})
    refused({.model = model}, "model");
  for (const double bad : {0.0, -1.0, nan, std::numeric_limits<double>::infinity()})
    refused({.stage = StagePrior{{1.0, 2.0}, {{3.0, 4.0}}, bad}}, "stage uncertainty");
  refused({.stage = StagePrior{{1.0, 2.0}, {}, 10.0}}, "stage place");
  refused({.stage = StagePrior{{1.0, 2.0}, {{3.0, 4.0}, {nan, 4.0}}, 10.0}}, "stage place");
  refused({.stage = StagePrior{{1.0, nan}, {{3.0, 4.0}}, 10.0}}, "stage place");
}
