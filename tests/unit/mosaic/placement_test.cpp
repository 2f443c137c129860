#include "nucreg/mosaic/placement.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "made_well.hpp"
#include "nucreg/core/error.hpp"

using namespace nucreg;
using namespace nucreg::mosaic;
using made::make_well;

namespace {

void check_placed(const made::Well& well, const Placement& p, double rms_um,
                  made::Motion of_forty = made::Motion::rigid) {
  REQUIRE_MESSAGE(p.matched, p.reason);
  for (const Side side : {Side::ten, Side::forty}) {
    CAPTURE(static_cast<int>(side));
    const made::Motion motion = side == Side::ten ? made::Motion::rigid : of_forty;
    const made::PlaceError error = place_error(well, side, made::centres(p), motion);
    std::size_t rich = 0;
    for (std::size_t t = 0; t < well.tiles.size(); ++t)
      rich += well.tiles[t].side == side && well.nuclei[t].size() >= 25 ? 1 : 0;
    CHECK(error.placed() >= rich);
    CHECK(error.rms_um < rms_um);
  }
}

// Distance, in the well, of 10x and 40x detections of one nucleus: root mean square per coordinate.
double distance_of_pairs(const made::Well& well, const Placement& p) {
  std::map<std::uint32_t, Point> ten;
  double sum = 0.0, n = 0.0;
  for (std::size_t t = 0; t < well.tiles.size(); ++t) {
    if (!p.map.placed(t)) continue;
    const Points at = p.map.to_well(t, well.nuclei[t].px);
    for (std::size_t i = 0; i < at.size(); ++i) {
      const std::uint32_t id = well.identity[t][i];
      if (well.tiles[t].side == Side::ten) {
        ten[id] = {at.x[i], at.y[i]};
      } else if (const auto found = ten.find(id); found != ten.end()) {
        const double dx = at.x[i] - found->second[0], dy = at.y[i] - found->second[1];
        sum += 0.5 * (dx * dx + dy * dy);
        n += 1.0;
      }
    }
  }
  return std::sqrt(sum / n);
}

}  // namespace

TEST_CASE("tiles with stage positions are placed to a fraction of the noise") {
  const made::Well well = make_well({.seed = 3});
  const Placement p = place(well.tiles, well.nuclei);
  check_placed(well, p, 0.1);
  CHECK(p.magnification == doctest::Approx(4.0).epsilon(0.003));
  CHECK_FALSE(p.mirrored);
  // The stage's grid is the well's, so the plate's turn is seen as it is; the camera's is not.
  CHECK(std::abs(p.turn_deg) == doctest::Approx(1.0).epsilon(0.1));
  CHECK(p.map.cameras[0].k1 == doctest::Approx(-4e-4).epsilon(0.25));
  CHECK(p.map.cameras[1].k1 == doctest::Approx(4e-4).epsilon(0.25));
  // 0.4 px at 10x and 1 px at 40x.
  CHECK(p.noise_across_um == doctest::Approx(std::hypot(0.26, 0.1625)).epsilon(0.1));
  CHECK(distance_of_pairs(well, p) < 1.1 * std::hypot(0.26, 0.1625));
  CHECK_FALSE(p.fit.own_cameras);
  for (std::size_t k = 0; k < p.tiles.size(); ++k) {
    const PlacedTile& t = p.tiles[k];
    if (well.nuclei[k].size() < 25) {
      CHECK((t.status == TileStatus::ok || t.status == TileStatus::few));
      continue;
    }
    CHECK(t.status == TileStatus::ok);
    CHECK(t.message.empty());
    CHECK(t.links >= 2);
    CHECK(t.island == 0);
    CHECK(t.centre_sd_um < 0.2);
  }
  for (const StageModel& s : p.stage) {
    CHECK(s.known);
    CHECK_FALSE(s.flipped);
    CHECK(s.unit_um == doctest::Approx(1.0).epsilon(0.01));
  }
}

TEST_CASE("visits of one grid, where no tile ties its neighbours, are joined by the stage") {
  for (const bool mirrored : {false, true}) {
    CAPTURE(mirrored);
    made::WellOptions options{.seed = 7, .radius_um = 900.0, .forty_px = 900.0};
    options.magnification = 1.0;
    options.noise_forty_px = 0.4;
    options.stage_um = options.turn_deg = options.deform_um = 0.0;
    options.shift_um = {};
    options.mirrored = mirrored;
    const made::Well well = make_well(options);
    const Placement p = place(well.tiles, well.nuclei);
    check_placed(well, p, 0.15);
    CHECK(p.mirrored == mirrored);
  }
}

TEST_CASE("tissue that bends within two tiles is followed") {
  const made::Well well =
      make_well({.seed = 8, .radius_um = 1000.0, .deform_um = 3.0, .wave_um = 500.0});
  const Placement p = place(well.tiles, well.nuclei);
  check_placed(well, p, 0.15);
  CHECK(distance_of_pairs(well, p) < 1.1 * std::hypot(0.26, 0.1625));
}

TEST_CASE("tiles with a turn of their own are laid with it") {
  const made::Well well = make_well({.seed = 6, .deform_um = 0.0, .own_turn_deg = 0.6});
  const Placement p = place(well.tiles, well.nuclei);
  REQUIRE_MESSAGE(p.matched, p.reason);
  // Few nuclei, on one side of a tile, hardly tell how it is turned, and so where its middle is.
  CHECK(place_error(well, Side::ten, made::centres(p)).rms_um < 0.3);
  const made::PlaceError all = place_error(well, Side::forty, made::centres(p));
  double sum = 0.0, rich = 0.0;
  for (std::size_t k = 0; k < all.placed(); ++k) {
    CAPTURE(well.tiles[all.tile[k]].name);
    CHECK(all.each_um[k] < 0.5 + 3.0 * p.tiles[all.tile[k]].centre_sd_um);
    if (well.nuclei[all.tile[k]].size() < 25) continue;
    sum += all.each_um[k] * all.each_um[k];
    rich += 1.0;
  }
  CHECK(std::sqrt(sum / rich) < 0.3);
  for (std::size_t t = 0; t < well.tiles.size(); ++t)
    if (well.nuclei[t].size() >= 25) CHECK(p.map.placed(t));
  CHECK(p.fit.own_cameras);
  CHECK(distance_of_pairs(well, p) < 1.15 * std::hypot(0.26, 0.1625));
}

TEST_CASE("the order of tasks and who runs them changes no bit") {
  const made::Well well = make_well({.seed = 4, .radius_um = 500.0});
  const Placement here = place(well.tiles, well.nuclei);
  Placer placer(well.tiles);
  const NucleiOf source = [&](std::uint32_t t) -> const TileNuclei& { return well.nuclei[t]; };
  for (auto tasks = placer.next_round(); !tasks.empty(); tasks = placer.next_round()) {
    CHECK_FALSE(placer.round_name().empty());
    std::vector<PlaceResult> results(tasks.size());
    for (std::size_t k = tasks.size(); k-- > 0;)
      results[k] = run_place_task(well.tiles, tasks[k], source);
    placer.take(results);
  }
  const Placement there = placer.finish();
  CHECK(here.map == there.map);
}

TEST_CASE("the affine map of a tile is the map near its middle") {
  const made::Well well = make_well({.seed = 5, .radius_um = 500.0});
  const Placement p = place(well.tiles, well.nuclei);
  REQUIRE(p.matched);
  for (std::size_t t = 0; t < well.tiles.size(); ++t) {
    // Where there is little lens.
    const Point middle = p.map.tiles[t].middle_px;
    const Point exact = p.map.to_well(t, middle), affine = apply(p.tiles[t].to_well, middle);
    CHECK(std::hypot(exact[0] - affine[0], exact[1] - affine[1]) < 1e-6);
  }
}

TEST_CASE("tiles that make no sense are refused") {
  std::vector<WellTile> tiles(2);
  tiles[0].width_px = tiles[0].height_px = 100.0;
  CHECK_THROWS_AS(Placer{tiles}, InputError);
  tiles[1] = tiles[0];
  tiles[1].stage_um = Point{0.0, std::nan("")};
  CHECK_THROWS_AS(Placer{tiles}, InputError);
}

TEST_CASE("without stage positions, tiles that show little in common are looked for by all of it") {
  // Of seed 11 a tile at 10x shares nothing with those that are tied at first.
  for (const std::uint64_t seed : {2U, 3U, 11U}) {
    CAPTURE(seed);
    const made::Well well = make_well({.seed = seed,
                                       .spacing_um = 20.0,
                                       .missing = 0.25,
                                       .noise_forty_px = 2.0,
                                       .with_stage = false});
    const Placement p = place(well.tiles, well.nuclei);
    // Links across deformed tissue alone tell the scale of a side.
    check_placed(well, p, 0.3, made::Motion::scaled);
    CHECK(p.magnification == doctest::Approx(4.0).epsilon(0.003));
  }
}
