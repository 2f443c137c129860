#include "nucreg/fit/scatter.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "nucreg/fit/generate.hpp"
#include "unit/fit/random_pairs.hpp"

using namespace nucreg;

namespace {

constexpr std::array<double, 2> field_px{1000.0, 1000.0};

Points scattered(Layout layout, std::uint64_t count, std::uint32_t trial = 0) {
  return scatter(layout, {field_px, 0.0, 5.0}, count, [&](std::uint32_t attempt) {
    return RandomStream(5, 0, trial, Purpose::positions, attempt);
  });
}

// Part of the 10 x 10 cells of the field that hold no point.
double empty_part(const Points& points) {
  std::array<int, 100> cells{};
  for (std::size_t i = 0; i < points.size(); ++i)
    ++cells[static_cast<std::size_t>(points.y[i] / 100.0) * 10 +
            static_cast<std::size_t>(points.x[i] / 100.0)];
  return static_cast<double>(std::count(cells.begin(), cells.end(), 0)) / 100.0;
}

PointPairs exact_pairs(std::size_t n) {
  return fit_test::pairs_around(fit_test::sample_map(Model::similarity), n, 0.0);
}

// Distances of the 40x points from where they were.
std::vector<double> moved(const PointPairs& before, const PointPairs& after) {
  std::vector<double> out;
  for (std::size_t i = 0; i < before.size(); ++i)
    out.push_back(std::hypot(after.x40[i] - before.x40[i], after.y40[i] - before.y40[i]));
  return out;
}

}  // namespace

TEST_CASE("layouts have their points, apart and within the field, where they say") {
  for (const Layout layout : {Layout::uniform, Layout::clustered, Layout::strip, Layout::holes}) {
    CAPTURE(name_of(layout));
    for (std::uint32_t trial = 0; trial < 5; ++trial) {
      const Points points = scattered(layout, 800, trial);
      REQUIRE(points.size() == 800);
      double nearest = 1e9;
      for (std::size_t i = 0; i < points.size(); ++i) {
        CHECK(points.x[i] >= 0.0);
        CHECK(points.x[i] <= 1000.0);
        CHECK(points.y[i] >= 0.0);
        CHECK(points.y[i] <= 1000.0);
        for (std::size_t k = 0; k < i; ++k)
          nearest =
              std::min(nearest, std::hypot(points.x[i] - points.x[k], points.y[i] - points.y[k]));
      }
      CHECK(nearest >= 5.0);
      const double empty = empty_part(points);
      if (layout == Layout::uniform) CHECK(empty <= 0.02);
      if (layout == Layout::clustered) CHECK(empty >= 0.2);
      if (layout == Layout::holes) CHECK(empty >= 0.01);
      if (layout != Layout::strip) continue;
      CHECK(*std::min_element(points.y.begin(), points.y.end()) >= 450.0);
      CHECK(*std::max_element(points.y.begin(), points.y.end()) <= 550.0);
    }
  }
  CHECK_THROWS_AS(scattered(Layout::strip, 5000), JobError);  // too dense for a tenth of the field
}

TEST_CASE("a strip is no taller than its field") {
  CHECK(field_of(Layout::strip, {.size_px = {1000.0, 1000.0}}).size_px[1] == 100.0);
  const DiskField low{.size_px = {1000.0, 30.0}, .border_px = 10.0};
  CHECK(field_of(Layout::strip, low).size_px[1] == 30.0);
}

TEST_CASE("every kind of noise has the deviation it is asked for, and its own tails") {
  const PointPairs before = exact_pairs(40000);
  std::array<double, 3> beyond{};
  for (const NoiseKind kind : {NoiseKind::normal, NoiseKind::student, NoiseKind::per_nucleus}) {
    CAPTURE(name_of(kind));
    PointPairs after = before;
    add_noise(kind, 2.0, RandomStream(1, 0, 0, Purpose::noise), after);
    double squares = 0.0;
    for (const double r : moved(before, after)) {
      squares += 0.5 * r * r;
      beyond[static_cast<std::size_t>(kind)] += r > 8.0 ? 1.0 / 40000.0 : 0.0;
    }
    // The variance of t's square with 3 degrees of freedom is infinite: its mean converges slowly.
    CHECK(std::sqrt(squares / 40000.0) ==
          doctest::Approx(2.0).epsilon(kind == NoiseKind::student ? 0.1 : 0.02));
  }
  CHECK(beyond[0] == doctest::Approx(std::exp(-8.0)).epsilon(0.5));  // of a Rayleigh variate
  CHECK(beyond[1] > 0.005);
  CHECK(beyond[2] > 0.003);
}

TEST_CASE("wrong pairs are as many and as wrong as their kind says") {
  const PointPairs before = exact_pairs(500);
  const Map truth = fit_test::sample_map(Model::similarity);
  for (const OutlierKind kind :
       {OutlierKind::uniform, OutlierKind::swapped, OutlierKind::clustered}) {
    CAPTURE(name_of(kind));
    PointPairs after = before;
    (void)misplace(kind, 150, field_px, truth, RandomStream(2, 0, 0, Purpose::outliers), after);
    const std::vector<double> distances = moved(before, after);
    std::vector<std::size_t> wrong;
    for (std::size_t i = 0; i < distances.size(); ++i)
      if (distances[i] > 0.0) wrong.push_back(i);
    CHECK(wrong.size() == 150);
    for (const std::size_t i : wrong) {
      if (kind == OutlierKind::clustered) {
        CHECK(distances[i] == doctest::Approx(distances[wrong[0]]));
        CHECK(distances[i] >= 0.02 * 1000 * 3.9 - 1e-6);
        CHECK(distances[i] <= 0.1 * 1000 * 3.9 + 1e-6);
      }
      if (kind != OutlierKind::swapped) continue;
      double nearest = 1e9;
      for (std::size_t k = 0; k < before.size(); ++k)
        if (k != i)
          nearest = std::min(
              nearest, std::hypot(before.x10[k] - before.x10[i], before.y10[k] - before.y10[i]));
      CHECK(distances[i] == doctest::Approx(3.9 * nearest));
    }
  }
}

TEST_CASE("the noise of pairs is found among up to 60 % of wrong ones, whatever the map") {
  for (const Model model : {Model::similarity, Model::affine})
    for (const double noise : {0.5, 2.0, 8.0})
      for (const double part : {0.0, 0.3, 0.6}) {
        CAPTURE(name_of(model));
        CAPTURE(noise);
        CAPTURE(part);
        PointPairs pairs = fit_test::pairs_around(fit_test::sample_map(model), 300, noise);
        (void)misplace(OutlierKind::uniform, static_cast<std::size_t>(300 * part), field_px,
                       fit_test::sample_map(model), RandomStream(2, 0, 0, Purpose::outliers),
                       pairs);
        CHECK(noise_of_pairs(pairs, 7) == doctest::Approx(noise).epsilon(0.25));
      }
  CHECK(noise_of_pairs(exact_pairs(100), 7) < 1e-9);
  CHECK(noise_of_pairs(exact_pairs(3), 7) == 0.0);
}

TEST_CASE("the noise of few pairs is found within a sane factor, a fifth of them wrong or none") {
  const Map truth = fit_test::sample_map(Model::affine);
  struct Few {
    std::size_t pairs, wrong;
    double spread;  // four of five estimates are within so many times of the truth
  };
  for (const Few& few :
       {Few{6, 0, 2.0}, Few{8, 1, 2.0}, Few{10, 0, 1.6}, Few{10, 2, 1.6}, Few{15, 0, 1.5},
        Few{15, 3, 1.5}, Few{15, 7, 1.6}, Few{20, 0, 1.4}, Few{20, 4, 1.4}, Few{30, 18, 1.4},
        Few{49, 0, 1.3}, Few{49, 25, 1.3}, Few{50, 0, 1.4}, Few{50, 10, 1.4}}) {
    CAPTURE(few.pairs);
    CAPTURE(few.wrong);
    std::vector<double> found;
    for (std::uint64_t trial = 0; trial < 201; ++trial) {
      PointPairs pairs = fit_test::pairs_around(truth, few.pairs, 2.0, 100 + trial);
      (void)misplace(OutlierKind::uniform, few.wrong, field_px, truth,
                     RandomStream(trial, 0, 0, Purpose::outliers), pairs);
      found.push_back(noise_of_pairs(pairs, trial) / 2.0);
    }
    std::sort(found.begin(), found.end());
    CHECK(found[100] == doctest::Approx(1.0).epsilon(0.15));
    CHECK(found[20] >= 1.0 / few.spread);
    CHECK(found[180] <= few.spread);
  }
  for (const std::size_t n : {4u, 6u, 10u, 20u}) CHECK(noise_of_pairs(exact_pairs(n), 7) < 1e-9);
}

TEST_CASE("a start with an error is the start after a turn, a scale and a shift at 10x") {
  const StartShift error{.turn_deg = 40.0, .scale = 0.1, .x_px = 12.0, .y_px = -7.0};
  const double c = 1.1 * std::cos(error.turn_deg * std::acos(-1.0) / 180.0);
  const double s = 1.1 * std::sin(error.turn_deg * std::acos(-1.0) / 180.0);
  for (const Model model : {Model::similarity, Model::trs, Model::affine, Model::projective}) {
    CAPTURE(name_of(model));
    const Map start = fit_test::sample_map(model);
    const Map wrong = with_start_error(start, error, field_px);
    for (const auto& [x, y] : {std::pair{0.0, 0.0}, {1000.0, 300.0}, {-50.0, 700.0}}) {
      const double u = 500.0 + 12.0 + c * (x - 500.0) - s * (y - 500.0);
      const double v = 500.0 - 7.0 + s * (x - 500.0) + c * (y - 500.0);
      const auto expected = apply(start, u, v), got = apply(wrong, x, y);
      CHECK(got[0] == doctest::Approx(expected[0]).epsilon(1e-10));
      CHECK(got[1] == doctest::Approx(expected[1]).epsilon(1e-10));
    }
  }
  const Map rigid = fit_test::sample_map(Model::rigid);
  CHECK(with_start_error(rigid, error, field_px).magnification == rigid.magnification);
  CHECK(with_start_error(rigid, {}, field_px).params == rigid.params);
}
