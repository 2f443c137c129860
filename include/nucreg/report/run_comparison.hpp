// Two runs of one job, compared solve by solve: what changed in speed, what in results.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nucreg/report/inference.hpp"
#include "nucreg/solve/record.hpp"

namespace nucreg {

/// One solver in run A and in run B, paired by trial.
struct SolverChange {
  static constexpr double nan = std::numeric_limits<double>::quiet_NaN();

  std::string solver;
  std::uint64_t solves = 0;          ///< that both runs have, without not_applicable in both
  std::uint64_t timed = 0;           ///< of these: both arrived equally well, both timings valid
  double time_ratio = nan;           ///< geometric mean of time in B / time in A over the timed
  ConfidenceInterval time_interval;  ///< its 95 % bootstrap interval
  double time_p = nan;  ///< Wilcoxon's signed ranks of the logarithms; beyond 16,384 of a sample
  std::uint64_t identical = 0;  ///< solves with the same status and bits of all results
  std::uint64_t better = 0;     ///< B reached a lower objective, or failed no more where A failed
  std::uint64_t worse = 0;      ///< the opposite
  double largest_change_px = 0.0;  ///< of rmsd_px where both are finite

  /// Whether there is anything to tell its speed by.
  [[nodiscard]] bool compared() const { return timed > 0; }
  /// Whether B is surely slower than A by more than `threshold` (0.1: 10 %).
  [[nodiscard]] bool slower(double threshold) const { return time_interval.low > 1.0 + threshold; }
};

/// Two objectives are equal where |Fa - Fb| <= 1e-6 min(Fa, Fb) + 1e-18 px^2 * pairs, as in
/// ComparisonOptions. Memory does not grow with trials.
class RunComparison {
 public:
  explicit RunComparison(std::vector<std::string> solvers);
  ~RunComparison();
  RunComparison(const RunComparison&) = delete;
  RunComparison& operator=(const RunComparison&) = delete;

  /// The solves of one trial in both runs, sorted by solver. Throws InputError where they are not
  /// the same solves.
  void add(std::span<const Record> a, std::span<const Record> b);
  /// One per solver.
  [[nodiscard]] std::vector<SolverChange> changes() const;

 private:
  struct Tally;
  std::vector<Tally> tallies_;
};

/// A table, a row per solver. Fits into `width` columns.
[[nodiscard]] std::string to_text(std::span<const SolverChange> changes, double threshold,
                                  std::size_t width);
/// A list with an object per solver; numbers that do not exist are null.
[[nodiscard]] std::string to_json(std::span<const SolverChange> changes, double threshold);

}  // namespace nucreg
