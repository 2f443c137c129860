#include <doctest/doctest.h>
#include <Eigen/QR>

#include <algorithm>
#include <cmath>
#include <limits>

#include "nucreg/fit/measures.hpp"
#include "nucreg/fit/moments.hpp"
#include "nucreg/fit/objective.hpp"
#include "unit/fit/random_pairs.hpp"

using namespace nucreg;

namespace {

using Wide = long double;
constexpr double eps = std::numeric_limits<double>::epsilon();

// The objective point by point in long double, and the length of all the terms that a residual is
// the difference of: what rounding in double can cost any way of computing it.
struct Exact {
  Wide value = 0.0L, size = 0.0L;
  Wide gradient[6] = {}, gradient_size[6] = {};
};

Exact exact_sums(const PointPairs& pairs, const double* m) {
  Exact out;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const Wide q[3] = {pairs.x10[i], pairs.y10[i], 1.0L};
    const Wide X[2] = {pairs.x40[i], pairs.y40[i]};
    for (std::size_t row = 0; row < 2; ++row) {
      Wide r = -X[row], terms = std::abs(X[row]);
      for (std::size_t k = 0; k < 3; ++k) {
        r += m[3 * row + k] * q[k];
        terms += std::abs(m[3 * row + k] * q[k]);
      }
      out.value += r * r;
      out.size += terms * terms;
      for (std::size_t k = 0; k < 3; ++k) {
        out.gradient[3 * row + k] += r * q[k];
        out.gradient_size[3 * row + k] += std::abs(q[k]) * terms;
      }
    }
  }
  out.size = std::sqrt(out.size);
  return out;
}

// A residual is a sum of four terms: rounded by no more than four half eps of them (Higham 2002,
// section 3.1), which changes a sum of squares by no more than this.
Wide rounding(const Exact& exact) {
  const Wide off = 2.0L * eps * exact.size;
  return 2.0L * off * std::sqrt(exact.value) + off * off;
}

void check_against_points(const PointPairs& pairs, const double* m) {
  const Moments moments(pairs);
  const Exact exact = exact_sums(pairs, m);
  const PassSums sums = moments.sums(m, PassLevel::normal);
  CAPTURE(static_cast<double>(exact.value));
  CAPTURE(sums.value);
  CHECK(sums.value >= 0.0);
  CHECK(std::abs(sums.value - exact.value) <= rounding(exact));
  CHECK(moments.sums(m, PassLevel::value).value == sums.value);
  CHECK(moments.sums(m, PassLevel::gradient).value == sums.value);
  const PassSums points = pass_over_points(pairs, m, false, Loss::squared, 1.0, PassLevel::normal);
  // Turned to the main axes and back, a coordinate that is zero is so to eps of the other, squared.
  const double widest = std::max(points.normal[0][0], points.normal[1][1]);
  const double off_zero = eps * eps * std::max(widest, std::sqrt(widest * points.normal[2][2]));
  for (std::size_t a = 0; a < 6; ++a) {
    const Wide turned = eps * eps * std::max(exact.gradient_size[0], exact.gradient_size[1]);
    CHECK(std::abs(sums.gradient[a] - exact.gradient[a]) <=
          4.0L * eps * exact.gradient_size[a] + 4.0L * turned);
    for (std::size_t b = 0; b < 6; ++b) {
      const double scale = std::sqrt(points.normal[a][a] * points.normal[b][b]);
      CHECK(std::abs(sums.normal[a][b] - points.normal[a][b]) <= 1e-13 * scale + 4.0 * off_zero);
      CHECK(sums.normal[a][b] == sums.normal[b][a]);
    }
  }
}

PointPairs shifted(PointPairs pairs, double x, double y, double X, double Y) {
  for (double& v : pairs.x10) v += x;
  for (double& v : pairs.y10) v += y;
  for (double& v : pairs.x40) v += X;
  for (double& v : pairs.y40) v += Y;
  return pairs;
}

// Of the affine map that is best for the pairs, at what double can tell of it.
std::array<double, 6> best_map(const PointPairs& pairs, std::array<double, 6> m) {
  const Moments moments(pairs);
  for (int step = 0; step < 3; ++step) {
    const PassSums sums = moments.sums(m.data(), PassLevel::normal);
    Eigen::Matrix<double, 6, 6> normal;
    for (int i = 0; i < 6; ++i)
      for (int j = 0; j < 6; ++j) normal(i, j) = sums.normal[i][j];
    Eigen::Map<Eigen::Matrix<double, 6, 1>>(m.data()) -=
        normal.completeOrthogonalDecomposition().solve(
            Eigen::Map<const Eigen::Matrix<double, 6, 1>>(sums.gradient.data()));
  }
  return m;
}

const Map truth = fit_test::sample_map(Model::affine);
const std::array<double, 6> true_map{3.9, -0.3, 120.0, 0.25, 4.1, -160.0};

}  // namespace

TEST_CASE("moments give the sums of the points: near and far maps, noise from none to all") {
  for (const std::size_t n : {1, 2, 3, 4, 9, 1000, 70000})
    for (const double noise_px : {0.0, 1e-9, 1e-3, 1.0, 300.0}) {
      CAPTURE(n);
      CAPTURE(noise_px);
      const PointPairs pairs = fit_test::pairs_around(truth, n, noise_px);
      for (const double off : {0.0, 1e-12, 1e-6, 0.01, 5.0}) {
        CAPTURE(off);
        std::array<double, 6> m = true_map;
        for (std::size_t i = 0; i < 6; ++i) m[i] += off * (i % 2 == 0 ? 1.0 : -0.7);
        check_against_points(pairs, m.data());
      }
      check_against_points(pairs, best_map(pairs, true_map).data());
    }
}

TEST_CASE("moments know nothing of where the origin is, as far as the coordinates do") {
  for (const double far : {1e5, 1e9, 1e12}) {
    const PointPairs pairs = shifted(fit_test::pairs_around(truth, 500, 1.0), far, -far, far, far);
    std::array<double, 6> m = true_map;
    m[2] += far - m[0] * far + m[1] * far;
    m[5] += far - m[3] * far + m[4] * far;
    CAPTURE(far);
    check_against_points(pairs, m.data());
    // The centre is near the points: the best map loses only what their coordinates have lost.
    const std::array<double, 2> centre{far + 500.0, -far + 500.0};
    const PointPairs near = shifted(pairs, -centre[0], -centre[1], 0.0, 0.0);
    const double plain =
        Moments(near)
            .sums(best_map(near, {3.9, -0.3, far, 0.25, 4.1, far}).data(), PassLevel::value)
            .value;
    CHECK(plain < 2.0 * 500.0 * (2.0 + far * far * 1e-30) * (1.0 + far * 4e-16));
  }
}

TEST_CASE("moments of a perfect fit are as small as the rounding of the points") {
  const PointPairs pairs = fit_test::pairs_around(truth, 3000, 0.0);
  const double value = Moments(pairs).sums(true_map.data(), PassLevel::value).value;
  CHECK(value <= 3000.0 * 2.0 * std::pow(eps * 5000.0, 2));
  // On whole numbers there is no rounding and nothing may be left.
  PointPairs whole;
  whole.resize(1000);
  for (std::size_t i = 0; i < 1000; ++i) {
    whole.x10[i] = static_cast<double>(i % 32);
    whole.y10[i] = static_cast<double>(i / 32);
    whole.x40[i] = 4.0 * whole.x10[i] + 3.0;
    whole.y40[i] = 4.0 * whole.y10[i] - 5.0;
  }
  const double m[6] = {4, 0, 3, 0, 4, -5};
  CHECK(Moments(whole).sums(m, PassLevel::value).value < 1e-22);
}

TEST_CASE("moments of points on a line, at one place and of badly scaled points") {
  const auto bend = [](std::size_t n, double x_scale, double y_scale) {
    PointPairs pairs = fit_test::pairs_around(truth, n, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      pairs.x10[i] *= x_scale;
      pairs.y10[i] = y_scale * pairs.y10[i] + 0.5 * pairs.x10[i];
      const auto at = apply(truth, pairs.x10[i], pairs.y10[i]);
      pairs.x40[i] = at[0] + std::sin(static_cast<double>(i));
      pairs.y40[i] = at[1] + std::cos(static_cast<double>(i));
    }
    return pairs;
  };
  for (const double y_scale : {0.0, 1e-15, 1e-8, 1e-3})
    for (const double x_scale : {0.0, 1.0})
      for (const std::size_t n : {2, 3, 100}) {
        CAPTURE(y_scale);
        CAPTURE(x_scale);
        CAPTURE(n);
        check_against_points(bend(n, x_scale, y_scale), true_map.data());
      }
}

TEST_CASE("moments of nothing are nothing, and NaN and infinity are not lost") {
  const PassSums none = Moments(PairsView()).sums(true_map.data(), PassLevel::normal);
  CHECK(none.value == 0.0);
  for (const double g : none.gradient) CHECK(g == 0.0);
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    for (const std::size_t at : {0u, 8u, 20u})
      for (std::vector<double> PointPairs::*column :
           {&PointPairs::x10, &PointPairs::y10, &PointPairs::x40, &PointPairs::y40}) {
        PointPairs pairs = fit_test::pairs_around(truth, 21, 1.0);
        (pairs.*column)[at] = bad;
        CHECK(!std::isfinite(Moments(pairs).sums(true_map.data(), PassLevel::value).value));
      }
  const PointPairs pairs = fit_test::pairs_around(truth, 21, 1.0);
  std::array<double, 6> m = true_map;
  m[4] = std::numeric_limits<double>::quiet_NaN();
  CHECK(std::isnan(Moments(pairs).sums(m.data(), PassLevel::value).value));
}

TEST_CASE("an objective by moments is the objective by points, for every model it has") {
  for (const Model model : fit_test::all_models)
    for (const Loss loss : fit_test::all_losses) {
      const PointPairs pairs = fit_test::pairs_around(fit_test::sample_map(model), 300, 2.0);
      Objective by_points(pairs, model, loss, 3.0, 4.0, 0.5);
      Objective by_moments(pairs, model, loss, 3.0, 4.0, 0.5);
      if (!has_moments(model, loss)) {
        CHECK_THROWS_AS(by_moments.use_moments(), std::logic_error);
        continue;
      }
      by_moments.use_moments();
      const Params p = to_radians(model, fit_test::sample_map(model).params);
      NormalEquations a, b;
      by_points.normal_equations(p, a);
      by_moments.normal_equations(p, b);
      CAPTURE(name_of(model));
      CHECK(std::abs(a.value - b.value) <= 1e-12 * a.value);
      CHECK(by_moments.value(p) == b.value);
      Params gradient;
      CHECK(by_moments.value_and_gradient(p, gradient) == b.value);
      CHECK((gradient - b.gradient).norm() == 0.0);
      const Params scale = a.hessian.diagonal().cwiseSqrt() * std::sqrt(a.value);
      CHECK(((a.gradient - b.gradient).array().abs() <= 1e-10 * scale.array()).all());
      CHECK((a.hessian - b.hessian).norm() <= 1e-12 * a.hessian.norm());
      CHECK(by_moments.function_evaluations() == 3);
      CHECK(by_moments.jacobian_evaluations() == 2);
    }
}

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
