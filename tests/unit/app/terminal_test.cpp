// What the user sees during a run.
#include "nucreg/app/terminal.hpp"

#include <doctest/doctest.h>

using namespace nucreg;

TEST_CASE("watch counts tiles while nuclei are being found, not trials") {
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

TEST_CASE("watch shows no part of a run whose ranks still start") {
  const std::string text =
      watch_text({.job = "wide", .doing = "starting", .counting = "trial"}, 0.0, 200, 10);
  CAPTURE(text);
  CHECK(text.find("no trial is done yet") != std::string::npos);
  CHECK(text.find('%') == text.find("cpu %") + 4);
}

TEST_CASE("a line of a stage says what, how much of it, and how long still") {
  const auto text = [](const char* doing, const char* task, std::uint64_t done, std::uint64_t total,
                       double seconds, std::uint64_t earlier = 0) {
    return progress_text({.doing = doing,
                          .counting = task,
                          .elapsed_s = seconds,
                          .done = done,
                          .total = total,
                          .earlier = earlier});
  };
  CHECK(text("finding nuclei", "tile", 0, 1, 3.0) == "finding nuclei: 0 of 1 tile");
  CHECK(text("matching tiles", "pair", 500, 2000, 10.0) ==
        "matching tiles: 500 of 2,000 pairs, 30.0 s left");
  CHECK(text("matching tiles", "pair", 3, 3, 10.0) == "matching tiles: 3 of 3 pairs, took 10.0 s");
  // What earlier runs have done tells nothing of the speed of this one.
  CHECK(text("matching tiles", "pair", 1500, 2000, 10.0, 1000) ==
        "matching tiles: 1,500 of 2,000 pairs, 10.0 s left");
  CHECK(text("running", "trial", 1500, 2000, 10.0, 1000) ==
        " 75.0 %  1,500 of 2,000 trials  10.0 s left  50 solves/s");
  CHECK(text("running", "trial", 2000, 2000, 10.0) ==
        "100.0 %  2,000 of 2,000 trials  took 10.0 s  200 solves/s");
}
