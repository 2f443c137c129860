// Two runs of one job, compared solve by solve: what changed in speed, what in results.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "nucreg/solve/record.hpp"
#include "nucreg/stats/comparison.hpp"

namespace nucreg {

/// One solver in run A and in run B, paired by trial. Accuracy is equal, and ratios are clipped, as
/// in a verdict; each solver is judged by its own 95 % interval, not corrected for their number.
struct SolverChange {
  std::string solver;
  PairStatistics pair;          ///< a is the solver in run B, b in run A: ratio is time B / time A
  std::uint64_t identical = 0;  ///< solves with the same status and bits of all results
  double rmsd_change_px = PairStatistics::nan;  ///< mean of B - A where both are finite
  ConfidenceInterval rmsd_interval_px;          ///< its 95 % bootstrap interval
  double largest_change_px = 0.0;               ///< of one solve

  /// Whether its speed is known: an interval takes two timings.
  [[nodiscard]] bool compared() const { return !std::isnan(pair.interval.low); }
  /// Whether it arrives in fewer trials in run B.
  [[nodiscard]] bool arrives_less() const { return pair.arrived_a < pair.arrived_b; }
  /// Whether B is surely slower than A by more than `threshold` (0.1: 10 %).
  [[nodiscard]] bool slower(double threshold) const { return pair.interval.low > 1.0 + threshold; }
};

/// Memory does not grow with trials.
class RunComparison {
 public:
  RunComparison(std::vector<std::string> solvers, std::size_t configurations);
  ~RunComparison();
  RunComparison(const RunComparison&) = delete;
  RunComparison& operator=(const RunComparison&) = delete;

  /// The solves of one trial in both runs, sorted by solver; trials in the order of the file.
  /// Throws InputError if they are not the same solves.
  void add(std::span<const Record> a, std::span<const Record> b);
  /// One per solver; called once.
  [[nodiscard]] std::vector<SolverChange> finish();

 private:
  struct Tally;
  std::vector<Tally> tallies_;
};

}  // namespace nucreg
