// Counter-based random numbers: a trial draws the same numbers on every rank, in any order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nucreg {

/// What a stream is for. Separate purposes keep, say, positions unchanged when noise is added.
enum class Purpose : std::uint32_t {
  draws = 0,
  positions = 1,
  noise = 2,
  missing = 3,
  outliers = 4,
  resampling = 5,  ///< of the bootstrap of statistics; keyed by itself, not by a trial
  bootstrap = 6    ///< the pairs of a trial that come from a larger set
};

/// Random numbers of one purpose within one trial: Philox4x64-10 (Salmon et al., "Parallel random
/// numbers: as easy as 1, 2, 3", SC11) keyed by (seed, configuration, trial), counting from
/// (purpose, attempt). Equal arguments give equal numbers; there is no other state.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::uint32_t configuration, std::uint32_t trial,
               Purpose purpose, std::uint32_t attempt = 0);

  /// 64 random bits.
  std::uint64_t bits() {
    if (used_ == block_.size()) refill();
    return block_[used_++];
  }
  /// Uniform in [0, 1), a multiple of 2^-53.
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }
  /// Uniform in [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform in 0 ... bound-1; bound > 0 (Lemire 2019, without the rejection: bias < bound / 2^64).
  std::uint64_t below(std::uint64_t bound) {
    __extension__ using wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<wide>(bits()) * bound) >> 64);
  }
  /// Standard normal, by the ziggurat (Marsaglia and Tsang 2000).
  double normal();

  /// As a generator of the standard library and of Boost: bits() by its other name.
  using result_type = std::uint64_t;
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }
  result_type operator()() { return bits(); }

 private:
  void refill();

  std::array<std::uint64_t, 2> key_;
  std::array<std::uint64_t, 4> counter_;
  std::array<std::uint64_t, 16> block_;
  std::size_t used_ = block_.size();
};

/// `count` of 0 ... size-1 at random, each once (Fisher and Yates); count <= size.
[[nodiscard]] std::vector<std::size_t> sample_without_replacement(std::size_t count,
                                                                  std::size_t size,
                                                                  RandomStream& random);

}  // namespace nucreg
