// Tests and intervals for paired samples. Pure functions of numbers; equal input gives equal bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "nucreg/stats/samples.hpp"

namespace nucreg {

/// Wilcoxon's signed rank test that differences are symmetric around 0, two-sided.
struct SignedRank {
  std::size_t count = 0;  ///< differences that are not 0
  double positive = 0.0;  ///< sum of the ranks of positive differences; ties share their mean rank
  double negative = 0.0;
  double variance = 0.0;  ///< of `positive` without a difference, ties taken into account
  double p = 1.0;
  bool exact = false;
  /// Matched-pairs rank biserial correlation, -1 to 1 (Kerby 2014); NaN without differences.
  [[nodiscard]] double effect() const;
};

/// Zeros are left out, NaN is not allowed. Up to 50 differences without ties p is exact, else
/// normal with the variance corrected for ties and, where `continuity`, half a rank of continuity:
/// as SciPy's wilcoxon(zero_method="wilcox"), whose exact mode does not look for ties.
[[nodiscard]] SignedRank wilcoxon_signed_rank(std::span<const double> differences,
                                              bool continuity = true);

/// Exact two-sided sign test of `wins` against `losses` (McNemar's where they are discordant
/// pairs).
[[nodiscard]] double sign_test(std::uint64_t wins, std::uint64_t losses);

/// Wilson's score interval (1927) of a share; NaN without trials.
[[nodiscard]] ConfidenceInterval wilson_interval(std::uint64_t successes, std::uint64_t trials,
                                                 double level = 0.95);

/// Holm's step-down adjusted p-values, in the order of `p`. NaN stays and is not counted.
[[nodiscard]] std::vector<double> holm(std::span<const double> p);

/// Two-sided tail of the standard normal.
[[nodiscard]] double two_sided_normal(double z);

}  // namespace nucreg
