// Tests and intervals for paired samples. Pure functions of numbers; equal input gives equal bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace nucreg {

/// NaN at both ends where there is none.
struct ConfidenceInterval {
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
};

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

/// Holm's step-down adjusted p-values, in the order of `p`. NaN stays and is not counted.
[[nodiscard]] std::vector<double> holm(std::span<const double> p);

/// Friedman's test over blocks that each rank the same solvers; one block after the other.
class FriedmanTest {
 public:
  explicit FriedmanTest(std::size_t solvers) : rank_sums_(solvers, 0.0) {}
  /// The costs of one block, lower is better; equal ones share their mean rank, infinity is
  /// allowed.
  void add(std::span<const double> costs);
  [[nodiscard]] std::uint64_t blocks() const { return blocks_; }
  /// Mean rank of each solver, 1 = best; NaN without blocks.
  [[nodiscard]] std::vector<double> mean_ranks() const;
  /// Corrected for ties; NaN without blocks or where all costs of each block are equal.
  [[nodiscard]] double statistic() const;
  /// Upper tail of chi-square with solvers - 1 degrees of freedom.
  [[nodiscard]] double p() const;

 private:
  std::vector<double> rank_sums_;
  double ties_ = 0.0;  // sum of t^3 - t over groups of t equal costs
  std::uint64_t blocks_ = 0;
};

/// P(range of `groups` standard normals <= q): Tukey's studentized range with infinite degrees of
/// freedom. groups >= 2.
[[nodiscard]] double studentized_range_cdf(double q, std::size_t groups);
/// Its inverse; 0 < probability < 1.
[[nodiscard]] double studentized_range_quantile(double probability, std::size_t groups);

/// Mean ranks that are further apart than this differ (Nemenyi 1963, as in Demsar 2006, eq. 7).
[[nodiscard]] double nemenyi_critical_difference(std::size_t solvers, std::uint64_t blocks,
                                                 double level = 0.05);

}  // namespace nucreg
