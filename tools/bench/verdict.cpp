// How honest the verdict is: simulated runs whose truth is known, and what is declared of them.
#include <fmt/format.h>

#include <cstdlib>
#include <string>

#include "support/verdict_simulation.hpp"

namespace {

using namespace nucreg;
using simulation::Setting;

double percent(std::uint32_t part, std::uint32_t of) {
  return 100.0 * part / of;
}

/// Solvers that are one and the same under several names.
void same(const char* name, const Setting& setting, std::uint32_t runs) {
  std::uint32_t declared = 0, overall = 0, agreed = 0;
  for (std::uint32_t run = 0; run < runs; ++run) {
    const Comparison c = simulation::judge(setting, run);
    declared += simulation::declares(c);
    overall += c.wholes()[0].pairs[0].faster != Side::neither;
    agreed += c.wholes()[0].pairs[0].finding == SpeedFinding::same;
  }
  fmt::print("| {} | {} x {} | {} | {:.1f} % | {:.1f} % | {:.1f} % |\n", name,
             setting.configurations, setting.trials, setting.solvers, percent(declared, runs),
             percent(overall, runs), percent(agreed, runs));
}

/// Solver B is slower than A.
void different(const char* name, const Setting& setting, std::uint32_t runs) {
  std::uint32_t found = 0, wrong = 0, covered = 0;
  for (std::uint32_t run = 0; run < runs; ++run) {
    const Comparison c = simulation::judge(setting, run);
    const PairStatistics& pair = c.wholes()[0].pairs[0];
    found += pair.faster == Side::a;
    wrong += pair.faster == Side::b;
    const double truth = 1.0 / setting.slowdown;
    covered += pair.interval.low <= truth && truth <= pair.interval.high;
  }
  fmt::print("| {} | {} x {} | {} | {:.1f} % | {:.1f} % | {:.1f} % |\n", name,
             setting.configurations, setting.trials, setting.solvers, percent(found, runs),
             percent(wrong, runs), percent(covered, runs));
}

/// B arrives less often than A.
void arriving(const char* name, const Setting& setting, std::uint32_t runs) {
  std::uint32_t found = 0, wrong = 0;
  for (std::uint32_t run = 0; run < runs; ++run) {
    const PairStatistics& pair = simulation::judge(setting, run).wholes()[0].pairs[0];
    found += pair.arrives == Side::a;
    wrong += pair.arrives == Side::b;
  }
  fmt::print("| {} | {} x {} | {} | {:.1f} % | {:.1f} % | |\n", name, setting.configurations,
             setting.trials, setting.solvers, percent(found, runs), percent(wrong, runs));
}

/// B is slower than A in one half of the configurations and faster in the other.
void flipping(const char* name, const Setting& setting, std::uint32_t runs) {
  std::uint32_t found = 0, wrong = 0;
  for (std::uint32_t run = 0; run < runs; ++run) {
    const Comparison c = simulation::judge(setting, run);
    bool first = false, second = false;
    for (const Region& region : c.regions) {
      if (region.axis != "points") continue;
      first = first || region.pairs[0].faster == Side::a;
      second = second || region.pairs[0].faster == Side::b;
    }
    found += first && second;
    wrong += c.wholes()[0].pairs[0].faster != Side::neither;
  }
  fmt::print("| {} | {} x {} | {} | {:.1f} % | {:.1f} % | |\n", name, setting.configurations,
             setting.trials, setting.solvers, percent(found, runs), percent(wrong, runs));
}

/// B takes longer than A or less time, as two axes together say and neither does alone.
void crossing(const char* name, const Setting& setting, std::uint32_t runs) {
  std::uint32_t found = 0, wrong = 0;
  for (std::uint32_t run = 0; run < runs; ++run) {
    const Comparison c = simulation::judge(setting, run);
    std::uint32_t right = 0;
    bool one_axis = false;
    for (const Region& region : c.regions) {
      const bool declared = region.pairs[0].faster != Side::neither;
      if (region.axis_2 == "noise_px")
        right += declared;
      else
        one_axis = one_axis || (declared && region.scope == Region::Scope::axis);
    }
    found += right == setting.configurations / setting.layouts;
    wrong += one_axis;
  }
  fmt::print("| {} | {} x {} | {} | {:.1f} % | {:.1f} % | |\n", name, setting.configurations,
             setting.trials, setting.solvers, percent(found, runs), percent(wrong, runs));
}

}  // namespace

int main(int count, char** words) {
  const std::uint32_t runs =
      count > 1 ? static_cast<std::uint32_t>(std::strtoul(words[1], nullptr, 10)) : 400;
  if (runs == 0) {
    fmt::print(stderr, "usage: bench_verdict [RUNS]\n");
    return 2;
  }
  const auto heading = [](const char* title, const char* a, const char* b, const char* c) {
    fmt::print(
        "\n{}\n\n| runs | configurations x trials | solvers | {} | {} | {} |\n"
        "|---|---|---|---|---|---|\n",
        title, a, b, c);
  };
  fmt::print("{} simulated runs each\n", runs);
  heading("One solver under several names: what is declared is wrong.",
          "anything declared (at most 5 %)", "of it overall", "says no difference");
  same("plain", {}, runs);
  same("5 trials", {.trials = 5}, runs);
  same("20 configurations", {.configurations = 20, .trials = 30}, runs);
  same("20 configurations of 5", {.configurations = 20, .trials = 5}, runs);
  same("200 configurations of 1", {.configurations = 200, .trials = 1}, runs);
  same("6 solvers", {.configurations = 9, .trials = 20, .solvers = 6}, runs);
  same("noisy machine", {.configurations = 4, .noise = 0.4, .spikes = 0.15}, runs);
  same("failures and invalid timings", {.configurations = 4, .failures = 0.1, .invalid = 0.2},
       runs);

  same("arrival 90 %", {.configurations = 4, .arrives = 0.9}, runs);
  same("arrival 60 %, 20 configurations", {.configurations = 20, .trials = 30, .arrives = 0.6},
       runs);
  same("arrival 20 %, 6 solvers", {.configurations = 9, .trials = 20, .solvers = 6, .arrives = 0.2},
       runs);

  same("3 axes, 18 configurations", {.configurations = 18, .trials = 20, .layouts = 2}, runs);
  same("3 axes, 48 configurations of 5", {.configurations = 48, .trials = 5, .layouts = 3}, runs);
  same("3 axes, arrival 60 %, 6 solvers",
       {.configurations = 18, .trials = 20, .solvers = 6, .arrives = 0.6, .layouts = 2}, runs);
  same("3 axes, noisy machine",
       {.configurations = 18, .trials = 20, .noise = 0.4, .spikes = 0.15, .layouts = 2}, runs);

  heading("B arrives less often than A.", "found", "the wrong way round", "");
  arriving("90 against 80 %, 400 trials", {.trials = 400, .arrives = 0.9, .arrives_1 = 0.8}, runs);
  arriving("90 against 80 %, 400 trials, no luck shared",
           {.trials = 400, .arrives = 0.9, .arrives_1 = 0.8, .shared = 0.0}, runs);
  arriving("90 against 80 %, 400 trials over 20 configurations",
           {.configurations = 20, .trials = 20, .arrives = 0.9, .arrives_1 = 0.8}, runs);
  arriving("90 against 80 %, 100 trials", {.arrives = 0.9, .arrives_1 = 0.8}, runs);

  heading("B takes longer than A.", "found", "the wrong way round", "interval holds the truth");
  different("10 %, 100 trials", {.slowdown = 1.1}, runs);
  different("10 %, 100 trials over 4 configurations",
            {.configurations = 4, .trials = 25, .slowdown = 1.1}, runs);
  different("10 %, 100 trials over 20 configurations",
            {.configurations = 20, .trials = 5, .slowdown = 1.1}, runs);
  different("10 %, 100 trials, 6 solvers", {.solvers = 6, .slowdown = 1.1}, runs);
  different("10 %, 100 trials, noisier", {.slowdown = 1.1, .noise = 0.15, .spikes = 0.05}, runs);
  different("10 %, 100 trials, failures and invalid timings",
            {.slowdown = 1.1, .failures = 0.05, .invalid = 0.1}, runs);
  different("2 %, 100 trials", {.slowdown = 1.02}, runs);
  different("10 %, 20 trials", {.trials = 20, .slowdown = 1.1}, runs);

  heading("B takes 10 % longer with few points and less time with many.", "both found",
          "one declared overall", "");
  flipping("100 trials a half",
           {.configurations = 4, .trials = 50, .slowdown = 1.1, .flipped = 1.0 / 1.21}, runs);

  heading("B takes 10 % longer or less time, as points and noise together say.",
          "found in each of their regions", "one axis alone declared", "");
  crossing("4 regions of 50 trials", {.configurations = 4, .trials = 50, .crossed = 1.1}, runs);
  crossing("4 regions of 50 trials in 2 layouts",
           {.configurations = 8, .trials = 25, .layouts = 2, .crossed = 1.1}, runs);
  crossing("4 regions of 100 trials in 2 layouts",
           {.configurations = 8, .trials = 50, .layouts = 2, .crossed = 1.1}, runs);
}
