#include "nucreg/mosaic/objects.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <string>

#include "small_well.hpp"

using namespace nucreg;
using namespace nucreg::mosaic;
using nucreg::test::SmallWell;

namespace {

Objects objects_of(const SmallWell& well, double noise_um = 0.3) {
  return find_objects(well.ten, well.placed, noise_um);
}

// Tiles of 100 um, laid on each other at the origin.
SmallWell stack(std::size_t tiles) {
  SmallWell well;
  for (std::size_t t = 0; t < tiles; ++t) test::add_tile(well, Side::ten, 0.0, 0.0, 100.0);
  return well;
}

}  // namespace

TEST_CASE("a nucleus that two tiles show is one object, represented far from the border") {
  SmallWell well;
  test::add_tile(well, Side::ten, 0.0, 0.0, 100.0);
  test::add_tile(well, Side::ten, 80.0, 0.0, 100.0);
  test::detect(well, 0, 85.0, 50.0, 1);  // 14 px from the border of tile 0
  test::detect(well, 1, 85.2, 50.1, 1);  // 5 px from that of tile 1
  test::detect(well, 0, 40.0, 40.0, 2);
  const Objects o = objects_of(well);
  CHECK(o.of == std::vector<std::uint32_t>{0, 0, 1});
  CHECK(o.representative == std::vector<std::uint32_t>{0, 2});
  CHECK(o.detections == std::vector<std::uint32_t>{2, 1});
  CHECK(static_cast<double>(o.x_um[0]) == doctest::Approx(85.1));
  CHECK(static_cast<double>(o.y_um[0]) == doctest::Approx(50.05));
}

TEST_CASE("a chain of neighbours does not become one object") {
  SmallWell well = stack(6);
  // Steps of 2 um, each to another tile; real neighbours give the spacing.
  for (std::size_t t = 0; t < 6; ++t) {
    test::detect(well, t, 30.0 + 2.0 * static_cast<double>(t), 50.0, 0);
    for (int k = 0; k < 5; ++k) test::detect(well, t, 10.0 + 10.0 * k, 80.0, 1 + k);
  }
  const Objects o = objects_of(well);
  CHECK(o.spacing_um == doctest::Approx(10.0));
  CHECK(o.gate_um < 4.0);
  std::map<std::uint32_t, std::size_t> chain;
  for (std::size_t t = 0; t < 6; ++t) ++chain[o.of[6 * t]];
  for (const auto& [object, count] : chain) CHECK(count <= 2);
  for (int k = 0; k < 5; ++k)
    for (std::size_t t = 1; t < 6; ++t)
      CHECK(o.of[6 * t + 1 + static_cast<std::size_t>(k)] == o.of[1 + static_cast<std::size_t>(k)]);
}

TEST_CASE("two detections of one tile are two objects, and flagged if nuclei are never so near") {
  SmallWell well = stack(2);
  for (int k = 0; k < 8; ++k) test::detect(well, 0, 10.0 + 10.0 * k, 80.0, k);
  test::detect(well, 0, 50.0, 30.0, 9);
  test::detect(well, 0, 53.0, 30.0, 9);
  test::detect(well, 1, 50.8, 30.0, 9);
  const Objects o = objects_of(well);
  CHECK(o.size() == 10);
  CHECK(o.of[10] == o.of[8]);
  CHECK(o.of[9] != o.of[8]);
  CHECK((o.flags[o.of[8]] & split_flag) != 0);
  CHECK((o.flags[o.of[9]] & split_flag) != 0);
  for (std::size_t k = 0; k < 8; ++k) CHECK(o.flags[o.of[k]] == 0);
}

TEST_CASE("a nucleus that one tile shows whole and another in two pieces is one object") {
  SmallWell well = stack(2);
  for (int k = 0; k < 8; ++k) test::detect(well, 0, 10.0 + 10.0 * k, 80.0, k);
  test::detect(well, 0, 50.0, 30.0, 9);
  test::detect(well, 1, 48.0, 31.0, 9);
  test::detect(well, 1, 52.2, 29.0, 9);
  const Objects o = objects_of(well);
  CHECK(o.size() == 9);
  CHECK(o.of[9] == o.of[8]);
  CHECK(o.of[10] == o.of[8]);
  CHECK((o.flags[o.of[8]] & split_flag) != 0);

  // What both tiles show is a nucleus of its own.
  test::detect(well, 0, 52.1, 29.1, 9);
  const Objects three = objects_of(well);
  CHECK(three.of[10] == three.of[11]);
  CHECK(three.of[10] != three.of[8]);
}

TEST_CASE("at identical positions each tile still gives one detection to an object") {
  SmallWell well = stack(2);
  for (int k = 0; k < 3; ++k) test::detect(well, 0, 50.0, 50.0, k);
  for (int k = 0; k < 3; ++k) test::detect(well, 1, 50.0, 50.0, k);
  const Objects o = objects_of(well);
  CHECK(o.size() == 3);
  for (const std::uint32_t n : o.detections) CHECK(n == 2);
}

TEST_CASE("a tile that was taken twice adds no objects") {
  SmallWell well = test::make_small_well(
      {.edge_um = 700.0, .missing = 0.0, .spurious = 0.0, .ten_tile_um = 800.0});
  const Objects once = objects_of(well);
  const std::size_t n = well.ten.size();
  const std::size_t twin = test::add_tile(well, Side::ten, -5.0, -5.0, 800.0);
  for (std::size_t k = 0; k < n; ++k)
    test::detect(well, twin, static_cast<double>(well.ten.x_um[k]) + 0.05,
                 static_cast<double>(well.ten.y_um[k]), well.ten_truth[k]);
  const Objects twice = objects_of(well);
  CHECK(twice.size() == once.size());
  CHECK(once.size() > 1500);
}

TEST_CASE("overlaps of a whole side: objects are nuclei, and the noise is learnt") {
  for (const double spacing : {15.0, 10.0}) {
    const SmallWell well =
        test::make_small_well({.spacing_um = spacing, .ten_tile_um = 400.0, .overlap = 0.25});
    const Objects o = objects_of(well);
    std::map<int, std::set<std::uint32_t>> of;
    std::vector<int> nucleus(o.size(), -2);
    std::size_t mixed = 0, extra = 0;
    for (std::size_t k = 0; k < well.ten.size(); ++k) {
      const int n = well.ten_truth[k];
      if (n < 0) continue;
      of[n].insert(o.of[k]);
      mixed += nucleus[o.of[k]] != -2 && nucleus[o.of[k]] != n ? 1 : 0;
      nucleus[o.of[k]] = n;
    }
    for (const auto& [n, set] : of) extra += set.size() - 1;
    CHECK(static_cast<double>(mixed) < 5e-4 * static_cast<double>(of.size()));
    CHECK(static_cast<double>(extra) < 5e-4 * static_cast<double>(of.size()));
    CHECK(o.noise_um == doctest::Approx(0.26).epsilon(0.05));
  }
}

TEST_CASE("detections of a tile that cannot be compared remain alone, whatever their positions") {
  SmallWell well = stack(2);
  test::detect(well, 0, 10.0, 10.0, 0);
  test::detect(well, 1, 20.0, 20.0, 1);
  well.ten.x_um[1] = std::numeric_limits<float>::quiet_NaN();
  well.placed[1].to_well = {};
  const Objects o = objects_of(well);
  CHECK(o.size() == 2);
  CHECK(std::isnan(o.x_um[1]));
}

TEST_CASE("none, one") {
  const Objects empty = objects_of(SmallWell{});
  CHECK(empty.size() == 0);
  CHECK(std::isnan(empty.spacing_um));
  SmallWell well = stack(1);
  test::detect(well, 0, 10.0, 10.0, 0);
  const Objects one = objects_of(well);
  CHECK(one.size() == 1);
  CHECK(std::isnan(one.noise_um));
}
