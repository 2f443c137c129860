// Two solvers over the trials of one region, as running totals of fixed size.
#pragma once

#include <algorithm>
#include <limits>
#include <span>

#include "nucreg/report/comparison.hpp"
#include "resampler.hpp"

namespace nucreg {

/// What two solvers did in one trial.
struct PairOutcome {
  bool failed_a = false, failed_b = false;
  bool equal = false;
  Side better = Side::neither;
  bool timed = false;
  double log_ratio = 0.0;  ///< log(time a / time b) where timed
};
[[nodiscard]] PairOutcome compare_solves(const Record& a, const Record& b, double tolerance);

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
  void add(const PairOutcome& outcome);
  void add_ratio(double log_ratio, std::uint64_t random);
  /// The signed ranks of one configuration. Strata of n differences weigh 1 / (n + 1), as in van
  /// Elteren's test, so that each trial counts alike.
  void add_ranks(const SignedRank& ranks, bool sampled);
  [[nodiscard]] bool empty() const { return totals_.trials == 0; }
  /// All but what needs the other cells: adjusted p-values and what is declared.
  [[nodiscard]] PairStatistics statistics(Resampler& resampler) const;

 private:
  PairStatistics totals_;
  BlockedSample log_ratios_;
  std::uint64_t strata_ = 0;
  double only_p_ = 1.0;                                                  // of the first stratum
  double excess_ = 0.0, variance_ = 0.0, difference_ = 0.0, sum_ = 0.0;  // weighted, over strata
};

/// Decides what a pair shows, once its p-values are adjusted. `single_error` is the error that one
/// hypothesis could have alone, from which the trials follow that would tell.
void decide(PairStatistics& pair, const ComparisonOptions& options, double single_error);

}  // namespace nucreg
