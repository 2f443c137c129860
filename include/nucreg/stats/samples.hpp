// Samples of numbers in bounded memory: moments, quantiles, bootstrap intervals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "nucreg/core/random.hpp"

namespace nucreg {

/// NaN at both ends if there is none.
struct ConfidenceInterval {
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
};

// Statistics of a sample; NaN if it is empty.
[[nodiscard]] double mean(std::span<const double> values);
/// Standard deviation with n - 1; NaN also for one value.
[[nodiscard]] double standard_deviation(std::span<const double> values);
/// Quantile of sorted values, interpolated linearly as NumPy does by default
/// (type 7 of Hyndman and Fan 1996).
[[nodiscard]] double quantile(std::span<const double> sorted, double fraction);
/// Median of the values that are not NaN.
[[nodiscard]] double median(std::vector<double> values);

/// All values up to `most`; beyond, a random sample of that size (Vitter 1985, algorithm R).
class Reservoir {
 public:
  explicit Reservoir(std::size_t most) : most_(most) {}

  /// Draws from `random` for values beyond `most` only.
  void add(double value, RandomStream& random);
  void clear();
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] bool sampled() const { return count_ > most_; }
  [[nodiscard]] const std::vector<double>& values() const { return values_; }
  /// The values, sorted; add() must not follow.
  [[nodiscard]] const std::vector<double>& sorted();

 private:
  std::size_t most_;
  std::vector<double> values_;
  std::uint64_t count_ = 0;
};

/// A Reservoir; mean and standard deviation remain those of all values.
class BoundedSample {
 public:
  static constexpr std::size_t most = 16384;

  void add(double value, RandomStream& random);
  void clear() { kept_.clear(); }
  [[nodiscard]] std::uint64_t count() const { return kept_.count(); }
  [[nodiscard]] bool sampled() const { return kept_.sampled(); }
  [[nodiscard]] double mean() const;
  [[nodiscard]] double standard_deviation() const;  ///< n - 1
  [[nodiscard]] const std::vector<double>& sorted() { return kept_.sorted(); }

 private:
  Reservoir kept_{most};
  double mean_ = 0.0, squares_ = 0.0;  // of more than `most` (Welford)
};

/// A sample that grows without end in bounded memory: the first max_blocks values have a block
/// each, every later one joins a random block. Blocks are then a random partition, so the spread of
/// a mean over resampled blocks is that over resampled values.
class BlockedSample {
 public:
  static constexpr std::size_t max_blocks = 256;

  /// `random`: 64 random bits.
  void add(double value, std::uint64_t random);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] double mean() const { return mean_; }  ///< NaN if empty
  [[nodiscard]] double standard_deviation() const;     ///< NaN for less than two
  [[nodiscard]] std::span<const double> sums() const { return sums_; }
  [[nodiscard]] std::span<const double> sizes() const { return sizes_; }

 private:
  std::vector<double> sums_, sizes_;
  std::uint64_t count_ = 0;
  double mean_ = std::numeric_limits<double>::quiet_NaN(), squares_ = 0.0;
};

/// Draws from core/random with a fixed seed: equal samples get equal intervals, wherever.
class Resampler {
 public:
  static constexpr std::size_t resamples = 2000;

  /// Percentile interval of the mean, expanded for small samples (Hesterberg 2015, section 4.1.3):
  /// its levels are those at which a normal quantile is sqrt(n / (n - 1)) times Student's.
  /// NaN for less than two values.
  [[nodiscard]] ConfidenceInterval mean_interval(const BlockedSample& sample, double level = 0.95);
  /// The same of the ratio of two means, of samples that were fed with equal random bits.
  [[nodiscard]] ConfidenceInterval ratio_interval(const BlockedSample& above,
                                                  const BlockedSample& below, double level = 0.95);
  /// The means of all resamples, unsorted, of at least one block.
  [[nodiscard]] std::span<const double> resampled_means(const BlockedSample& sample);

 private:
  void draw_plan(std::size_t blocks);
  /// Of the statistic of all resamples, which it sorts.
  [[nodiscard]] static ConfidenceInterval interval_of(std::vector<double>& values,
                                                      std::size_t blocks, double level);

  std::size_t planned_ = 0;         // blocks of the plan
  std::vector<std::uint8_t> plan_;  // [draw][resample]: which block
  std::vector<double> sums_, sizes_;
};

}  // namespace nucreg
