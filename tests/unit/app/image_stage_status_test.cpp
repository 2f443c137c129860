// What is told of a run while it looks into images.
#include <doctest/doctest.h>

#include "nucreg/app/run_status.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/app/watch_text.hpp"

using namespace nucreg;

TEST_CASE("a run that finds nuclei is told by its tiles, not by trials") {
  RunStatus status{.job = "screen",
                   .resume = "nucreg run screen.toml --resume",
                   .doing = "finding nuclei",
                   .counting = "tile",
                   .elapsed_s = 6.0,
                   .done = 12,
                   .total = 96,
                   .ranks = rank_statuses({{.rank = 0, .host = "one", .pid = 7}, {.rank = 1}})};
  status.ranks[0].now.heard = true;
  status.ranks[0].now.task = 13;
  const RunStatus read = RunStatus::parse(status.text());
  CHECK(read.counting == "tile");
  const std::string text = watch_text(read, 0.0, 200, 10);
  CAPTURE(text);
  for (const char* part : {"screen: finding nuclei for 6.0 s on 2 ranks\n", "12 of 96 tiles\n",
                           "42.0 s left of this stage\n", " tile 13 ", " tiles  host\n"})
    CHECK(text.find(part) != std::string::npos);
  for (const char* part : {"trial", "solve"}) CHECK(text.find(part) == std::string::npos);
  CHECK(read.ranks[1].host == "?");
}

TEST_CASE("a line of a stage says what, how much of it, and how long still") {
  CHECK(stage_text("finding nuclei", "tile", {0, 1, 3.0}) == "finding nuclei: 0 of 1 tile");
  CHECK(stage_text("matching tiles", "pair", {500, 2000, 10.0}) ==
        "matching tiles: 500 of 2,000 pairs, 30.0 s left");
  CHECK(stage_text("matching tiles", "pair", {3, 3, 10.0}) ==
        "matching tiles: 3 of 3 pairs, took 10.0 s");
}
