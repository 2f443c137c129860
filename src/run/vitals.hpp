// What a rank says of itself once a second, for whoever watches the run.
#pragma once

#include <cstdint>

#include "nucreg/core/clock.hpp"
#include "worker.hpp"

namespace nucreg {

/// Percentages are over the time since the one before.
struct Vitals {
  std::uint64_t tasks_done = 0;
  std::uint64_t task = 0;  ///< in hand, where `working`
  bool working = false;
  double cpu_percent = 0.0;   ///< of this process; 100 = one processor
  double busy_percent = 0.0;  ///< time with a task in hand
  std::int64_t rss_bytes = 0;
};

class VitalSigns {
 public:
  [[nodiscard]] Vitals take(Worker& worker);

 private:
  double last_wall_ = wall_seconds(), last_cpu_ = 0.0, last_waited_ = 0.0;
};

}  // namespace nucreg
