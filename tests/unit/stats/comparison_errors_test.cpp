// How often the verdict declares a difference that there is not, and misses one that there is.
#include <doctest/doctest.h>

#include "nucreg/stats/comparison.hpp"
#include "support/verdict_simulation.hpp"

using namespace nucreg;

namespace {

const PairStatistics& whole_pair(const Comparison& comparison) {
  return comparison.wholes()[0].pairs.at(0);
}

}  // namespace

// The long form, with more cases: tools/bench/verdict.
TEST_CASE("one solver under two names is declared different in at most 5 % of runs") {
  int declared = 0;
  for (std::uint32_t run = 0; run < 400; ++run)
    declared += simulation::declares(
        simulation::judge({.configurations = 4, .trials = 10, .failures = 0.02}, run));
  CHECK(declared <= 20);
}

TEST_CASE("regions of two axes add no false verdicts") {
  int declared = 0;
  for (std::uint32_t run = 0; run < 400; ++run)
    declared += simulation::declares(simulation::judge(
        {.configurations = 12, .trials = 10, .failures = 0.02, .layouts = 3}, run));
  CHECK(declared <= 20);
}

TEST_CASE("a true difference of 10 % is found at 100 trials in at least 90 % of runs") {
  int found = 0, wrong = 0;
  for (std::uint32_t run = 0; run < 100; ++run) {
    const Comparison c =
        simulation::judge({.configurations = 2, .trials = 50, .slowdown = 1.1}, run);
    found += whole_pair(c).faster == Side::a;
    wrong += whole_pair(c).faster == Side::b;
  }
  CHECK(found >= 90);
  CHECK(wrong == 0);
}

// The best test there is would find 97 %, signed ranks alone 91 %.
TEST_CASE("a true difference of 10 % is found in most runs on a noisier machine, too") {
  int found = 0;
  for (std::uint32_t run = 0; run < 2000; ++run)
    found += whole_pair(simulation::judge({.slowdown = 1.1, .noise = 0.15, .spikes = 0.05}, run))
                 .faster == Side::a;
  CHECK(found >= 1760);
}

TEST_CASE(
    "a solver that arrives in 80 % is distinguished from one that arrives in 90 % at 400 trials") {
  int found = 0, wrong = 0;
  for (std::uint32_t run = 0; run < 100; ++run) {
    const Comparison c = simulation::judge(
        {.configurations = 1, .trials = 400, .arrives = 0.9, .arrives_1 = 0.8}, run);
    found += whole_pair(c).arrives == Side::a;
    wrong += whole_pair(c).arrives == Side::b;
  }
  CHECK(found >= 90);
  CHECK(wrong == 0);
}
