#include "nucreg/fit/model.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "unit/fit/random_pairs.hpp"

using namespace nucreg;

namespace {

Map make(Model model, std::initializer_list<double> values, double magnification = 4.0) {
  Params p(static_cast<Eigen::Index>(values.size()));
  std::copy(values.begin(), values.end(), p.begin());
  return {model, p, magnification};
}

void check_at(const Map& map, double x, double y, double X, double Y) {
  const auto at = apply(map, x, y);
  CHECK(at[0] == doctest::Approx(X).epsilon(1e-14));
  CHECK(at[1] == doctest::Approx(Y).epsilon(1e-14));
}

}  // namespace

TEST_CASE("maps take points where their equations say") {
  // A quarter turn takes (2, 5) to (-5, 2); the shift is in 10x px, before the scales.
  check_at(make(Model::trs, {10, 20, 90, 3, 4}), 2, 5, 3 * (-5 + 10), 4 * (2 + 20));
  check_at(make(Model::similarity, {10, 20, 90, 3}), 2, 5, 3 * (-5 + 10), 3 * (2 + 20));
  check_at(make(Model::rigid, {10, 20, 90}, 6.0), 2, 5, 6 * (-5 + 10), 6 * (2 + 20));
  check_at(make(Model::affine, {1, 2, 3, 4, 5, 6}), 2, 5, 2 + 10 + 3, 8 + 25 + 6);
  check_at(make(Model::projective, {1, 2, 3, 4, 5, 6, 0.5, 0.25}), 2, 4, 13 / 3.0, 34 / 3.0);
  check_at(make(Model::trs, {0, 0, 30, 1, 1}), 1, 0, std::sqrt(3.0) / 2, 0.5);  // x to y: y down
}

TEST_CASE("map entries differentiate as differences do, for every model") {
  for (const Model model : fit_test::all_models) {
    CAPTURE(name_of(model));
    const Params p = to_radians(model, fit_test::sample_map(model).params);
    const MapEntries at = map_entries(model, p, 4.0, true);
    CHECK(at.projective == (model == Model::projective));
    REQUIRE(at.derivative.cols() == p.size());
    REQUIRE(at.derivative.rows() == (at.projective ? 8 : 6));
    for (Eigen::Index j = 0; j < p.size(); ++j) {
      const double h = 1e-4;
      Params q = p;
      q[j] += h;
      const MapEntries above = map_entries(model, q, 4.0, false);
      q[j] = p[j] - h;
      const MapEntries below = map_entries(model, q, 4.0, false);
      for (Eigen::Index i = 0; i < at.derivative.rows(); ++i) {
        const auto k = static_cast<std::size_t>(i);
        CHECK((above.entries[k] - below.entries[k]) / (2 * h) ==
              doctest::Approx(at.derivative(i, j)).epsilon(1e-7).scale(10.0));
      }
    }
  }
}

TEST_CASE("a map converted to a larger model is the same map") {
  for (const Model from : fit_test::all_models)
    for (const Model to : fit_test::all_models) {
      if (static_cast<int>(to) < static_cast<int>(from)) continue;
      CAPTURE(name_of(from));
      CAPTURE(name_of(to));
      const Map map = fit_test::sample_map(from);
      const auto converted = convert(map, to, 4.0);
      REQUIRE(converted);
      CHECK(converted->model == to);
      CHECK(converted->params.size() == static_cast<Eigen::Index>(parameter_count(to)));
      for (const double x : {0.0, 512.0, 1024.0}) {
        const auto a = apply(map, x, 1000.0 - x), b = apply(*converted, x, 1000.0 - x);
        CHECK(std::hypot(a[0] - b[0], a[1] - b[1]) < 1e-11);
      }
    }
}

TEST_CASE("a map is converted to a smaller model only where that contains it") {
  CHECK(!convert(make(Model::trs, {1, 2, 3, 4, 4.1}), Model::similarity, 4.0));
  CHECK(!convert(make(Model::trs, {1, 2, 3, 4, 4.1}), Model::rigid, 4.0));
  const auto similarity = convert(make(Model::trs, {1, 2, 3, 5, 5}), Model::similarity, 4.0);
  REQUIRE(similarity);
  CHECK(similarity->params == make(Model::similarity, {1, 2, 3, 5}).params);
  CHECK(!convert(make(Model::trs, {1, 2, 3, 5, 5}), Model::rigid, 4.0));
  CHECK(convert(make(Model::trs, {1, 2, 3, 5, 5}), Model::rigid, 5.0)->params ==
        make(Model::rigid, {1, 2, 3}).params);
  CHECK(convert(make(Model::trs, {1, 2, 3, 4, 4 * (1 + 5e-13)}), Model::similarity, 4.0));
  CHECK(!convert(make(Model::trs, {1, 2, 3, 4, 4 * (1 + 5e-12)}), Model::similarity, 4.0));
  CHECK(!convert(fit_test::sample_map(Model::affine), Model::trs, 4.0));
  CHECK(!convert(fit_test::sample_map(Model::projective), Model::affine, 4.0));
  CHECK(convert(make(Model::projective, {1, 2, 3, 4, 5, 6, 0, 0}), Model::affine, 4.0)->params ==
        make(Model::affine, {1, 2, 3, 4, 5, 6}).params);
}

TEST_CASE("degrees and radians convert the angle and nothing else") {
  for (const Model model : fit_test::all_models) {
    const Params p = fit_test::sample_map(model).params;
    const Params radians = to_radians(model, p);
    const int angle = angle_index(model);
    CHECK((angle == -1) == (model == Model::affine || model == Model::projective));
    for (Eigen::Index i = 0; i < p.size(); ++i)
      CHECK(radians[i] == (i == angle ? p[i] * std::numbers::pi / 180.0 : p[i]));
    CHECK((to_degrees(model, radians) - p).norm() < 1e-14 * p.norm());
  }
  const auto degrees = [](double radians) {
    return to_degrees(Model::rigid, (Params(3) << 0, 0, radians).finished())[2];
  };
  CHECK(degrees(3.0 * std::numbers::pi / 2.0) == doctest::Approx(-90.0).epsilon(1e-14));
  CHECK(degrees(-7.0) == doctest::Approx(-7.0 * 180.0 / std::numbers::pi + 360.0).epsilon(1e-14));
  CHECK(std::abs(degrees(100.0)) <= 180.0);
}
