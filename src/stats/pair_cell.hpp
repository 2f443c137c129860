// Two solvers over the trials of one region, as running totals of fixed size.
#pragma once

#include <algorithm>
#include <limits>
#include <span>

#include "nucreg/stats/comparison.hpp"
#include "nucreg/stats/inference.hpp"
#include "nucreg/stats/samples.hpp"

namespace nucreg {

/// What two solvers did in one trial.
struct PairOutcome {
  bool failed_a = false, failed_b = false;
  bool known = false, arrived_a = false, arrived_b = false;
  bool equal = false;  ///< times may be compared
  Side better = Side::neither;
  Side lower = Side::neither;  ///< both arrived: who has the lower objective
  bool timed = false;
  double log_ratio = 0.0;  ///< log(time a / time b) if timed
  double seconds_a = 0.0, seconds_b = 0.0;
  double evaluations_a = 0.0, evaluations_b = 0.0;
};
[[nodiscard]] PairOutcome compare_solves(const Record& a, const Record& b,
                                         const ComparisonOptions& options);

/// A ratio further than 2.5 standard deviations, estimated robustly (1.4826 times the median
/// distance), from the median of its configuration counts as one at that distance, so that a solve
/// which was interrupted moves no mean. Further out it costs power on a noisy machine, further in
/// intervals hold the truth less often (tools/bench/verdict).
class ClipLimits {
 public:
  ClipLimits() = default;
  explicit ClipLimits(std::span<const double> values);
  [[nodiscard]] double clipped(double value) const { return std::clamp(value, low_, high_); }

 private:
  double low_ = -std::numeric_limits<double>::infinity();
  double high_ = std::numeric_limits<double>::infinity();
};

class PairCell {
 public:
  /// `random`: 64 random bits.
  void add(const PairOutcome& outcome, std::uint64_t random);
  void add_ratio(double log_ratio, std::uint64_t random);
  /// The signed ranks of one configuration. Strata of n differences weigh 1 / (n + 1), as in van
  /// Elteren's test, so that each trial counts alike.
  void add_ranks(const SignedRank& ranks, bool sampled);
  /// All but what needs the other cells: adjusted p-values and what is declared.
  [[nodiscard]] PairStatistics statistics(Resampler& resampler) const;

 private:
  PairStatistics totals_;
  BlockedSample log_ratios_, seconds_a_, seconds_b_;
  double evaluations_a_ = 0.0, evaluations_b_ = 0.0;  // sums
  std::uint64_t strata_ = 0;
  double only_p_ = 1.0;                                                  // of the first stratum
  double excess_ = 0.0, variance_ = 0.0, difference_ = 0.0, sum_ = 0.0;  // weighted, over strata
};

/// Decides what a pair shows, once its p-values are adjusted. `single_error` is the error that one
/// hypothesis could have alone, from which the trials follow that would decide.
void decide(PairStatistics& pair, const ComparisonOptions& options, double single_error);

}  // namespace nucreg
