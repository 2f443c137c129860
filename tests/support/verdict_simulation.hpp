// Runs whose truth is known: two solvers with the times of a real machine, judged as any run is.
#pragma once

#include <cmath>
#include <cstdint>

#include "nucreg/core/random.hpp"
#include "nucreg/stats/comparison.hpp"

namespace nucreg::simulation {

/// Times are (difficulty of the trial) x (speed of the solver) x (noise of the machine): difficulty
/// is log-normal and shared by the solvers of a trial, noise is log-normal with a heavy tail, a
/// slow solve now and then, on either side.
struct Setting {
  std::uint32_t configurations = 1;
  std::uint32_t trials = 100;  ///< of each configuration
  std::uint32_t solvers = 2;
  double slowdown = 1.0;    ///< true time of solver 1, relative to all others
  double flipped = 1.0;     ///< the same in the second half of the configurations, times slowdown
  double difficulty = 0.5;  ///< standard deviations of logarithms
  double noise = 0.1;
  double spikes = 0.03;       ///< chance of a solve that takes 1.5 to 4 times as long
  double failures = 0.0;      ///< chance that a solve fails
  double arrives = -1.0;      ///< chance that a solve arrives; below 0: unknown of all
  double arrives_1 = -1.0;    ///< the same of solver 1; below 0: that of the others
  double shared = 0.5;        ///< chance that the solvers of a trial arrive by the same luck
  double invalid = 0.0;       ///< chance that a timing is not valid
  std::uint32_t layouts = 1;  ///< of points x noise; configurations are layouts times these
  /// Time of solver 1 where points and noise are both even or both odd, by their places; its
  /// inverse elsewhere, so that of a square number of configurations neither axis alone shows it.
  double crossed = 1.0;
};

inline std::uint32_t side_of(std::uint32_t count) {
  return static_cast<std::uint32_t>(std::ceil(std::sqrt(count)));
}

/// Points x noise, as square as it can be, x layouts.
inline Table configurations(std::uint32_t count, std::uint32_t layouts = 1) {
  std::vector<std::int64_t> number;
  std::vector<double> points, noise_px;
  std::vector<std::string> layout;
  const std::uint32_t side = side_of(count / layouts);
  for (std::uint32_t c = 0; c < count; ++c) {
    number.push_back(c);
    points.push_back(100.0 * (1 + c / layouts / side));
    noise_px.push_back(c / layouts % side);
    layout.push_back(std::string(1, char('a' + c % layouts)));
  }
  return {"configurations",
          {{"configuration", "1", number},
           {"points", "1", points},
           {"noise_px", "px", noise_px},
           {"layout", "1", layout}}};
}

inline Comparison judge(const Setting& setting, std::uint32_t run) {
  RandomStream random(1, run, 0, Purpose::draws);
  std::vector<std::string> names;
  for (std::uint32_t s = 0; s < setting.solvers; ++s)
    names.push_back(std::string(1, char('A' + s)));
  ComparisonBuilder builder(names, configurations(setting.configurations, setting.layouts));
  std::vector<Record> rows(setting.solvers);
  for (std::uint32_t c = 0; c < setting.configurations; ++c) {
    const bool second = 2 * c >= setting.configurations;
    const std::uint32_t cell = c / setting.layouts,
                        side = side_of(setting.configurations / setting.layouts);
    const bool even = (cell / side + cell % side) % 2 == 0;
    const double slow = setting.slowdown * (second ? setting.flipped : 1.0) *
                        (even ? setting.crossed : 1.0 / setting.crossed);
    for (std::uint32_t t = 0; t < setting.trials; ++t) {
      const double difficulty = std::exp(setting.difficulty * random.normal());
      const double luck = random.uniform();
      const bool shared = setting.arrives >= 0.0 && random.uniform() < setting.shared;
      for (std::uint32_t s = 0; s < setting.solvers; ++s) {
        Record& row = rows[s];
        row.configuration = c;
        row.trial = t;
        row.solver = s;
        row.pairs = 100;
        row.objective = 1.0;
        row.status =
            random.uniform() < setting.failures ? SolveStatus::failed : SolveStatus::converged;
        if (setting.arrives >= 0.0) {
          const bool own = s == 1 && setting.arrives_1 >= 0.0;
          row.arrival_px = 10.0;
          row.tre_px =
              (shared ? luck : random.uniform()) < (own ? setting.arrives_1 : setting.arrives)
                  ? 1.0
                  : 100.0;
          row.arrived = row.arrives();
        }
        row.timing_valid = random.uniform() >= setting.invalid;
        row.wall_seconds =
            1e-4 * (1.0 + c) * difficulty * std::exp(setting.noise * random.normal());
        if (random.uniform() < setting.spikes) row.wall_seconds *= random.uniform(1.5, 4.0);
        if (s == 1) row.wall_seconds *= slow;
      }
      builder.add(rows);
    }
  }
  return builder.finish();
}

/// Whether anything at all was declared different: speed or arrival, anywhere.
inline bool declares(const Comparison& comparison) {
  for (const Region& region : comparison.regions)
    for (const PairStatistics& pair : region.pairs)
      if (pair.faster != Side::neither || pair.arrives != Side::neither) return true;
  return false;
}

}  // namespace nucreg::simulation
