#include "nucreg/fit/measures.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "nucreg/core/random.hpp"
#include "unit/fit/random_pairs.hpp"

using namespace nucreg;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

Map trs(double dx, double dy, double angle, double sx, double sy) {
  return {Model::trs, (Params(5) << dx, dy, angle, sx, sy).finished(), 4.0};
}

const Map identity = trs(0, 0, 0, 1, 1);

// Residuals to the identity: (3, 4), (0, 0), (0, -5).
PointPairs three() {
  return {{0, 10, 20}, {0, 0, 0}, {-3, 10, 20}, {-4, 0, 5}};
}

}  // namespace

TEST_CASE("objective and RMSD against values worked out by hand") {
  const PointPairs pairs = three();
  CHECK(objective_px(pairs, identity, Loss::squared, 3.0) == 50.0);
  CHECK(objective_px(pairs, identity, Loss::huber, 3.0) == doctest::Approx(2 * (2 * 3 * 5 - 9)));
  CHECK(objective_px(pairs, identity, Loss::cauchy, 5.0) ==
        doctest::Approx(2 * 25 * std::log(2.0)).epsilon(1e-14));
  CHECK(objective_px(pairs, identity, Loss::tukey, 3.0) == doctest::Approx(2 * 3.0));
  // s/d^2 = 1/4: 100/3 (1 - 27/64)
  CHECK(objective_px(pairs, identity, Loss::tukey, 10.0) ==
        doctest::Approx(2 * 100.0 / 3.0 * 37.0 / 64.0).epsilon(1e-14));
  CHECK(rmsd_px(pairs, identity) == doctest::Approx(std::sqrt(50.0 / 3.0)).epsilon(1e-15));
}

TEST_CASE("RMSD of one point, two points, collinear points and none") {
  CHECK(rmsd_px(PointPairs{{1}, {2}, {4}, {6}}, identity) == 5.0);
  CHECK(rmsd_px(PointPairs{{1, 1}, {2, 2}, {4, 1}, {6, 2}}, identity) ==
        doctest::Approx(5.0 / std::sqrt(2.0)).epsilon(1e-15));
  const PointPairs line{{0, 1, 2, 3}, {0, 0, 0, 0}, {0, 1, 2, 3}, {1, 1, 1, 1}};
  CHECK(rmsd_px(line, identity) == 1.0);
  CHECK(std::isnan(rmsd_px(PointPairs{}, identity)));
}

TEST_CASE("a number that is not finite makes objective and RMSD NaN, never infinite") {
  for (const double bad : {not_a_number, infinity, -infinity, 1e200})
    for (std::vector<double> PointPairs::*column :
         {&PointPairs::x10, &PointPairs::y10, &PointPairs::x40, &PointPairs::y40}) {
      PointPairs pairs = three();
      (pairs.*column)[1] = bad;
      CHECK(std::isnan(objective_px(pairs, identity, Loss::squared, 3.0)));
      CHECK(std::isnan(rmsd_px(pairs, identity)));
    }
  CHECK(std::isnan(rmsd_px(three(), trs(not_a_number, 0, 0, 1, 1))));
  CHECK(std::isnan(rmsd_px(three(), trs(0, 0, infinity, 1, 1))));
}

TEST_CASE("target registration error over corners and centre") {
  CHECK(tre_px(identity, identity, {100, 50}) == 0.0);
  // A shift by (3, 4) 40x px everywhere.
  CHECK(tre_px(trs(3, 4, 0, 1, 1), identity, {100, 50}) == doctest::Approx(5.0).epsilon(1e-15));
  // Scale 2 in x moves (w, 0) and (w, h) by w, the centre by w/2: sqrt((2 w^2 + w^2/4)/5).
  CHECK(tre_px(trs(0, 0, 0, 2, 1), identity, {100, 50}) ==
        doctest::Approx(100.0 * std::sqrt(2.25 / 5.0)).epsilon(1e-15));
  // Half a turn moves each point to its opposite: 2 |p|.
  CHECK(tre_px(trs(0, 0, 180, 1, 1), identity, {30, 40}) ==
        doctest::Approx(2.0 * std::sqrt((900.0 + 1600.0 + 2500.0 + 625.0) / 5.0)).epsilon(1e-14));
  // Between models: what counts is where points go.
  CHECK(tre_px(*convert(trs(3, 4, 10, 4, 4), Model::projective, 4), trs(3, 4, 10, 4, 4),
               {1000, 1000}) < 1e-11);
  CHECK(std::isnan(tre_px(trs(not_a_number, 0, 0, 1, 1), identity, {100, 50})));
}

TEST_CASE("parameter error takes the shorter way round the circle") {
  CHECK(param_error(trs(3, 4, 0, 1, 1), identity) == 5.0);
  CHECK(param_error(trs(0, 0, 179, 1, 1), trs(0, 0, -179, 1, 1)) == doctest::Approx(2.0));
  CHECK(param_error(trs(0, 0, 359, 1, 1), identity) == doctest::Approx(1.0));
  CHECK(param_error(trs(1, 2, 2, 5, 5), identity) ==
        doctest::Approx(std::sqrt(1 + 4 + 4 + 16 + 16.0)).epsilon(1e-15));
  const Map affine = fit_test::sample_map(Model::affine);
  Map moved = affine;
  moved.params[2] += 2.0;  // 40x px, and no angle there
  moved.params[3] += 360.0;
  CHECK(param_error(moved, affine) == doctest::Approx(std::hypot(2.0, 360.0)).epsilon(1e-12));
  CHECK(std::isnan(param_error(affine, identity)));
  CHECK(std::isnan(param_error(trs(not_a_number, 0, 0, 1, 1), identity)));
  CHECK(std::isnan(param_error(trs(0, 0, not_a_number, 1, 1), identity)));
}

TEST_CASE("the gap is relative, not below zero and blind to rounding") {
  CHECK(gap(110.0, 100.0, 1e-9) == doctest::Approx(0.1).epsilon(1e-15));
  CHECK(gap(100.0, 100.0, 1e-9) == 0.0);
  CHECK(gap(99.0, 100.0, 1e-9) == 0.0);
  CHECK(gap(100.0 + 0.5e-9, 100.0, 1e-9) == 0.0);
  CHECK(gap(100.0 + 4e-9, 100.0, 1e-9) > 0.0);
  // A best of zero: what is above counts in units of the rounding.
  CHECK(gap(0.0, 0.0, 1e-20) == 0.0);
  CHECK(gap(1e-20, 0.0, 1e-20) == 0.0);
  CHECK(gap(5e-20, 0.0, 1e-20) == doctest::Approx(5.0));
  CHECK(std::isfinite(gap(1.0, 0.0, 1e-20)));
  for (const double bad : {not_a_number, infinity}) {
    CHECK(std::isnan(gap(bad, 1.0, 1e-20)));
    CHECK(std::isnan(gap(1.0, bad, 1e-20)));
  }
}

TEST_CASE("the rounding floor is what rounding of the coordinates makes") {
  CHECK(rounding_floor_px(PointPairs{}) == 0.0);
  const double eps = 8.0 * 0x1.0p-52;
  CHECK(rounding_floor_px(PointPairs{{0}, {0}, {3}, {4}}) ==
        doctest::Approx(25.0 * eps * eps).epsilon(1e-15));
  // The true map on exact pairs leaves residuals below it.
  const Map map = fit_test::sample_map(Model::trs);
  const PointPairs pairs = fit_test::pairs_around(map, 1000, 0.0);
  CHECK(objective_px(pairs, *convert(map, Model::affine, 4.0), Loss::squared, 1.0) <
        rounding_floor_px(pairs));
}

TEST_CASE("distances between neighbours are those of all points to all others") {
  RandomStream random(7, 0, 0, Purpose::positions);
  for (const std::size_t count : {2U, 3U, 8U, 9U, 50U, 700U}) {
    for (const double height : {1000.0, 1.0, 0.0, 1e9}) {  // a field, a strip, lines
      PointPairs pairs;
      pairs.resize(count);
      for (std::size_t i = 0; i < count; ++i) {
        pairs.x40[i] = random.uniform(-500.0, 500.0);
        pairs.y40[i] = random.uniform(0.0, height);
      }
      std::vector<double> nearest(count, infinity);
      for (std::size_t i = 0; i < count; ++i)
        for (std::size_t j = 0; j < count; ++j)
          if (i != j)
            nearest[i] = std::min(
                nearest[i], std::hypot(pairs.x40[i] - pairs.x40[j], pairs.y40[i] - pairs.y40[j]));
      std::ranges::sort(nearest);
      const double at = 0.05 * static_cast<double>(count - 1);
      const auto below = static_cast<std::size_t>(at);
      const double expected = nearest[below] + (nearest[below + 1] - nearest[below]) *
                                                   (at - static_cast<double>(below));
      CHECK(neighbour_distance_px(pairs, PointPairs{}, 0.05) ==
            doctest::Approx(expected).epsilon(1e-12));
      CHECK(neighbour_distance_px(pairs, PointPairs{}, 1.0) ==
            doctest::Approx(nearest.back()).epsilon(1e-12));
      // All in one cell, and one far away.
      PointPairs far = pairs;
      far.resize(count + 1);
      far.x40.back() = far.y40.back() = 1e12;
      const double stretched = 0.05 * static_cast<double>(count);
      if (const auto k = static_cast<std::size_t>(stretched); k + 1 < count)
        CHECK(neighbour_distance_px(far, PointPairs{}, 0.05) ==
              doctest::Approx(nearest[k] +
                              (nearest[k + 1] - nearest[k]) * (stretched - static_cast<double>(k)))
                  .epsilon(1e-12));
      // A resample that holds some twice and leaves others out has the same nuclei.
      PointPairs twice = pairs;
      CHECK(neighbour_distance_px(pairs, twice, 0.05) == doctest::Approx(expected).epsilon(1e-12));
    }
  }
}

TEST_CASE("fewer than two places have no neighbours") {
  CHECK(std::isnan(neighbour_distance_px(PointPairs{}, PointPairs{}, 0.05)));
  const PointPairs one{{1}, {2}, {3}, {4}};
  CHECK(std::isnan(neighbour_distance_px(one, one, 0.05)));
  const PointPairs bad{{1, 1}, {1, 1}, {3, not_a_number}, {4, 4}};
  CHECK(std::isnan(neighbour_distance_px(bad, PointPairs{}, 0.05)));
}
