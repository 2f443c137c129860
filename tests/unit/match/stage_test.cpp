// What stage positions say of two tiles.
#include "nucreg/match/match.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace nucreg;

namespace {

constexpr double unknown_um = std::numeric_limits<double>::quiet_NaN();

// 101 x 81 pixels of 2 um, 41 x 41 of 0.5 um.
constexpr TilePlace ten_somewhere{.width_px = 101, .height_px = 81, .pixel_size_um = 2.0};
constexpr TilePlace forty_somewhere{.width_px = 41, .height_px = 41, .pixel_size_um = 0.5};

TilePlace at(TilePlace tile, double x_um, double y_um) {
  tile.stage_x_um = x_um;
  tile.stage_y_um = y_um;
  return tile;
}
TilePlace ten_at(double x_um, double y_um) {
  return at(ten_somewhere, x_um, y_um);
}
TilePlace forty_at(double x_um, double y_um) {
  return at(forty_somewhere, x_um, y_um);
}

bool names(const StagePrior& prior, double x, double y) {
  return std::ranges::any_of(prior.ten_px, [&](const auto& place) {
    return std::hypot(place[0] - x, place[1] - y) < 1e-9;
  });
}

}  // namespace

TEST_CASE("the middle of the 40x tile is at one of eight places, however the camera stands") {
  const auto prior = stage_prior(ten_at(100.0, 50.0), forty_at(120.0, 60.0), 30.0);
  REQUIRE(prior);
  CHECK(prior->forty_px == std::array{20.0, 20.0});
  CHECK(prior->uncertainty_px == 15.0);
  CHECK(prior->ten_px.size() == 8);
  for (const double across : {1.0, -1.0})
    for (const double down : {1.0, -1.0}) {
      CHECK(names(*prior, 50.0 + across * 10.0, 40.0 + down * 5.0));
      CHECK(names(*prior, 50.0 + across * 5.0, 40.0 + down * 10.0));
    }
}

TEST_CASE("pixels that are not square are measured by both sides") {
  TilePlace ten = ten_at(0.0, 0.0);
  ten.pixel_height_um = 1.0;
  const auto prior = stage_prior(ten, forty_at(20.0, 6.0), 30.0);
  REQUIRE(prior);
  CHECK(prior->uncertainty_px == 30.0);
  CHECK(names(*prior, 60.0, 46.0));
  CHECK(names(*prior, 53.0, 60.0));
  CHECK(!names(*prior, 60.0, 43.0));
}

TEST_CASE("without all that it takes there is no prior") {
  const TilePlace ten = ten_at(0.0, 0.0), forty = forty_at(1.0, 1.0);
  CHECK(stage_prior(ten, forty, 1.0));
  for (const double error : {0.0, -1.0, unknown_um, std::numeric_limits<double>::infinity()})
    CHECK(!stage_prior(ten, forty, error));
  for (const auto missing : {&TilePlace::stage_x_um, &TilePlace::stage_y_um}) {
    TilePlace none = ten;
    none.*missing = std::nullopt;
    CHECK(!stage_prior(none, forty, 1.0));
    CHECK(!stage_prior(forty, none, 1.0));
    none.*missing = unknown_um;
    CHECK(!stage_prior(none, forty, 1.0));
  }
  TilePlace no_size = ten, no_size_forty = forty;
  no_size.pixel_size_um = no_size_forty.pixel_size_um = std::nullopt;
  CHECK(!stage_prior(no_size, forty, 1.0));
  CHECK(stage_prior(ten, no_size_forty, 1.0));  // of 40x only the place counts
  // Positions that no double can hold the difference of.
  CHECK(!stage_prior(ten_at(-1e308, 0.0), forty_at(1e308, 0.0), 1.0));
}

TEST_CASE("tiles are far apart beyond half their diagonals and the error") {
  // Half diagonals: 129.4 um and 14.5 um.
  const double reach_um = 0.5 * (std::hypot(202.0, 162.0) + std::hypot(20.5, 20.5));
  const TilePlace ten = ten_at(0.0, 0.0);
  for (const double turn : {0.0, 1.0, 2.0, 4.0}) {
    const auto at = [&](double distance_um) {
      return forty_at(distance_um * std::cos(turn), distance_um * std::sin(turn));
    };
    CHECK(!far_apart(ten, at(reach_um + 99.0), 100.0));
    CHECK(far_apart(ten, at(reach_um + 101.0), 100.0));
  }
  CHECK(!far_apart(ten, forty_at(unknown_um, 1e9), 100.0));
  TilePlace bare = forty_at(1e9, 1e9);
  bare.pixel_size_um = std::nullopt;
  CHECK(!far_apart(ten, bare, 100.0));
  bare = forty_at(1e9, 1e9);
  bare.stage_y_um = std::nullopt;
  CHECK(!far_apart(bare, ten, 100.0));
}
