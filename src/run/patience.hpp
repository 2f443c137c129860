// How long to sleep when nothing happened: briefly at first, longer while nothing happens.
#pragma once

#include <algorithm>
#include <chrono>

namespace nucreg {

/// A main thread often shares its processor with the worker of its rank: asking MPI without pause
/// would take half of it. The limits keep the reaction fast and the cost below a percent.
class Patience {
 public:
  [[nodiscard]] std::chrono::microseconds next() {
    const auto now = wait_;
    wait_ = std::min(2 * wait_, longest);
    return now;
  }
  void reset() { wait_ = shortest; }

 private:
  static constexpr std::chrono::microseconds shortest{50}, longest{1000};
  std::chrono::microseconds wait_ = shortest;
};

}  // namespace nucreg
