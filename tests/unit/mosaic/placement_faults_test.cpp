#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "made_well.hpp"
#include "nucreg/core/random.hpp"
#include "nucreg/mosaic/placement.hpp"
#include "placer_state.hpp"

using namespace nucreg;
using namespace nucreg::mosaic;
using made::make_well;
using made::Well;

namespace {

// 40x tiles in the inner part of the well, which overlap others on all sides.
std::vector<std::uint32_t> inner_tiles(const Well& well) {
  std::vector<std::uint32_t> out;
  for (std::uint32_t t = 0; t < well.tiles.size(); ++t)
    if (well.tiles[t].side == Side::forty && well.nuclei[t].size() > 150) out.push_back(t);
  return out;
}

void check_places(const Well& well, const Placement& p, double rms_um) {
  REQUIRE_MESSAGE(p.matched, p.reason);
  for (const Side side : {Side::ten, Side::forty}) {
    CAPTURE(static_cast<int>(side));
    CHECK(place_error(well, side, made::centres(p)).rms_um < rms_um);
  }
}

// A tile of nuclei whose places are other random ones.
void shuffle(TileNuclei& nuclei, double size_px) {
  RandomStream random(9, 0, 0, Purpose::positions);
  for (std::size_t i = 0; i < nuclei.size(); ++i) {
    nuclei.px.x[i] = random.uniform(0.0, size_px - 1.0);
    nuclei.px.y[i] = random.uniform(0.0, size_px - 1.0);
  }
}

}  // namespace

TEST_CASE("wrong stage positions are named, their tiles placed, and no other is blamed") {
  Well well = make_well({.seed = 21});
  const auto inner = inner_tiles(well);
  REQUIRE(inner.size() > 20);
  std::vector<std::uint32_t> wrong{inner[2], inner[7], inner[8], inner[9]};
  well.tiles[inner[2]].stage_um = Point{-310.0, 205.0};
  const Point last = *well.tiles[inner[10]].stage_um;
  for (std::size_t k = 7; k < 10; ++k)  // a run with the positions of the next
    well.tiles[inner[k]].stage_um = k == 9 ? last : *well.tiles[inner[k + 1]].stage_um;
  const Placement p = place(well.tiles, well.nuclei);
  check_places(well, p, 0.15);
  for (std::uint32_t t = 0; t < well.tiles.size(); ++t) {
    CAPTURE(t);
    const bool is_wrong = std::ranges::find(wrong, t) != wrong.end();
    CHECK((p.tiles[t].status == TileStatus::position_wrong) == is_wrong);
    if (is_wrong) {
      CHECK(std::isfinite(p.tiles[t].centre_um[0]));
      CHECK(p.tiles[t].message.ends_with("."));
    }
  }
  CHECK(p.tiles[inner[7]].message.find("that of " + well.tiles[inner[8]].name) !=
        std::string::npos);
}

TEST_CASE("a stage that is off by a fifth of a tile still tells which position is nonsense") {
  Well well = make_well({.seed = 25, .radius_um = 1100.0, .overlap = 0.4, .stage_um = 40.0});
  const auto inner = inner_tiles(well);
  const Point at = *well.tiles[inner[4]].stage_um;
  REQUIRE(std::hypot(at[0], at[1]) > 400.0);
  well.tiles[inner[4]].stage_um = Point{-at[0], -at[1]};
  const Placement p = place(well.tiles, well.nuclei);
  check_places(well, p, 0.15);
  CHECK(p.stage[1].known);
  CHECK(p.stage[1].scatter_um == doctest::Approx(40.0).epsilon(0.2));
  CHECK(p.stage[1].message.find("off by some ") != std::string::npos);
  for (std::uint32_t t = 0; t < well.tiles.size(); ++t)
    CHECK((p.tiles[t].status == TileStatus::position_wrong) == (t == inner[4]));
}

TEST_CASE("positions that belong to other tiles are not used, which is said, and none is blamed") {
  Well well = make_well({.seed = 24});
  std::vector<std::uint32_t> forties;
  for (std::uint32_t t = 0; t < well.tiles.size(); ++t)
    if (well.tiles[t].side == Side::forty) forties.push_back(t);
  std::vector<WellTile> tiles = well.tiles;
  for (std::size_t k = 0; k < forties.size(); ++k)
    tiles[forties[k]].stage_um = well.tiles[forties[k * 11 % forties.size()]].stage_um;
  REQUIRE(forties.size() % 11 != 0);
  const Placement p = place(tiles, well.nuclei);
  check_places(well, p, 0.2);
  CHECK(p.stage[0].known);
  CHECK_FALSE(p.stage[1].known);
  CHECK(p.stage[1].message.find("40x do not follow") != std::string::npos);
  for (const PlacedTile& t : p.tiles) CHECK(t.status != TileStatus::position_wrong);
}

TEST_CASE("a stage that is far off still tells where tiles are looked for that nothing else ties") {
  // Some of the tiles are tied to others only that are no part of the well themselves at first.
  for (const std::uint64_t seed : {42U, 3U, 4U}) {
    CAPTURE(seed);
    const Well well = make_well({.seed = seed,
                                 .radius_um = 1100.0,
                                 .ten_px = 500.0,
                                 .overlap = 0.25,
                                 .stage_um = 40.0,
                                 .cover = 0.15});
    const Placement p = place(well.tiles, well.nuclei);
    REQUIRE_MESSAGE(p.matched, p.reason);
    CHECK(place_error(well, Side::ten, made::centres(p)).rms_um < 0.3);
    for (std::uint32_t t = 0; t < well.tiles.size(); ++t) {
      CAPTURE(well.tiles[t].name);
      if (well.nuclei[t].size() > 150) CHECK(p.tiles[t].status == TileStatus::ok);
    }
  }
}

TEST_CASE("empty, doubled and blurred tiles and those of another well are named") {
  Well well = make_well({.seed = 22});
  const auto inner = inner_tiles(well);
  const std::uint32_t empty = inner[3], twice = inner[12], blurred = inner[18], other = inner[5];
  well.nuclei[empty] = {};
  well.tiles.push_back(well.tiles[twice]);
  well.nuclei.push_back(well.nuclei[twice]);
  well.centre_um.push_back(well.centre_um[twice]);
  well.identity.push_back(well.identity[twice]);
  RandomStream random(3, 0, 0, Purpose::noise);
  TileNuclei dim;
  for (std::size_t i = 0; i < well.nuclei[blurred].size(); ++i) {
    if (random.uniform() < 0.45) continue;
    dim.px.x.push_back(well.nuclei[blurred].px.x[i] + 2.8 * random.normal());
    dim.px.y.push_back(well.nuclei[blurred].px.y[i] + 2.8 * random.normal());
    dim.label.push_back(well.nuclei[blurred].label[i]);
  }
  well.nuclei[blurred] = dim;
  shuffle(well.nuclei[other], well.tiles[other].width_px);
  const Placement p = place(well.tiles, well.nuclei);
  check_places(well, p, 0.15);
  CHECK(p.tiles[empty].status == TileStatus::empty);
  CHECK(p.tiles[blurred].status == TileStatus::blurred);
  CHECK(p.tiles[other].status == TileStatus::position_wrong);
  CHECK(std::isnan(p.tiles[other].centre_um[0]));
  CHECK(p.tiles.back().status == TileStatus::duplicate);
  CHECK(p.tiles.back().message.find(well.tiles[twice].name) != std::string::npos);
  std::size_t named = 0;
  for (std::size_t t = 0; t < well.tiles.size(); ++t)
    named += well.nuclei[t].size() >= 25 && p.tiles[t].status != TileStatus::ok ? 1 : 0;
  CHECK(named == 3);
}

TEST_CASE("of a tile and a part of it the part is the duplicate, whichever comes first") {
  Well well = make_well({.seed = 22});
  const std::uint32_t whole = inner_tiles(well)[12];
  const double edge = 0.25 * well.tiles[whole].width_px;
  WellTile part = well.tiles[whole];
  part.name = "part";
  part.width_px *= 0.5, part.height_px *= 0.5;
  TileNuclei shown;
  for (std::size_t i = 0; i < well.nuclei[whole].size(); ++i) {
    const double x = well.nuclei[whole].px.x[i] - edge, y = well.nuclei[whole].px.y[i] - edge;
    if (x < 0.0 || y < 0.0 || x > part.width_px - 1.0 || y > part.height_px - 1.0) continue;
    shown.px.x.push_back(x), shown.px.y.push_back(y);
    shown.label.push_back(well.nuclei[whole].label[i]);
  }
  well.tiles.insert(well.tiles.begin(), part);
  well.nuclei.insert(well.nuclei.begin(), shown);
  const Placement p = place(well.tiles, well.nuclei);
  CHECK(p.tiles[0].status == TileStatus::duplicate);
  CHECK(p.tiles[whole + 1].status == TileStatus::ok);
}

TEST_CASE("areas that tiles share are those of their outlines, however narrow") {
  Laid a{.camera = {0.5, 0.0, 0.0, 0.5}, .middle_px = {499.5, 499.5}};
  Laid b = a;
  CHECK(overlap_um2(a, b, {}) == doctest::Approx(250000.0));
  CHECK(overlap_um2(a, b, {495.0, 0.0}) == doctest::Approx(5.0 * 500.0));
  CHECK(overlap_um2(a, b, {495.0, -499.0}) == doctest::Approx(5.0));
  CHECK(overlap_um2(a, b, {501.0, 0.0}) == 0.0);
  const double s = 0.5 * std::sqrt(0.5);
  b.camera = {s, -s, s, s};  // turned by 45 degrees: an octagon is left
  CHECK(overlap_um2(a, b, {}) == doctest::Approx(250000.0 * 2.0 * (std::sqrt(2.0) - 1.0)));
  b.camera = {0.125, 0.0, 0.0, -0.125};
  CHECK(overlap_um2(a, b, {100.0, -50.0}) == doctest::Approx(area_um2(b)));
  CHECK(overlap_um2(b, a, {100.0, -50.0}) == doctest::Approx(area_um2(b)));
}

TEST_CASE("without stage, mirrored and turned, tiles are found") {
  const Well well = make_well({.seed = 23,
                               .turn_deg = 137.0,
                               .camera_turn_deg = 45.0,
                               .mirrored = true,
                               .with_stage = false});
  const Placement p = place(well.tiles, well.nuclei);
  check_places(well, p, 0.15);
  CHECK(p.mirrored);
  for (const StageModel& s : p.stage) CHECK_FALSE(s.known);
}

TEST_CASE("the unit, the signs and the order of stage axes are found out") {
  Well well = make_well({.seed = 24});
  for (WellTile& t : well.tiles)
    if (t.side == Side::forty) {
      const Point at = *t.stage_um;
      t.stage_um = Point{-at[1] / 1000.0, -at[0] / 1000.0};
    } else {
      t.stage_um = Point{(*t.stage_um)[0], -(*t.stage_um)[1]};
    }
  const Placement p = place(well.tiles, well.nuclei);
  check_places(well, p, 0.2);
  CHECK(p.stage[0].flipped);
  CHECK(p.stage[1].flipped);
  CHECK(p.stage[1].unit_um == doctest::Approx(1000.0).epsilon(0.01));
  CHECK(p.stage[1].message.find("mm") != std::string::npos);
  for (const PlacedTile& t : p.tiles) CHECK(t.status != TileStatus::position_wrong);
}

TEST_CASE("tiles that do not overlap are tied by those of the other side") {
  // By a shift of one 10x tile the grids of both sides lie upon each other: what ties 10x tiles to
  // each other are slivers of 40x tiles.
  const Well well =
      make_well({.seed = 25, .radius_um = 1200.0, .overlap = 0.0, .shift_um = {585.0, -60.0}});
  const Placement p = place(well.tiles, well.nuclei);
  check_places(well, p, 0.3);
  for (const PlacedTile& t : p.tiles) {
    CHECK(t.island == 0);
    CHECK(t.status != TileStatus::position_wrong);
  }
}

TEST_CASE("tissue that moved between the visits bends no mosaic") {
  // A region of the second visit lies 25 um off.
  const Well moved = make_well({.seed = 26, .torn_um = 25.0, .torn_radius_um = 220.0});
  const Placement p = place(moved.tiles, moved.nuclei);
  check_places(moved, p, 0.15);
  for (const PlacedTile& t : p.tiles) CHECK(t.status != TileStatus::position_wrong);
}

TEST_CASE("where tiles do not overlap, tissue that moved blames no recorded position") {
  const Well moved =
      make_well({.seed = 26, .overlap = 0.0, .torn_um = 40.0, .torn_radius_um = 220.0});
  const Placement p = place(moved.tiles, moved.nuclei);
  REQUIRE_MESSAGE(p.matched, p.reason);
  for (const PlacedTile& t : p.tiles) CHECK(t.status != TileStatus::position_wrong);
}

TEST_CASE("tiles that only fit when the deformation is known are placed then, and none is blamed") {
  const Well well = make_well(
      {.seed = 28, .radius_um = 1100.0, .overlap = 0.02, .deform_um = 25.0, .wave_um = 2600.0});
  const Placement p = place(well.tiles, well.nuclei);
  REQUIRE_MESSAGE(p.matched, p.reason);
  for (std::uint32_t t = 0; t < well.tiles.size(); ++t) {
    CAPTURE(well.tiles[t].name);
    if (well.nuclei[t].size() > 60) CHECK(std::isfinite(p.tiles[t].centre_um[0]));
    CHECK(p.tiles[t].status != TileStatus::position_wrong);
  }
}

TEST_CASE("a deformation between the visits blames no recorded position") {
  for (const double deform_um : {20.0, 40.0}) {
    CAPTURE(deform_um);
    const Well well = make_well({.seed = 27, .deform_um = deform_um, .wave_um = 4000.0});
    const Placement p = place(well.tiles, well.nuclei);
    check_places(well, p, 0.4);
    for (const PlacedTile& t : p.tiles) CHECK(t.status != TileStatus::position_wrong);
  }
}

TEST_CASE("10x tiles are not torn apart by the few 40x tiles that were taken of torn tissue") {
  // Those tie 10x tiles to each other 85 um off, farther than positions are searched.
  for (const std::uint64_t seed : {33U, 34U}) {
    CAPTURE(seed);
    const Well moved = make_well({.seed = seed,
                                  .radius_um = 1300.0,
                                  .ten_px = 1024.0,
                                  .torn_um = 85.0,
                                  .torn_radius_um = 300.0,
                                  .cover = 0.2});
    const Placement p = place(moved.tiles, moved.nuclei);
    REQUIRE_MESSAGE(p.matched, p.reason);
    CHECK(place_error(moved, Side::ten, made::centres(p)).rms_um < 0.15);
    for (std::size_t t = 0; t < p.tiles.size(); ++t)
      if (moved.tiles[t].side == Side::ten) CHECK(p.tiles[t].status == TileStatus::ok);
  }
}

TEST_CASE("of tiles that are not placed and contradict each other none is blamed") {
  Well well = make_well({.seed = 34});
  const std::uint32_t like = inner_tiles(well).front();
  const std::size_t first = well.tiles.size();
  RandomStream random(5, 0, 0, Purpose::positions);
  for (int k = 0; k < 3; ++k) {  // far from all others, one upon the other
    well.tiles.push_back(well.tiles[like]);
    well.tiles.back().stage_um = Point{2500.0 + 3.0 * k, 1800.0};
    well.nuclei.push_back(well.nuclei[like]);
    for (std::size_t i = 0; i < well.nuclei.back().size(); ++i) {
      well.nuclei.back().px.x[i] = random.uniform(0.0, 1399.0);
      well.nuclei.back().px.y[i] = random.uniform(0.0, 1399.0);
    }
    well.centre_um.push_back(well.centre_um[like]);
    well.identity.emplace_back();
  }
  const Placement p = place(well.tiles, well.nuclei);
  REQUIRE_MESSAGE(p.matched, p.reason);
  for (std::size_t t = first; t < p.tiles.size(); ++t)
    CHECK(p.tiles[t].status == TileStatus::not_placed);
}

TEST_CASE("two wells do not match, and the reason is given") {
  const Well one = make_well({.seed = 27, .radius_um = 500.0});
  const Well two = make_well({.seed = 28, .radius_um = 500.0});
  std::vector<WellTile> tiles;
  std::vector<TileNuclei> nuclei;
  for (std::size_t t = 0; t < one.tiles.size(); ++t)
    if (one.tiles[t].side == Side::ten) {
      tiles.push_back(one.tiles[t]);
      nuclei.push_back(one.nuclei[t]);
    }
  for (std::size_t t = 0; t < two.tiles.size(); ++t)
    if (two.tiles[t].side == Side::forty) {
      tiles.push_back(two.tiles[t]);
      nuclei.push_back(two.nuclei[t]);
    }
  const Placement p = place(tiles, nuclei);
  CHECK_FALSE(p.matched);
  CHECK(p.reason.find("nothing shows that the sides have nuclei in common") != std::string::npos);
  REQUIRE(p.tiles.size() == tiles.size());
  for (const PlacedTile& t : p.tiles) CHECK(std::isnan(t.centre_um[0]));
}

// Tiles at the rim of the other side's field, which alone can find their partners.
TEST_CASE("one 10x tile of a well, or two at 40x, are found wherever they lie") {
  for (const bool with_stage : {true, false}) {
    const Well well =
        make_well({.seed = 31, .radius_um = 1100.0, .ten_px = 450.0, .with_stage = with_stage});
    std::vector<std::uint32_t> tens, forties;
    for (std::uint32_t t = 0; t < well.tiles.size(); ++t)
      if (well.nuclei[t].size() > 150)
        (well.tiles[t].side == Side::ten ? tens : forties).push_back(t);
    const auto placed = [&](const std::vector<std::uint32_t>& of) {
      std::vector<WellTile> tiles;
      std::vector<TileNuclei> nuclei;
      for (const std::uint32_t t : of) {
        tiles.push_back(well.tiles[t]);
        nuclei.push_back(well.nuclei[t]);
      }
      const Placement p = place(tiles, nuclei);
      CAPTURE(with_stage);
      CAPTURE(of.front());
      CHECK_MESSAGE(p.matched, p.reason);
      return std::ranges::count_if(
          p.tiles, [](const PlacedTile& t) { return std::isfinite(t.centre_um[0]); });
    };
    REQUIRE(tens.size() >= 5);
    for (const std::uint32_t ten : {tens.front(), tens.back()}) {
      std::vector<std::uint32_t> some = forties;
      some.insert(some.begin(), ten);
      CHECK(placed(some) > 2);
    }
    std::vector<std::uint32_t> some = tens;
    some.insert(some.end(), {forties[forties.size() / 2], forties[forties.size() / 2 + 1]});
    CHECK(placed(some) > 2);
  }
}

TEST_CASE("a part of a well is found at any magnification where pixel sizes are not told") {
  for (const double magnification : {2.0, 6.0}) {
    Well well = make_well({.seed = 31,
                           .radius_um = 700.0,
                           .ten_px = 450.0,
                           .forty_px = 250.0 * magnification,
                           .magnification = magnification,
                           .noise_forty_px = 0.2 * magnification});
    for (WellTile& t : well.tiles) t.pixel_um.reset();
    std::vector<WellTile> tiles;
    std::vector<TileNuclei> nuclei;
    for (std::uint32_t t = 0; t < well.tiles.size(); ++t)
      if (well.tiles[t].side == Side::forty || tiles.size() < 2) {
        tiles.push_back(well.tiles[t]);
        nuclei.push_back(well.nuclei[t]);
      }
    CAPTURE(magnification);
    const Placement p = place(tiles, nuclei);
    CHECK_MESSAGE(p.matched, p.reason);
  }
}

TEST_CASE("what matches as it was expected is no cause of no match, also if it is found late") {
  std::vector<WellTile> tiles(2);
  tiles[0].side = Side::ten;
  tiles[1].side = Side::forty;
  for (WellTile& t : tiles) t.width_px = t.height_px = 1000.0;
  tiles[0].pixel_um = 0.64;
  tiles[1].pixel_um = 0.16;
  const auto summary = [](double count, double spacing_px) {
    PlaceResult out(6 + own_gates.size());
    out[0] = count;
    out[1] = spacing_px;
    return out;
  };
  const auto found_exchanged = [&](double forty_per_ten) {
    PlacerState state(tiles, {});
    state.take_summaries({summary(500.0, 10.0), summary(300.0, 40.0)});
    state.phase = PlacerState::Phase::causes;
    state.pass = 1;
    state.take_causes({{1.0, forty_per_ten, 0.0, 0.0, forty_per_ten, 200.0, -300.0, 0.4, 0.0}});
    return state;
  };
  PlacerState state = found_exchanged(4.0);
  CHECK(state.matched);
  CHECK(state.phase == PlacerState::Phase::lookups);
  CHECK(state.model.camera[1][0] == doctest::Approx(0.16));
  CHECK(found_exchanged(1.0 / 7.0).reason.find("sides exchanged") != std::string::npos);
}

namespace {

Well well_of_islands() {
  return make_well({.seed = 41,
                    .radius_um = 1100.0,
                    .ten_px = 600.0,
                    .overlap = 0.0,
                    .deform_um = 10.0,
                    .wave_um = 2600.0,
                    .with_stage = false});
}

// Positions of each nucleus that a side shows in an island; 0: the well.
std::map<std::uint32_t, Point> shown_in(const Well& well, const Placement& p, std::int32_t island,
                                        Side side) {
  std::map<std::uint32_t, Point> out;
  for (std::uint32_t t = 0; t < well.tiles.size(); ++t) {
    if (well.tiles[t].side != side || p.tiles[t].island != island) continue;
    const WellMap& map = island == 0 ? p.map : p.islands.at(static_cast<std::size_t>(island - 1));
    if (!map.placed(t)) continue;
    const Points um = map.to_well(t, well.nuclei[t].px);
    for (std::size_t i = 0; i < um.size(); ++i) out[well.identity[t][i]] = {um.x[i], um.y[i]};
  }
  return out;
}

}  // namespace

TEST_CASE("islands lie beside the well and each other, and their nuclei on each other") {
  const Well well = well_of_islands();
  const Placement p = place(well.tiles, well.nuclei);
  REQUIRE_MESSAGE(p.matched, p.reason);
  REQUIRE(p.islands.size() >= 4);
  CHECK(std::ranges::any_of(p.links, [&](const Link& l) {
    return l.used && p.tiles[l.tile_a].island > 0 && p.tiles[l.tile_b].links > 0;
  }));
  std::vector<double> apart;
  double right = -1e300;
  for (std::int32_t k = 0; k <= static_cast<std::int32_t>(p.islands.size()); ++k) {
    const auto ten = shown_in(well, p, k, Side::ten), forty = shown_in(well, p, k, Side::forty);
    if (ten.empty() || forty.empty()) continue;
    double low = 1e300, high = -1e300;
    for (const auto* side : {&ten, &forty})
      for (const auto& [nucleus, at] : *side) {
        low = std::min(low, at[0]);
        high = std::max(high, at[0]);
      }
    CAPTURE(k);
    CHECK(low > right + 50.0);
    right = high;
    if (k == 0) continue;
    for (const auto& [nucleus, at] : ten)
      if (const auto other = forty.find(nucleus); other != forty.end())
        apart.push_back(std::hypot(at[0] - other->second[0], at[1] - other->second[1]));
  }
  REQUIRE(apart.size() > 1000);
  std::ranges::sort(apart);
  CHECK(apart[apart.size() / 2] < 1.0);
  CHECK(apart[apart.size() * 98 / 100] < 4.0);
  for (const PlacedTile& t : p.tiles)
    if (t.island > 0) {
      CHECK(std::isnan(t.centre_um[0]));
      CHECK(t.status == TileStatus::not_placed);
    }
}

TEST_CASE("islands, which nothing ties to the well, do not bend it") {
  const Well well = well_of_islands();
  const Placement p = place(well.tiles, well.nuclei);
  const auto of_island = [&](auto&& which) {
    return std::ranges::count_if(p.tiles, [&](const PlacedTile& t) { return which(t.island); });
  };
  CHECK(of_island([](int island) { return island > 0; }) > 20);
  CHECK(of_island([](int island) { return island == 0; }) > 50);
  check_places(well, p, 0.4);
}

TEST_CASE("a tile is placed by the links that it has, and by nothing else") {
  std::size_t placed = 0;
  for (std::uint64_t seed = 41; seed < 44; ++seed) {
    const Well well = make_well({.seed = seed,
                                 .spacing_um = 22.0,
                                 .forty_px = 720.0,
                                 .overlap = 0.02,
                                 .noise_forty_px = 2.0,
                                 .deform_um = 6.0});
    const Placement p = place(well.tiles, well.nuclei);
    REQUIRE(p.matched);
    for (const PlacedTile& t : p.tiles) {
      if (!std::isfinite(t.centre_um[0])) continue;
      ++placed;
      CHECK(t.links > 0);
      CHECK(t.centre_sd_um < 5.0);
    }
  }
  CHECK(placed > 100);
}

TEST_CASE("a side without nuclei does not match") {
  Well well = make_well({.seed = 29, .radius_um = 400.0});
  for (std::size_t t = 0; t < well.tiles.size(); ++t)
    if (well.tiles[t].side == Side::forty) well.nuclei[t] = {};
  const Placement p = place(well.tiles, well.nuclei);
  CHECK_FALSE(p.matched);
  CHECK(p.reason.find("40x") != std::string::npos);
}

TEST_CASE("a link of tiles of other places is refused, however significant") {
  const PlacerState state({}, {});
  LinkResult chance;  // seen in a well of 1,614 tiles, 2.6 mm from the place of one
  chance.pairs = 186;
  chance.common_a = 979;
  chance.common_b = 1016;
  chance.log10_significance = -13.95;
  chance.runner_up = 0.763;
  CHECK_FALSE(state.accepted(chance));
  LinkResult blurred = chance;  // half of the nuclei of one are not seen
  blurred.pairs = 380;
  CHECK(state.accepted(blurred));
}

TEST_CASE("a weak link that a good stage contradicts is dropped, a strong one is not") {
  const auto left = [](double log10_significance, double off_um) {
    std::vector<WellTile> tiles(2);
    tiles[1].side = Side::forty;
    for (WellTile& t : tiles) {
      t.width_px = t.height_px = 1000.0;
      t.stage_um = Point{0.0, 0.0};
    }
    PlacerState state(tiles, {});
    state.component = {0, 0};
    state.model.centre_um = {Point{0.0, 0.0}, Point{off_um, 0.0}};
    for (StageFit& s : state.stage) s.found = s.lays_tiles = true;
    LinkResult link;  // seen in a well of 416 tiles: 7 pairs of 19 nuclei, 2 mm from its place
    link.tile_a = 0;
    link.tile_b = 1;
    link.log10_significance = log10_significance;
    state.links = {link};
    state.drop_doubtful();
    CHECK((state.component[1] == 0) == !state.links.empty());
    return state.links.size();
  };
  CHECK(left(-8.2, 2055.0) == 0);
  CHECK(left(-8.2, 20.0) == 1);
  CHECK(left(-31.6, 2055.0) == 1);
}
