// Map files: what they may hold, and what a wrong one is answered with.
#include <doctest/doctest.h>

#include <optional>

#include "nucreg/job/map.hpp"

using namespace nucreg;

namespace {

const std::string least = "[map]\nten = \"ten.csv\"\nforty = [\"a.csv\", \"b\"]\n";

std::optional<JobError> map_error_of(const std::string& text,
                                     const std::vector<std::string>& overrides = {}) {
  try {
    (void)parse_map_text(text, "map.toml", overrides);
  } catch (const JobError& error) {
    return error;
  }
  return std::nullopt;
}

void check(const std::string& text, int line, const std::string& key, const std::string& problem) {
  CAPTURE(text);
  const auto error = map_error_of(text);
  REQUIRE(error);
  CHECK(error->status() == ExitStatus::usage);
  CHECK(error->fields().file == "map.toml");
  CHECK(error->fields().line == line);
  CHECK(error->fields().key == key);
  CHECK(error->problem() == problem);
  CHECK(!error->fields().allowed.empty());
}

}  // namespace

TEST_CASE("the least map file has defaults for all else") {
  const MapJob map = parse_map_text(least);
  CHECK(map.map.ten == std::vector<std::string>{"ten.csv"});
  CHECK(map.map.forty == std::vector<std::string>{"a.csv", "b"});
  CHECK(map.map.name.empty());
  CHECK(map.map.wells.empty());
  CHECK(map.images == MapImages{});
  CHECK(map.place == MapPlace{});
  CHECK(map.fit == MapFit{});
}

TEST_CASE("a map file that was echoed reads back as itself") {
  const MapJob map = parse_map_text(
      least +
      "name = \"plate-1\"\nwells = [\"A1\", \"B 2\"]\nseed = 7\n[images]\nchannel_10x = \"DAPI\"\n"
      "diameter_40x_px = 43.5\n[place]\nstage = false\npixel_10x_um = 0.65\n"
      "magnification = [3, 5]\n[fit]\ncompare_solvers = true\n[run]\nmonitor_seconds = 2.5\n");
  const MapJob again = parse_map_text(to_toml(map));
  CHECK(again.map == map.map);
  CHECK(again.images == map.images);
  CHECK(again.place == map.place);
  CHECK(again.fit == map.fit);
  CHECK(again.run == map.run);
  CHECK(to_toml(again) == to_toml(map));
}

TEST_CASE("two inputs on the command line are a map file, with quotes and all") {
  const MapJob map = map_of_inputs("a \"b\"\\c*.tif", "forty.csv", {"place.stage=false"});
  CHECK(map.map.ten == std::vector<std::string>{"a \"b\"\\c*.tif"});
  CHECK(!map.place.stage);
}

TEST_CASE("wrong map files are refused with file, line, key and what is allowed") {
  check("[map]\nforty = \"b\"\n", 1, "map.ten", "is missing");
  check("", 0, "map.ten", "is missing");
  check(least + "tens = 1\n", 4, "map.tens", "unknown key (did you mean \"ten\"?)");
  check(least + "[job]\n", 4, "job", "unknown key");
  check(least + "[place]\nstage = 1\n", 5, "place.stage", "wrong type (integer)");
  check(least + "[place]\npixel_10x_um = 0\n", 5, "place.pixel_10x_um", "0 is out of range");
  check(least + "[place]\nmagnification = [5, 3]\n", 5, "place.magnification", "5 and 3");
  check(least + "[place]\nmagnification = [0, 3]\n", 5, "place.magnification", "0 and 3");
  check(least + "[place]\nmagnification = [nan, 3]\n", 5, "place.magnification",
        "not a finite number");
  check(least + "[fit]\ncompare_solver = true\n", 5, "fit.compare_solver",
        "unknown key (did you mean \"compare_solvers\"?)");
  check("[map]\nten = []\nforty = \"b\"\n", 2, "map.ten", "empty list");
  check("[map]\nten = [\"a\", \"a\"]\nforty = \"b\"\n", 2, "map.ten", "\"a\" is twice in the list");
  CHECK(map_error_of(least, {"map.seed=-1"})->fields().file == "--set map.seed=-1");
}

TEST_CASE("each key is in the reference") {
  const std::string text = map_reference();
  for (const char* key : {"map.ten", "map.forty", "images.diameter_40x_px", "place.magnification",
                          "fit.compare_solvers", "run.monitor_seconds"})
    CHECK(text.find("`" + std::string(key) + "`") != std::string::npos);
}
