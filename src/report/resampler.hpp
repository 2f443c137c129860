// Bootstrap intervals of means, in bounded memory and time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "nucreg/report/inference.hpp"

namespace nucreg {

/// A sample that grows without end in bounded memory: the first most_blocks values have a block
/// each, every later one joins a random block. Blocks are then a random partition, so the spread of
/// a mean over resampled blocks is that over resampled values.
class BlockedSample {
 public:
  static constexpr std::size_t most_blocks = 256;

  /// `random`: 64 random bits.
  void add(double value, std::uint64_t random);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] double mean() const { return mean_; }  ///< NaN where empty
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
  /// The means of all resamples, unsorted, of at least one block.
  [[nodiscard]] std::span<const double> resampled_means(const BlockedSample& sample);

 private:
  void draw_plan(std::size_t blocks);

  std::size_t planned_ = 0;         // blocks of the plan
  std::vector<std::uint8_t> plan_;  // [draw][resample]: which block
  std::vector<double> sums_, sizes_;
};

}  // namespace nucreg
