// Values of one measure in bounded memory.
#pragma once

#include <cstdint>
#include <vector>

#include "nucreg/core/random.hpp"

namespace nucreg {

/// All values up to `most`; beyond, a random sample of that size (Vitter 1985, algorithm R), while
/// mean and standard deviation remain those of all.
class BoundedSample {
 public:
  static constexpr std::size_t most = 16384;

  /// Draws from `random` for values beyond `most` only.
  void add(double value, RandomStream& random);
  void clear();
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] bool sampled() const { return count_ > most; }
  [[nodiscard]] double mean() const;
  [[nodiscard]] double standard_deviation() const;  ///< n - 1
  /// The values or their sample, sorted; add() must not follow.
  [[nodiscard]] const std::vector<double>& sorted();

 private:
  std::vector<double> values_;
  std::uint64_t count_ = 0;
  double mean_ = 0.0, squares_ = 0.0;  // of more than `most` (Welford)
};

}  // namespace nucreg
