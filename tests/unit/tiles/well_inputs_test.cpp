// What the user names becomes a list of tiles for each well.
#include "nucreg/tiles/well_inputs.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <optional>
#include <string>

#include "nucreg/core/error.hpp"
#include "support/scratch.hpp"

using namespace nucreg;

namespace {

class Inputs {
 public:
  void write(const std::string& name, const std::string& text) {
    const auto path = scratch_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  void table(const std::string& name) { write(name, "label,x,y\n1,2,3\n"); }
  [[nodiscard]] std::string path(const std::string& name) const {
    return (scratch_ / name).string();
  }
  [[nodiscard]] MapJob map(const std::string& ten, const std::string& forty,
                           const std::vector<std::string>& set = {}) const {
    return map_of_inputs(path(ten), path(forty), set);
  }
  [[nodiscard]] ListedWells list(const std::string& ten, const std::string& forty,
                                 const std::vector<std::string>& set = {}) const {
    return list_wells(map(ten, forty, set));
  }
  [[nodiscard]] std::optional<Error> error(const std::string& ten, const std::string& forty,
                                           const std::vector<std::string>& set = {}) const {
    try {
      (void)list(ten, forty, set);
    } catch (const Error& e) {
      return e;
    }
    return std::nullopt;
  }

 private:
  Scratch scratch_;
};

}  // namespace

TEST_CASE("sheets, globs and single tables give tiles, 10x first") {
  Inputs inputs;
  for (const char* name : {"ten/a.csv", "forty/1.csv", "forty/2.csv"}) inputs.table(name);
  inputs.write("ten.csv", "file,tile,x_um,y_um,pixel_um\nten/a.csv,5,10,20,0.65\n");
  const ListedWells listed = inputs.list("ten.csv", "forty/*.csv");
  REQUIRE(listed.wells.size() == 1);
  const auto& tiles = listed.wells[0].tiles;
  REQUIRE(tiles.size() == 3);
  CHECK(tiles[0].side == mosaic::Side::ten);
  CHECK(tiles[0].tile == "5");
  CHECK(tiles[0].x_um == 10.0);
  CHECK(tiles[0].pixel_um == 0.65);
  CHECK(tiles[0].line == 2);
  CHECK(tiles[0].title() == "10x tile 5");
  CHECK(tiles[1].side == mosaic::Side::forty);
  CHECK(tiles[1].tile == "1");
  CHECK(!tiles[1].x_um);
  CHECK(tiles[2].tile == "2");
  // What the map file says of a pixel comes before what the sheet says.
  CHECK(inputs.list("ten.csv", "forty/1.csv", {"place.pixel_10x_um=0.7"})
            .wells[0]
            .tiles[0]
            .pixel_um == 0.7);
}

TEST_CASE("names that only folders tell apart become paths") {
  Inputs inputs;
  for (const char* name : {"a/1.csv", "b/1.csv", "f.csv"}) inputs.table(name);
  const auto tiles = inputs.list("*/1.csv", "f.csv").wells[0].tiles;
  REQUIRE(tiles.size() == 3);
  CHECK(tiles[0].tile == inputs.path("a/1.csv"));
  CHECK(tiles[1].tile == inputs.path("b/1.csv"));
}

TEST_CASE("wells are kept apart, and those at one side only are left out") {
  Inputs inputs;
  for (const char* name : {"1.csv", "2.csv", "3.csv", "4.csv"}) inputs.table(name);
  inputs.write("ten.csv", "file,tile,well\n1.csv,1,A1\n2.csv,1,A2\n3.csv,1,B1\n");
  inputs.write("forty.csv", "file,tile,well\n3.csv,1,A2\n4.csv,2,A2\n1.csv,1,A1\n2.csv,1,C9\n");
  const ListedWells listed = inputs.list("ten.csv", "forty.csv");
  REQUIRE(listed.wells.size() == 2);
  CHECK(listed.wells[0].well == "A1");
  CHECK(listed.wells[0].tiles.size() == 2);
  CHECK(listed.wells[1].well == "A2");
  CHECK(listed.wells[1].tiles.size() == 3);
  CHECK(listed.wells[1].tiles[0].title() == "well A2, 10x tile 1");
  REQUIRE(listed.notes.size() == 1);
  CHECK(listed.notes[0] == "wells with tiles at one side only are left out: B1, C9");
  CHECK(inputs.list("ten.csv", "forty.csv", {"map.wells=[\"A2\"]"}).wells.size() == 1);
  const auto missing = inputs.error("ten.csv", "forty.csv", {"map.wells=[\"B1\"]"});
  REQUIRE(missing);
  CHECK(missing->status() == ExitStatus::usage);
  CHECK(missing->problem() == "there is no well \"B1\" at 40x");
  CHECK(missing->fields().allowed == "A2, A1, C9");
}

TEST_CASE("a side that names no well takes the name of the other") {
  Inputs inputs;
  for (const char* name : {"1.csv", "2.csv"}) inputs.table(name);
  inputs.write("ten.csv", "file,tile,well\n1.csv,1,A1\n");
  const ListedWells listed = inputs.list("ten.csv", "2.csv");
  REQUIRE(listed.wells.size() == 1);
  CHECK(listed.wells[0].well == "A1");
}

TEST_CASE("one long table gives a tile for each value of its column") {
  Inputs inputs;
  inputs.write("ten.csv", "well,tile,label,x,y\nA,1,1,0,0\nA,2,1,5,5\nA,1,2,1,1\nB,1,1,2,2\n");
  inputs.write("forty.csv", "well,tile,label,x,y\nA,7,1,0,0\nB,8,1,5,5\n");
  const ListedWells listed = inputs.list("ten.csv", "forty.csv");
  REQUIRE(listed.wells.size() == 2);
  REQUIRE(listed.wells[0].tiles.size() == 3);
  CHECK(listed.wells[0].tiles[0].tile == "1");
  CHECK(listed.wells[0].tiles[1].tile == "2");
  CHECK(listed.wells[0].tiles[0].part_of_table);
  CHECK(listed.wells[0].tiles[2].tile == "7");
}

TEST_CASE("an image that cannot be opened is a tile that cannot be read") {
  Inputs inputs;
  inputs.write("a.tif", "no image");
  inputs.table("b.csv");
  const auto tiles = inputs.list("a.tif", "b.csv").wells[0].tiles;
  CHECK(tiles[0].unreadable.find("a.tif") != std::string::npos);
  CHECK(tiles[1].unreadable.empty());
}

TEST_CASE("wrong inputs are refused with file, line and what is allowed") {
  Inputs inputs;
  inputs.table("a.csv");
  std::filesystem::create_directory(inputs.path("empty"));
  const auto check = [&](const std::string& ten, const std::string& forty,
                         const std::string& problem) {
    CAPTURE(problem);
    const auto error = inputs.error(ten, forty);
    REQUIRE(error);
    CHECK(error->status() == ExitStatus::input);
    CHECK(std::string(error->what()).find(problem) != std::string::npos);
    CHECK(!error->fields().allowed.empty());
  };
  check("no-*.csv", "a.csv", "matches no file");
  check("a.csv", "empty", "holds no tables with their label images");
  inputs.write("sheet.csv", "file,tile\n");
  check("sheet.csv", "a.csv", "lists no tiles");
  inputs.write("ten.csv", "file,well\na.csv,A\n");
  inputs.write("forty.csv", "file,well\na.csv,B\n");
  check("ten.csv", "forty.csv", "no well has tiles at both sides: 10x has A, 40x has B");
}
