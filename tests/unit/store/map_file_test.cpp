#include "nucreg/store/map_file.hpp"
#include "nucreg/core/bytes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

#include "nucreg/core/error.hpp"
#include "support/sample_map.hpp"
#include "support/scratch.hpp"

using namespace nucreg;

namespace {

template <class T>
bool same_all_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

void check_same(const MapNuclei& a, const MapNuclei& b) {
  CHECK(same_all_bits(a.tile, b.tile));
  CHECK(same_all_bits(a.label, b.label));
  CHECK(same_all_bits(a.px.x, b.px.x));
  CHECK(same_all_bits(a.px.y, b.px.y));
  CHECK(same_all_bits(a.um.x, b.um.x));
  CHECK(same_all_bits(a.um.y, b.um.y));
  CHECK(same_all_bits(a.object, b.object));
  CHECK(same_all_bits(a.representative, b.representative));
  CHECK(same_all_bits(a.unpaired, b.unpaired));
  CHECK(same_all_bits(a.flag, b.flag));
}

void check_same(const MapTile& a, const MapTile& b) {
  CHECK(a.given.side == b.given.side);
  CHECK(a.given.name == b.given.name);
  CHECK(a.given.width_px == b.given.width_px);
  CHECK(a.given.height_px == b.given.height_px);
  CHECK(a.given.pixel_um == b.given.pixel_um);
  CHECK(a.given.stage_um == b.given.stage_um);
  for (std::size_t i = 0; i < 2; ++i)
    CHECK(same_bits(a.placed.centre_um[i], b.placed.centre_um[i]));
  CHECK(same_bits(a.placed.centre_sd_um, b.placed.centre_sd_um));
  for (std::size_t i = 0; i < 6; ++i) CHECK(same_bits(a.placed.to_well[i], b.placed.to_well[i]));
  CHECK(a.placed.links == b.placed.links);
  CHECK(a.placed.island == b.placed.island);
  CHECK(a.placed.status == b.placed.status);
  CHECK(a.placed.message == b.placed.message);
  CHECK(a.well == b.well);
  CHECK(a.file == b.file);
  CHECK(a.nuclei == b.nuclei);
  CHECK(same_bits(a.match_rate, b.match_rate));
}

std::string refusal(const std::filesystem::path& file) {
  try {
    (void)read_map(file);
  } catch (const InputError& error) {
    CHECK(error.fields().file == file.string());
    return error.what();
  }
  return {};
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a map comes back as it was written") {
  const Scratch scratch;
  WellMap map = sample::MapMaker().make();
  map.tiles[1].given.pixel_um.reset();
  map.tiles[2].given.stage_um.reset();
  map.tiles[3].file = "M\u00fcller, \"x\"\n<b>.csv";
  map.models[0].message = "no such thing";
  write_map(scratch / "m.h5", map, false);
  CHECK(scratch.names() == std::vector<std::string>{"m.h5"});
  CHECK(format_of(scratch / "m.h5") == map_format);

  const WellMap read = read_map(scratch / "m.h5");
  REQUIRE(read.tiles.size() == map.tiles.size());
  for (std::size_t i = 0; i < map.tiles.size(); ++i) check_same(read.tiles[i], map.tiles[i]);
  REQUIRE(read.links.size() == map.links.size());
  for (std::size_t i = 0; i < map.links.size(); ++i) {
    CHECK(read.links[i].tile_a == map.links[i].tile_a);
    CHECK(read.links[i].tile_b == map.links[i].tile_b);
    CHECK(read.links[i].pairs == map.links[i].pairs);
    CHECK(read.links[i].log10_significance == map.links[i].log10_significance);
    CHECK(read.links[i].residual_um == map.links[i].residual_um);
    CHECK(read.links[i].closure_um == map.links[i].closure_um);
    CHECK(read.links[i].used == map.links[i].used);
  }
  check_same(read.ten, map.ten);
  check_same(read.forty, map.forty);
  REQUIRE(read.pairs.size() == map.pairs.size());
  for (std::size_t i = 0; i < map.pairs.size(); ++i)
    CHECK(std::memcmp(&read.pairs[i], &map.pairs[i], sizeof(MapPair)) == 0);
  REQUIRE(read.models.size() == 1);
  const MapModel &a = read.models[0], &b = map.models[0];
  CHECK(a.well == b.well);
  CHECK(a.matched == b.matched);
  CHECK(a.message == b.message);
  CHECK(a.forty.camera.um_per_px == b.forty.camera.um_per_px);
  CHECK(a.forty.camera.k1 == b.forty.camera.k1);
  CHECK(a.ten.camera.noise_um == b.ten.camera.noise_um);
  CHECK(a.forty_to_well == b.forty_to_well);
  CHECK(a.deformation == b.deformation);
  CHECK(a.solver == b.solver);
  CHECK(a.evaluations == b.evaluations);
  CHECK(a.objective == b.objective);
  REQUIRE(read.knots.size() == 9);
  CHECK(read.knots[5].dy_um == map.knots[5].dy_um);
  REQUIRE(read.decoys.size() == 3);
  CHECK(read.decoys[1].pairs == map.decoys[1].pairs);
  CHECK(read.decoys[1].decoy_pairs == map.decoys[1].decoy_pairs);
  CHECK(read.solvers.get<std::string>("name") == map.solvers.get<std::string>("name"));
  REQUIRE(read.trials.size() == 2);
  CHECK(read.trials[1].function_evaluations == 7);
  CHECK(read.trials[0].wall_seconds == 0.08);
  CHECK(read.attributes.get<std::string>("status") == "complete");
}

TEST_CASE("a map with nothing in it comes back, too") {
  const Scratch scratch;
  WellMap nothing;
  nothing.models.push_back({.matched = false, .message = "There are no tiles."});
  write_map(scratch / "m.h5", nothing, false);
  const WellMap read = read_map(scratch / "m.h5");
  CHECK(read.tiles.empty());
  CHECK(read.pairs.empty());
  CHECK(read.ten.size() == 0);
  CHECK(read.models.at(0).message == "There are no tiles.");
  CHECK_FALSE(read.models.at(0).matched);
}

TEST_CASE("many detections take more chunks than one") {
  const Scratch scratch;
  const WellMap map = sample::MapMaker(3000.0).make();
  REQUIRE(map.forty.size() > 32768);
  REQUIRE(map.pairs.size() > 16384);
  write_map(scratch / "m.h5", map, false);
  const WellMap read = read_map(scratch / "m.h5");
  check_same(read.forty, map.forty);
  for (std::size_t i = 0; i < map.pairs.size(); ++i)
    REQUIRE(std::memcmp(&read.pairs[i], &map.pairs[i], sizeof(MapPair)) == 0);
}

TEST_CASE("columns of detections that come tile by tile are written as if the map had them") {
  const Scratch scratch;
  const WellMap map = sample::MapMaker(4200.0).make();
  WellMap partial = map;
  for (MapNuclei* nuclei : {&partial.ten, &partial.forty}) {
    nuclei->label.clear();
    nuclei->px = nuclei->um = {};
  }
  std::size_t most = 0;
  const ColumnsOfTile more = [&](std::uint32_t tile) {
    const bool of_ten = map.tiles[tile].given.side == mosaic::Side::ten;
    const MapNuclei& all = of_ten ? map.ten : map.forty;
    const auto [first, last] = std::equal_range(all.tile.begin(), all.tile.end(), tile);
    const auto offset = first - all.tile.begin(), rows = last - first;
    const auto part = [&](const auto& column) {
      return std::vector(column.begin() + offset, column.begin() + offset + rows);
    };
    most = std::max(most, static_cast<std::size_t>(rows));
    return MapNuclei{.label = part(all.label),
                     .px = {part(all.px.x), part(all.px.y)},
                     .um = {part(all.um.x), part(all.um.y)}};
  };
  write_map(scratch / "m.h5", partial, false, more);
  CHECK(most > 16384);  // more than a chunk
  const WellMap read = read_map(scratch / "m.h5");
  check_same(read.ten, map.ten);
  check_same(read.forty, map.forty);

  const ColumnsOfTile too_few = [&](std::uint32_t tile) {
    MapNuclei part = more(tile);
    part.um.y.pop_back();
    return part;
  };
  for (const ColumnsOfTile& asked : {too_few, ColumnsOfTile()}) {
    try {
      write_map(scratch / "bug.h5", partial, false, asked);
      FAIL("columns of unequal length were written");
    } catch (const Error& error) {
      CHECK(error.status() == ExitStatus::bug);
      CHECK(error.fields().key == (asked ? "/nuclei_10x/y_um" : "/nuclei_10x/label"));
    }
  }
  CHECK(scratch.names() == std::vector<std::string>{"m.h5"});
}

TEST_CASE("a map appears whole or not at all") {
  const Scratch scratch;
  WellMap map = sample::MapMaker(400.0).make();
  std::ofstream(scratch / "m.h5") << "precious";
  CHECK_THROWS_AS(write_map(scratch / "m.h5", map, false), OutputError);
  CHECK(std::filesystem::file_size(scratch / "m.h5") == 8);
  write_map(scratch / "m.h5", map, true);
  CHECK(format_of(scratch / "m.h5") == map_format);
  CHECK_THROWS_AS(write_map(scratch / "absent/m.h5", map, true), OutputError);

  map.ten.label.pop_back();
  try {
    write_map(scratch / "bug.h5", map, true);
    FAIL("columns of unequal length were written");
  } catch (const Error& error) {
    CHECK(error.status() == ExitStatus::bug);
    CHECK(error.fields().key == "/nuclei_10x/label");
  }
  CHECK(scratch.names() == std::vector<std::string>{"m.h5"});
}

TEST_CASE("a file of the other kind is recognised") {
  const Scratch scratch;
  ResultWriter(scratch / "run.h5", 0, 1).commit(false);
  CHECK(format_of(scratch / "run.h5") == result_format);
  CHECK(has(refusal(scratch / "run.h5"), "is the result of a run (nucreg run)"));

  write_map(scratch / "map.h5", sample::MapMaker(400.0).make(), false);
  try {
    const ResultReader reader(scratch / "map.h5");
    FAIL("a map was read as a run");
  } catch (const InputError& error) {
    CHECK(has(error.what(), "is the map of a well (nucreg map)"));
  }
  std::ofstream(scratch / "text.h5") << "no HDF5";
  CHECK(has(refusal(scratch / "text.h5"), "is not an HDF5 file"));
  CHECK(has(refusal(scratch / "absent.h5"), "no such file"));
}
