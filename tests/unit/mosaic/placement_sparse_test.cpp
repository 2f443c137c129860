// Wells whose nuclei tell little: nearly regular ones, and few of them.
#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "made_well.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/mosaic/placement.hpp"
#include "placer_state.hpp"

using namespace nucreg;
using namespace nucreg::mosaic;
using made::make_well;

namespace {

made::WellOptions sparse_well(double spacing_um) {
  made::WellOptions options{.seed = 5, .radius_um = 1300.0, .spacing_um = spacing_um};
  options.ten_px = options.forty_px = 2304.0;
  options.wave_um = 4000.0;
  return options;
}

std::size_t tiles_with(const made::Well& well, Side side, std::size_t min_nuclei) {
  std::size_t n = 0;
  for (std::size_t t = 0; t < well.tiles.size(); ++t)
    n += well.tiles[t].side == side && well.nuclei[t].size() >= min_nuclei ? 1 : 0;
  return n;
}

}  // namespace

TEST_CASE("the part of nuclei that a shift lays upon others is that of the lattice") {
  RandomStream random(3, 0, 0, Purpose::positions);
  TileNuclei lattice, scattered;
  for (int row = 0; row < 40; ++row)
    for (int column = 0; column < 40; ++column) {
      lattice.px.x.push_back(20.0 * column + 10.0 * (row % 2) + 0.4 * random.normal());
      lattice.px.y.push_back(20.0 * row * 0.5 * std::numbers::sqrt3 + 0.4 * random.normal());
      scattered.px.x.push_back(800.0 * random.uniform());
      scattered.px.y.push_back(700.0 * random.uniform());
    }
  for (TileNuclei* n : {&lattice, &scattered}) n->label.resize(n->px.size());
  const auto of_lattice = own_parts(lattice, 20.0), of_scattered = own_parts(scattered, 20.0);
  CHECK(of_lattice[0] > 0.95);
  // Deviation of a difference 0.57 px; within the square of the area of the disc of 1 px.
  CHECK(of_lattice.back() ==
        doctest::Approx(std::pow(std::erf(0.886 / 0.566 / std::sqrt(2.0)), 2)).epsilon(0.15));
  // 1600 nuclei over 800 by 700 px: 0.44 of another within 7 px by chance, more at the best shift.
  CHECK(of_scattered[0] < 0.65);
  CHECK(of_scattered.back() < 0.1);
}

TEST_CASE("nuclei on nearly regular hexagons are placed by what is irregular in them") {
  made::WellOptions options{.seed = 11};
  options.jitter = 0.12;
  const made::Well well = make_well(options);
  const Placement p = place(well.tiles, well.nuclei);
  REQUIRE_MESSAGE(p.matched, p.reason);
  CHECK(p.magnification == doctest::Approx(4.0).epsilon(0.003));
  for (const Side side : {Side::ten, Side::forty}) {
    const made::PlaceError error = place_error(well, side, made::centres(p));
    CHECK(error.placed() >= tiles_with(well, side, 50));
    CHECK(error.rms_um < 0.15);
    CHECK(error.largest_um < 2.0);
  }
}

TEST_CASE("nuclei on a lattice are no match, and that they are regular is the reason") {
  for (const bool with_stage : {true, false}) {
    CAPTURE(with_stage);
    made::WellOptions options{.seed = 12, .radius_um = 500.0};
    options.jitter = 0.02;
    options.with_stage = with_stage;
    const made::Well well = make_well(options);
    const Placement p = place(well.tiles, well.nuclei);
    CHECK_FALSE(p.matched);
    CHECK_MESSAGE(p.reason.find("the nuclei lie so regularly that") == 0, p.reason);
  }
}

TEST_CASE("tiles of few nuclei are placed where the stage says if these agree") {
  made::Well well = make_well(sparse_well(105.0));
  const Placement p = place(well.tiles, well.nuclei);
  REQUIRE_MESSAGE(p.matched, p.reason);
  const made::PlaceError error = place_error(well, Side::forty, made::centres(p));
  CHECK(error.placed() > 0.95 * static_cast<double>(tiles_with(well, Side::forty, 7)));
  CHECK(error.largest_um < 5.0);
}

TEST_CASE("few nuclei do not tell of turns of single tiles") {
  made::WellOptions options = sparse_well(110.0);
  options.wave_um = 2500.0;
  const made::Well well = make_well(options);
  const Placement p = place(well.tiles, well.nuclei);
  REQUIRE_MESSAGE(p.matched, p.reason);
  CHECK_FALSE(p.fit.own_cameras);
}

TEST_CASE("a tile of few nuclei that was taken elsewhere is not placed where the stage says") {
  made::Well well = make_well(sparse_well(95.0));
  std::vector<std::size_t> moved;
  for (std::size_t t = 0; t < well.tiles.size(); ++t)
    if (well.tiles[t].side == Side::forty && t % 5 == 0) moved.push_back(t);
  for (const std::size_t t : moved) {
    Point& stage = *well.tiles[t].stage_um;
    stage = {-stage[0], -stage[1]};
  }
  const Placement p = place(well.tiles, well.nuclei);
  REQUIRE_MESSAGE(p.matched, p.reason);
  CHECK(place_error(well, Side::forty, made::centres(p)).largest_um < 8.0);
}

TEST_CASE("sparse nuclei of another well are no match") {
  made::Well well = make_well(sparse_well(100.0));
  made::WellOptions options = sparse_well(100.0);
  options.seed = 6;
  const made::Well other = make_well(options);
  for (std::size_t t = 0; t < well.tiles.size(); ++t)
    if (well.tiles[t].side == Side::forty) well.nuclei[t] = other.nuclei[t];
  CHECK_FALSE(place(well.tiles, well.nuclei).matched);
}

TEST_CASE("positions that are counted from the corner of the well are refused") {
  for (const Side side : {Side::ten, Side::forty}) {
    made::WellOptions options{.seed = 13};
    options.ten_px = 450.0;
    made::Well well = make_well(options);
    CHECK_NOTHROW(static_cast<void>(place(well.tiles, well.nuclei)));
    for (std::size_t t = 0; t < well.tiles.size(); ++t) {
      if (well.tiles[t].side != side) continue;
      const double um = *well.tiles[t].pixel_um;
      for (double& x : well.nuclei[t].px.x) x += ((*well.tiles[t].stage_um)[0] + 1000.0) / um;
      for (double& y : well.nuclei[t].px.y) y += ((*well.tiles[t].stage_um)[1] + 1000.0) / um;
    }
    try {
      static_cast<void>(place(well.tiles, well.nuclei));
      FAIL("it was taken");
    } catch (const InputError& error) {
      CHECK(std::string(error.what()).find("counted from the corner of the well") !=
            std::string::npos);
    }
  }
}
