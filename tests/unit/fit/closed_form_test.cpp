#include "nucreg/fit/closed_form.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "nucreg/fit/measures.hpp"
#include "nucreg/fit/objective.hpp"
#include "unit/fit/random_pairs.hpp"

using namespace nucreg;

namespace {
constexpr Model solvable[] = {Model::rigid, Model::similarity, Model::affine};
}

TEST_CASE("only squared loss of rigid, similarity and affine has a closed form") {
  for (const Model model : fit_test::all_models)
    for (const Loss loss : fit_test::all_losses) {
      const bool linear =
          model == Model::rigid || model == Model::similarity || model == Model::affine;
      CHECK(has_closed_form(model, loss) == (linear && loss == Loss::squared));
    }
  const PointPairs pairs = fit_test::pairs_around(fit_test::sample_map(Model::trs), 20, 0.0);
  CHECK(!closed_form(pairs, Model::trs, 4.0));
  CHECK(!closed_form(pairs, Model::projective, 4.0));
}

TEST_CASE("exact pairs give their map back") {
  for (const Model model : solvable) {
    CAPTURE(name_of(model));
    const Map map = fit_test::sample_map(model);
    const PointPairs pairs = fit_test::pairs_around(map, 50, 0.0);
    const auto p = closed_form(pairs, model, 4.0);
    REQUIRE(p);
    CHECK(tre_px({model, to_degrees(model, *p), 4.0}, map, {1000, 1000}) < 1e-10);
  }
}

TEST_CASE("noisy pairs give a point where the gradient is zero and every step is uphill") {
  for (const Model model : solvable)
    for (const std::size_t n : {4u, 50u, 5000u}) {
      CAPTURE(name_of(model));
      const Map map = fit_test::sample_map(model);
      const PointPairs pairs = fit_test::pairs_around(map, n, 30.0);
      const auto p = closed_form(pairs, model, 4.0);
      REQUIRE(p);
      Objective f(pairs, model, Loss::squared, 1.0, 4.0, 1.0);
      NormalEquations normal;
      f.normal_equations(*p, normal);
      for (Eigen::Index i = 0; i < p->size(); ++i) {
        // The gain of a Newton step along this parameter alone, relative to the objective.
        const double g = normal.gradient[i];
        CHECK(g * g / normal.hessian(i, i) < 1e-20 * normal.value);
        for (const double side : {-1.0, 1.0}) {
          Params q = *p;
          q[i] += side * std::sqrt(1e-6 * normal.value / normal.hessian(i, i));
          CHECK(f.value(q) > normal.value);
        }
      }
    }
}

TEST_CASE("a large turn and pairs far from the origin are no matter") {
  const Map map{Model::similarity, (Params(4) << -20000.0, 35000.0, 170.0, 0.25).finished(), 4.0};
  PointPairs pairs = fit_test::pairs_around(map, 100, 0.0);
  const auto p = closed_form(pairs, Model::similarity, 4.0);
  REQUIRE(p);
  CHECK(tre_px({Model::similarity, to_degrees(Model::similarity, *p), 4.0}, map, {1000, 1000}) <
        1e-9);
}

TEST_CASE("the fewest points: two for rigid and similarity, three for affine") {
  const PointPairs two{{0, 10}, {0, 0}, {5, 5}, {7, 47}};  // a quarter turn, four times
  const auto similarity = closed_form(two, Model::similarity, 4.0);
  REQUIRE(similarity);
  CHECK((*similarity)[2] == doctest::Approx(std::acos(0.0)));
  CHECK((*similarity)[3] == doctest::Approx(4.0));
  CHECK(closed_form(two, Model::rigid, 4.0));
  CHECK(!closed_form(two, Model::affine, 4.0));
  const PointPairs three{{0, 10, 0}, {0, 0, 10}, {1, 2, 3}, {4, 5, 6}};
  const auto affine = closed_form(three, Model::affine, 4.0);
  REQUIRE(affine);
  CHECK((*affine)[0] == doctest::Approx(0.1));
  CHECK((*affine)[2] == doctest::Approx(1.0));
  CHECK((*affine)[4] == doctest::Approx(0.2));
}

TEST_CASE("points that do not determine a map have no answer") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Model model : solvable) {
    CAPTURE(name_of(model));
    CHECK(!closed_form(PointPairs{}, model, 4.0));
    CHECK(!closed_form(PointPairs{{1}, {2}, {3}, {4}}, model, 4.0));
    const PointPairs coincident{{5, 5, 5, 5}, {7, 7, 7, 7}, {1, 2, 3, 4}, {4, 3, 2, 2}};
    CHECK(!closed_form(coincident, model, 4.0));
    for (std::vector<double> PointPairs::*column :
         {&PointPairs::x10, &PointPairs::y10, &PointPairs::x40, &PointPairs::y40}) {
      PointPairs bad = fit_test::pairs_around(fit_test::sample_map(model), 10, 1.0);
      (bad.*column)[3] = nan;
      CHECK(!closed_form(bad, model, 4.0));
    }
  }
  // On a line: a similarity is determined, an affine map is not.
  PointPairs line;
  line.resize(20);
  for (std::size_t i = 0; i < 20; ++i) {
    line.x10[i] = 37.0 * static_cast<double>(i);
    line.y10[i] = 0.3 * line.x10[i] + 11.0;
    line.x40[i] = 4.0 * line.x10[i];
    line.y40[i] = 4.0 * line.y10[i];
  }
  CHECK(closed_form(line, Model::similarity, 4.0));
  CHECK(!closed_form(line, Model::affine, 4.0));
  // All 40x points in one place: no scale above zero fits.
  const PointPairs collapsed{{0, 1, 2}, {0, 3, 1}, {5, 5, 5}, {6, 6, 6}};
  CHECK(!closed_form(collapsed, Model::similarity, 4.0));
}

TEST_CASE("two points, or points on a line, never pass for an affine map") {
  for (std::uint32_t trial = 0; trial < 2000; ++trial) {
    RandomStream random(7, 0, trial, Purpose::positions);
    const double x = random.uniform(0, 1000), y = random.uniform(0, 1000);
    const double u = random.uniform(-500, 500), v = random.uniform(-500, 500);
    PointPairs pairs;
    for (int i = 0; i < (trial % 2 == 0 ? 2 : 9); ++i) {
      const double along = i < 2 ? i : random.uniform();
      pairs.x10.push_back(x + along * u);
      pairs.y10.push_back(y + along * v);
      pairs.x40.push_back(4.0 * pairs.x10.back() + random.normal());
      pairs.y40.push_back(4.0 * pairs.y10.back() + random.normal());
    }
    CAPTURE(trial);
    CHECK(!closed_form(pairs, Model::affine, 4.0));
  }
}
