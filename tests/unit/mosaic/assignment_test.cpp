#include "nucreg/mosaic/assignment.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <random>

#include "nucreg/core/error.hpp"
#include "small_well.hpp"

using namespace nucreg;
using namespace nucreg::mosaic;
using nucreg::test::make_small_well;
using nucreg::test::score;
using nucreg::test::SmallWell;

namespace {

WellAssignment assign(const SmallWell& well, const AssignmentOptions& options = {}) {
  return assign_nuclei(well.ten, well.forty, well.tiles, well.placed, options);
}

void check_shape(const SmallWell& well, const WellAssignment& r) {
  const NucleusPairs& p = r.pairs;
  for (const auto* column :
       {&p.distance_um, &p.heldout_distance_um, &p.probability, &p.q_value, &p.margin})
    CHECK(column->size() == p.size());
  CHECK(p.forty.size() == p.size());
  CHECK(std::is_sorted(p.ten.begin(), p.ten.end()));
  CHECK(r.ten_unpaired.size() == well.ten.size());
  CHECK(r.forty_unpaired.size() == well.forty.size());
  CHECK(r.summary.match_rate.size() == well.tiles.size());
  CHECK(score(well, p).used_twice == 0);
}

}  // namespace

TEST_CASE("nearly every nucleus of a well is paired, nearly all rightly, none twice") {
  for (const double spacing : {15.0, 11.0}) {
    for (std::uint32_t seed = 1; seed <= 3; ++seed) {
      const SmallWell well = make_small_well({.seed = seed, .spacing_um = spacing, .split = 0.01});
      const WellAssignment r = assign(well);
      check_shape(well, r);
      const auto s = score(well, r.pairs);
      CHECK(s.recall > 0.985);
      CHECK(s.precision > 0.997);
    }
  }
}

TEST_CASE("nuclei without any noise are paired as well") {
  const SmallWell well = make_small_well({.ten_noise_um = 0.0, .forty_noise_um = 0.0});
  const WellAssignment r = assign(well);
  check_shape(well, r);
  CHECK(score(well, r.pairs).recall > 0.985);
  CHECK(score(well, r.pairs).precision > 0.997);
}

TEST_CASE("a nucleus at the far edge of its tile belongs to the last cell, however it is rounded") {
  // 180 nuclei make cells of a third of this edge; in single precision the last is three cells off.
  constexpr double edge_um = 685.0355834960938;
  SmallWell well;
  const std::size_t ten = test::add_tile(well, Side::ten, 0.0, 0.0, 700.0);
  const std::size_t forty = test::add_tile(well, Side::forty, 0.0, 0.0, 700.0);
  std::mt19937 random(1);
  std::uniform_real_distribution<double> at(0.0, edge_um);
  for (int nucleus = 0; nucleus < 180; ++nucleus) {
    const double x = nucleus == 0 ? 0.0 : nucleus == 1 ? edge_um : at(random);
    const double y = nucleus < 2 ? x : at(random);
    test::detect(well, ten, x, y, nucleus);
    test::detect(well, forty, x, y, nucleus);
  }
  CHECK(score(well, assign(well).pairs).recall > 0.95);
}

TEST_CASE("nuclei that hundreds of tiles show are where they are") {
  SmallWell well;
  std::mt19937 random(5);
  const std::vector<Point> nuclei = test::scattered_nuclei(200.0, 15.0, random);
  for (int copy = 0; copy < 301; ++copy) {
    const std::size_t tile = test::add_tile(well, copy == 0 ? Side::ten : Side::forty, 0, 0, 205.0);
    for (std::size_t n = 0; n < nuclei.size(); ++n)
      test::detect(well, tile, nuclei[n][0], nuclei[n][1], static_cast<int>(n));
  }
  CHECK(score(well, assign(well).pairs).recall == 1.0);
}

TEST_CASE("a region that moved between the visits is found and named") {
  const auto moved = [](Point p) {
    return std::hypot(p[0] - 700.0, p[1] - 800.0) < 300.0 ? Point{p[0] + 20.0, p[1] - 15.0} : p;
  };
  const SmallWell well = make_small_well({.moved = moved});
  const WellAssignment r = assign(well);
  CHECK(score(well, r.pairs).recall > 0.96);
  CHECK(score(well, r.pairs).precision > 0.99);
  REQUIRE(r.summary.moved.size() == 1);
  CHECK(r.summary.moved[0].shift_um[0] == doctest::Approx(20.0).epsilon(0.03));
  CHECK(r.summary.moved[0].shift_um[1] == doctest::Approx(-15.0).epsilon(0.03));
}

TEST_CASE("two regions that moved by one shift are two, each named where it is") {
  const std::array<Point, 2> middles{{{350.0, 400.0}, {1150.0, 1100.0}}};
  const auto moved = [&](Point p) {
    for (const Point& m : middles)
      if (std::hypot(p[0] - m[0], p[1] - m[1]) < 240.0) return Point{p[0] + 20.0, p[1] - 15.0};
    return p;
  };
  const SmallWell well = make_small_well({.moved = moved});
  const WellAssignment r = assign(well);
  REQUIRE(r.summary.moved.size() == 2);
  for (std::size_t k = 0; k < 2; ++k) {
    const MovedRegion& region = r.summary.moved[k];
    CHECK(std::hypot(region.centre_um[0] - middles[k][0] - 20.0,
                     region.centre_um[1] - middles[k][1] + 15.0) < 40.0);
    CHECK(std::hypot(region.shift_um[0] - 20.0, region.shift_um[1] + 15.0) < 1.0);
    // Of pi 240^2 um^2 with a nucleus in each 225.
    CHECK(static_cast<double>(region.nuclei) == doctest::Approx(800.0).epsilon(0.2));
  }
}

TEST_CASE("where 40x shows a small part of the well no more pairs are wrong than expected") {
  double expected = 0.0;
  std::size_t wrong = 0;
  for (std::uint32_t seed = 1; seed <= 4; ++seed) {
    const SmallWell well = make_small_well({.seed = seed,
                                            .edge_um = 3000.0,
                                            .spacing_um = 13.0,
                                            .missing = 0.25,
                                            .spurious = 0.1,
                                            .ten_noise_um = 1.0,
                                            .forty_noise_um = 0.6,
                                            .forty_tile_um = 300.0,
                                            .forty_step_um = 1900.0});
    const WellAssignment r = assign(well);
    wrong += score(well, r.pairs).wrong;
    expected += r.summary.expected_wrong;
  }
  CAPTURE(wrong);
  CAPTURE(expected);
  CHECK(wrong > 20);
  CHECK(expected > static_cast<double>(wrong));
  CHECK(expected < 4.0 * static_cast<double>(wrong));
}

TEST_CASE("of the pairs below a q-value no more are wrong than it says, nor than decoys say") {
  for (const double spacing : {15.0, 8.0}) {
    std::size_t wrong = 0;
    double expected = 0.0, decoys = 0.0;
    for (std::uint32_t seed = 1; seed <= 4; ++seed) {
      const SmallWell well = make_small_well({.seed = seed,
                                              .spacing_um = spacing,
                                              .missing = 0.25,
                                              .spurious = 0.1,
                                              .ten_noise_um = 0.5,
                                              .forty_noise_um = 0.3});
      const WellAssignment r = assign(well);
      std::size_t below = 0, wrong_below = 0;
      for (std::size_t k = 0; k < r.pairs.size(); ++k) {
        const int a = well.ten_truth[r.pairs.ten[k]], b = well.forty_truth[r.pairs.forty[k]];
        wrong += a != b || a < 0 ? 1 : 0;
        if (r.pairs.q_value[k] > 0.01F) continue;
        ++below;
        wrong_below += a != b || a < 0 ? 1 : 0;
      }
      CHECK(below > 1000);
      CHECK(static_cast<double>(wrong_below) < 0.012 * static_cast<double>(below));
      expected += r.summary.expected_wrong;
      decoys += r.summary.decoys.back().decoy_wrong;
      CHECK(r.summary.decoys.back().pairs == r.pairs.size());
    }
    CAPTURE(spacing);
    CAPTURE(wrong);
    CHECK(wrong > 0);
    CHECK(expected > static_cast<double>(wrong));
    CHECK(expected < 4.0 * static_cast<double>(wrong));
    CHECK(decoys > 0.5 * static_cast<double>(wrong));
    CHECK(decoys < 4.0 * static_cast<double>(wrong));
  }
}

TEST_CASE("areas decide if they say the same at both visits") {
  SmallWell well = make_small_well({.spacing_um = 8.0,
                                    .missing = 0.25,
                                    .spurious = 0.15,
                                    .ten_noise_um = 0.8,
                                    .forty_noise_um = 0.5});
  const WellAssignment without = assign(well);
  CHECK(without.summary.area_correlation == 0.0);
  std::mt19937 random(9);
  std::normal_distribution<double> normal(0.0, 1.0);
  std::vector<double> log_area(100000);
  for (double& v : log_area) v = 4.5 + 0.4 * normal(random);
  for (const bool ten : {true, false}) {
    Detections& d = ten ? well.ten : well.forty;
    for (const int n : ten ? well.ten_truth : well.forty_truth) {
      const double own = n < 0 ? 4.5 + 0.4 * normal(random) : log_area[static_cast<std::size_t>(n)];
      d.area_um2.push_back(static_cast<float>(std::exp(own + 0.1 * normal(random))));
    }
  }
  const WellAssignment with = assign(well);
  CHECK(with.summary.area_correlation == doctest::Approx(0.94).epsilon(0.04));
  CHECK(score(well, with.pairs).wrong * 3 < score(well, without.pairs).wrong * 2);
  CHECK(score(well, with.pairs).recall > score(well, without.pairs).recall);
}

TEST_CASE("tiles that lie off by half a um change next to nothing, and the rest is taken out") {
  const auto well = [](double error_um) { return make_small_well({.tile_error_um = error_um}); };
  const WellAssignment exact = assign(well(0.0)), off = assign(well(0.5));
  const auto median = [](std::vector<float> v) {
    std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
    return static_cast<double>(v[v.size() / 2]);
  };
  CHECK(score(well(0.5), off.pairs).recall > score(well(0.0), exact.pairs).recall - 0.003);
  CHECK(score(well(0.5), off.pairs).precision > score(well(0.0), exact.pairs).precision - 0.001);
  CHECK(median(off.pairs.distance_um) > 1.5 * median(exact.pairs.distance_um));
  CHECK(median(off.pairs.heldout_distance_um) < 1.15 * median(exact.pairs.heldout_distance_um));
  // Rayleigh: 1.177 standard deviations of a coordinate of the difference.
  CHECK(median(exact.pairs.heldout_distance_um) ==
        doctest::Approx(1.177 * std::hypot(0.26, 0.16)).epsilon(0.05));
}

TEST_CASE("the same well gives the same bits") {
  const SmallWell well = make_small_well({.edge_um = 900.0, .split = 0.02});
  const WellAssignment a = assign(well), b = assign(well);
  CHECK(a.pairs.ten == b.pairs.ten);
  CHECK(a.pairs.forty == b.pairs.forty);
  CHECK(a.pairs.probability == b.pairs.probability);
  CHECK(a.pairs.margin == b.pairs.margin);
  CHECK(a.ten_unpaired == b.ten_unpaired);
}

TEST_CASE("two wells that have nothing to do with each other give hardly a pair") {
  SmallWell well = make_small_well({.seed = 1});
  const SmallWell other = make_small_well({.seed = 2});
  well.forty = other.forty;
  well.forty_truth.assign(other.forty_truth.size(), -1);
  const WellAssignment r = assign(well);
  CHECK(r.pairs.size() < well.ten.size() / 100);
}

TEST_CASE("nuclei without a partner have a reason") {
  SmallWell well;
  test::add_tile(well, Side::ten, 0.0, 0.0, 400.0);
  test::add_tile(well, Side::forty, 0.0, 0.0, 200.0);
  for (int k = 0; k < 100; ++k) {
    const double x = 10.0 + 18.0 * (k % 10), y = 10.0 + 18.0 * (k / 10);
    if (k != 55) test::detect(well, 0, x, y, k);
    test::detect(well, 1, x + 0.1, y, k);
  }
  test::detect(well, 0, 300.0, 300.0, 200);
  const WellAssignment r = assign(well);
  CHECK(r.pairs.size() == 99);
  CHECK(r.ten_unpaired[0] == Unpaired::paired);
  CHECK(r.ten_unpaired[99] == Unpaired::outside);
  CHECK(r.forty_unpaired[55] == Unpaired::no_candidate);
}

TEST_CASE("a side without nuclei, one nucleus, and all outside each other's fields") {
  SmallWell empty = make_small_well({.edge_um = 300.0});
  empty.forty = {};
  empty.forty_truth.clear();
  const WellAssignment none = assign(empty);
  check_shape(empty, none);
  CHECK(none.pairs.size() == 0);
  for (const Unpaired reason : none.ten_unpaired) CHECK(reason == Unpaired::outside);
  CHECK(std::isnan(none.summary.forty_paired));

  SmallWell one;
  test::add_tile(one, Side::ten, 0.0, 0.0, 100.0);
  test::add_tile(one, Side::forty, 0.0, 0.0, 100.0);
  test::detect(one, 0, 50.0, 50.0, 0);
  test::detect(one, 1, 50.1, 50.0, 0);
  check_shape(one, assign(one));

  SmallWell apart;
  test::add_tile(apart, Side::ten, 0.0, 0.0, 100.0);
  test::add_tile(apart, Side::forty, 1000.0, 0.0, 100.0);
  for (int k = 0; k < 9; ++k) {
    test::detect(apart, 0, 10.0 + 10.0 * k, 50.0, k);
    test::detect(apart, 1, 1010.0 + 10.0 * k, 50.0, k);
  }
  const WellAssignment r = assign(apart);
  CHECK(r.pairs.size() == 0);
  for (const Unpaired reason : r.forty_unpaired) CHECK(reason == Unpaired::outside);
}

TEST_CASE("columns of unequal length and unknown tiles are refused") {
  SmallWell well = make_small_well({.edge_um = 300.0});
  well.ten.y_um.pop_back();
  CHECK_THROWS_AS((void)assign(well), InputError);
  well = make_small_well({.edge_um = 300.0});
  well.forty.tile[0] = 1000;
  CHECK_THROWS_AS((void)assign(well), InputError);
}

TEST_CASE("a position that is not a number is refused by the name of its tile") {
  for (const bool ten : {true, false}) {
    SmallWell well = make_small_well({.edge_um = 300.0});
    Detections& side = ten ? well.ten : well.forty;
    for (const float value :
         {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
      side.x_um[0] = value;
      well.tiles[side.tile[0]].name = "B7_12.csv";
      CHECK_THROWS_WITH_AS((void)assign(well), doctest::Contains("B7_12.csv"), InputError);
      AffineMap& to_well = well.placed[side.tile[0]].to_well;
      const AffineMap before = std::exchange(to_well, {});
      CHECK_NOTHROW((void)assign(well));
      to_well = before;
    }
  }
}
