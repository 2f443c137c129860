#include "nucreg/fit/normalization.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "nucreg/fit/objective.hpp"
#include "unit/fit/random_pairs.hpp"

using namespace nucreg;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

// Far from the origin and off the nominal magnification, so that every term matters.
const Normalization general{
    .x10 = 700, .y10 = -300, .scale10 = 256, .x40 = 2900, .y40 = 1500, .scale40 = 1100};

bool is_power_of_two(double value) {
  int exponent = 0;
  return std::frexp(value, &exponent) == 0.5;
}

}  // namespace

TEST_CASE("centroids are the means of the four columns, and of nothing no number") {
  const PointPairs pairs{{1, 2, 6}, {0, -3, 0}, {10, 20, 60}, {4, 4, 4}};
  const Centroids middle = centroids(pairs);
  CHECK(middle.x10 == 3.0);
  CHECK(middle.y10 == -1.0);
  CHECK(middle.x40 == 30.0);
  CHECK(middle.y40 == 4.0);
  CHECK(std::isnan(centroids(PointPairs{}).x10));
}

TEST_CASE("parameters survive the way to normalized coordinates and back") {
  for (const Model model : fit_test::all_models) {
    CAPTURE(name_of(model));
    const Params p = to_radians(model, fit_test::sample_map(model).params);
    const Params q = params_to_normalized(model, p, 4.0, general);
    const Params back = params_to_pixels(model, q, 4.0, general);
    for (Eigen::Index i = 0; i < p.size(); ++i)
      CHECK(back[i] == doctest::Approx(p[i]).epsilon(1e-11));
    CHECK(params_to_normalized(model, p, 4.0, {}) == p);
    CHECK(params_to_pixels(model, p, 4.0, {}) == p);
  }
}

TEST_CASE("a map in normalized coordinates takes the same points to the same places") {
  for (const Model model : fit_test::all_models) {
    CAPTURE(name_of(model));
    const Map map = fit_test::sample_map(model);
    const Params q = params_to_normalized(model, to_radians(model, map.params), 4.0, general);
    const Map scaled{model, to_degrees(model, q), 4.0 * general.scale10 / general.scale40};
    for (const double x : {0.0, 300.0, 1000.0})
      for (const double y : {0.0, 500.0, 1000.0}) {
        const auto there = apply(map, x, y);
        const auto u =
            apply(scaled, (x - general.x10) / general.scale10, (y - general.y10) / general.scale10);
        CHECK(u[0] * general.scale40 + general.x40 == doctest::Approx(there[0]).epsilon(1e-12));
        CHECK(u[1] * general.scale40 + general.y40 == doctest::Approx(there[1]).epsilon(1e-12));
      }
  }
}

TEST_CASE("the objective in normalized coordinates is that in pixels over scale40 squared") {
  for (const Model model : fit_test::all_models)
    for (const Loss loss : fit_test::all_losses)
      for (const bool centred : {true, false}) {
        CAPTURE(name_of(model));
        CAPTURE(name_of(loss));
        const Map map = fit_test::sample_map(model);
        const PointPairs pairs = fit_test::pairs_around(map, 300, 3.0);
        const Normalization n = normalization_of(pairs, 4.0, centred);
        const PointPairs scaled = normalize(pairs, n);
        const Params p = to_radians(model, map.params);
        Objective pixels(pairs, model, loss, 3.0, 4.0, 1.0);
        Objective normalized(scaled, model, loss, 3.0 / n.scale40, 4.0 * n.scale10 / n.scale40,
                             1.0);
        CHECK(normalized.value(params_to_normalized(model, p, 4.0, n)) * n.scale40 * n.scale40 ==
              doctest::Approx(pixels.value(p)).epsilon(1e-10));
      }
}

TEST_CASE("points are centred, scaled to about one, and lose no more than rounding") {
  const PointPairs pairs = fit_test::pairs_around(fit_test::sample_map(Model::trs), 500, 1.0);
  const Normalization n = normalization_of(pairs, 4.0, true);
  const PointPairs scaled = normalize(pairs, n);
  for (const double centre : {n.x10, n.y10, n.x40, n.y40}) CHECK(centre == std::nearbyint(centre));
  CHECK(is_power_of_two(n.scale10));
  CHECK(n.scale40 == 4.0 * n.scale10);
  double sum_x = 0.0, sum_y = 0.0, squares = 0.0;
  for (std::size_t i = 0; i < scaled.size(); ++i) {
    sum_x += scaled.x10[i];
    sum_y += scaled.y10[i];
    squares += scaled.x10[i] * scaled.x10[i] + scaled.y10[i] * scaled.y10[i];
    CHECK(std::abs(scaled.x10[i] * n.scale10 + n.x10 - pairs.x10[i]) <= 0x1.0p-52 * 1024);
    CHECK(std::abs(scaled.y40[i] * n.scale40 + n.y40 - pairs.y40[i]) <= 0x1.0p-52 * 4096);
  }
  CHECK(std::abs(sum_x / 500) <= 0.51 / n.scale10);
  CHECK(std::abs(sum_y / 500) <= 0.51 / n.scale10);
  CHECK(std::sqrt(0.5 * squares / 500) > 0.7);
  CHECK(std::sqrt(0.5 * squares / 500) < 1.42);

  const Normalization uncentred = normalization_of(pairs, 4.0, false);
  for (const double centre : {uncentred.x10, uncentred.y10, uncentred.x40, uncentred.y40})
    CHECK(centre == 0.0);
  CHECK(uncentred.scale10 > n.scale10);
}

TEST_CASE("points that cannot be scaled get the identity") {
  const auto check_identity = [](const PointPairs& pairs) {
    const Normalization n = normalization_of(pairs, 4.0, true);
    CHECK(n.x10 == 0.0);
    CHECK(n.y40 == 0.0);
    CHECK(n.scale10 == 1.0);
    CHECK(n.scale40 == 1.0);
  };
  check_identity({});
  check_identity({{5, 5, 5}, {7, 7, 7}, {1, 2, 3}, {1, 2, 3}});
  for (const double bad : {std::nan(""), inf, 1e200})
    for (std::vector<double> PointPairs::*column : {&PointPairs::x10, &PointPairs::y10}) {
      PointPairs pairs{{1, 2, 3}, {1, 5, 2}, {1, 2, 3}, {1, 2, 3}};
      (pairs.*column)[1] = bad;
      check_identity(pairs);
    }
  PointPairs pairs{{1, 2, 3}, {1, 5, 2}, {1, std::nan(""), 3}, {1, 2, 3}};
  check_identity(pairs);
}

TEST_CASE("boxes hold every trs map within the bounds, and are tight") {
  const Bounds bounds{.scale = {3.5, 4.5},
                      .angle_deg = {-100.0, 20.0},
                      .dx_px = {-50.0, 10.0},
                      .dy_px = {5.0, 9.0}};
  const Normalization n{.scale10 = 256, .scale40 = 1000};
  for (const Model model : {Model::similarity, Model::trs, Model::affine, Model::projective}) {
    CAPTURE(name_of(model));
    const Box box = box_of(bounds, model);
    const Box normalized = box_to_normalized(box, model, n);
    CHECK(box.bounded());
    Params low = Params::Constant(box.lower.size(), inf), high = -low;
    RandomStream random(1, 0, 0, Purpose::draws);
    for (int i = 0; i < 40000; ++i) {
      // Corners often: extremes lie there.
      const auto draw = [&](double min, double max) {
        const double u = random.uniform(-0.5, 1.5);
        return u < 0.0 ? min : u > 1.0 ? max : min + (max - min) * u;
      };
      const double scale = draw(3.5, 4.5),
                   other = model == Model::similarity ? scale : draw(3.5, 4.5);
      const Map trs{
          Model::trs,
          (Params(5) << draw(-50, 10), draw(5, 9), draw(-100, 20), scale, other).finished(), 4.0};
      const Params p = to_radians(model, convert(trs, model, 4.0)->params);
      REQUIRE(((p.array() >= box.lower.array() - 1e-9) && (p.array() <= box.upper.array() + 1e-9))
                  .all());
      const Params q = params_to_normalized(model, p, 4.0, n);
      REQUIRE(((q.array() >= normalized.lower.array() - 1e-12) &&
               (q.array() <= normalized.upper.array() + 1e-12))
                  .all());
      low = low.cwiseMin(p);
      high = high.cwiseMax(p);
    }
    for (Eigen::Index i = 0; i < std::min<Eigen::Index>(6, low.size()); ++i) {
      const double slack = 0.02 * (box.upper[i] - box.lower[i]);
      CHECK(low[i] <= box.lower[i] + slack);
      CHECK(high[i] >= box.upper[i] - slack);
    }
    if (model == Model::projective) {
      CHECK(box.lower[6] == -inf);
      CHECK(box.upper[7] == inf);
    }
  }
}

TEST_CASE("what a job leaves open stays open") {
  for (const Model model : fit_test::all_models) {
    CHECK(!box_of({}, model).bounded());
    CHECK(!box_to_normalized(box_of({}, model), model, general).bounded());
  }
  // A turn and more holds every angle: at its ends there is no wall.
  for (const Interval& turn : {Interval{-180, 180}, Interval{.min = -10}})
    for (const Model model : {Model::rigid, Model::similarity, Model::trs})
      CHECK(!box_of({.angle_deg = turn}, model).bounded());
  CHECK(box_of({.angle_deg = {-179, 180}}, Model::trs).bounded());
  const Box rigid = box_of({.scale = {3.5, 4.5}}, Model::rigid);
  CHECK(!rigid.bounded());  // its scale is no parameter
  const Box half = box_of({.scale = {.min = 3.0}}, Model::trs);
  CHECK(half.lower[3] == 3.0);
  CHECK(half.upper[3] == inf);
  CHECK(half.lower[0] == -inf);
  // An angle alone does not bound affine entries: any scale turns any of them.
  CHECK(!box_of({.angle_deg = {-10, 10}}, Model::affine).bounded());
  const Box affine = box_of({.scale = {3.0, 5.0}}, Model::affine);
  for (const Eigen::Index i : {0, 1, 3, 4}) {
    CHECK(affine.lower[i] == doctest::Approx(-5.0));
    CHECK(affine.upper[i] == doctest::Approx(5.0));
  }
  CHECK(affine.lower[2] == -inf);
}

TEST_CASE("clamping moves the least and keeps what is inside") {
  const Box box{(Params(3) << -1, -inf, 0).finished(), (Params(3) << 1, 5, inf).finished()};
  CHECK(clamp((Params(3) << 0.5, -1e9, 3).finished(), box) ==
        (Params(3) << 0.5, -1e9, 3).finished());
  CHECK(clamp((Params(3) << 2, 6, -1).finished(), box) == (Params(3) << 1, 5, 0).finished());
}
