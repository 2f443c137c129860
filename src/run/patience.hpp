// How long to sleep when nothing happened: briefly at first, longer while nothing happens.
#pragma once

#include <algorithm>
#include <chrono>

namespace nucreg {

/// A main thread often shares its processor with the worker of its rank: each look at MPI takes a
/// solve off the processor for some microseconds and spoils its timing. The wait doubles while
/// nothing happens, so that an answer comes late by no more than the pause before the question.
class Patience {
 public:
  /// `busy`: the worker computes, and will wake the main thread when it is done.
  [[nodiscard]] std::chrono::microseconds next(bool busy = false) {
    const auto now = std::min(wait_, busy ? longest_busy : longest_idle);
    wait_ = std::min(2 * wait_, longest_busy);
    return now;
  }
  void reset() { wait_ = shortest; }

 private:
  static constexpr std::chrono::microseconds shortest{50}, longest_idle{1000}, longest_busy{8000};
  std::chrono::microseconds wait_ = shortest;
};

}  // namespace nucreg
