#include "vitals.hpp"

#include <algorithm>

#include "monitor.hpp"

namespace nucreg {

Vitals VitalSigns::take(Worker& worker) {
  const double wall = wall_seconds(), cpu = process_cpu_seconds();
  const double waited = worker.waited_seconds();
  const double elapsed = std::max(wall - last_wall_, 1e-6);
  const auto task = worker.in_hand();
  const Vitals vitals{
      .tasks_done = worker.tasks_done(),
      .task = task.value_or(0),
      .working = task.has_value(),
      .cpu_percent = last_cpu_ > 0.0 ? 100.0 * (cpu - last_cpu_) / elapsed : 0.0,
      .busy_percent = std::clamp(100.0 * (1.0 - (waited - last_waited_) / elapsed), 0.0, 100.0),
      .rss_bytes = resident_bytes()};
  last_wall_ = wall;
  last_cpu_ = cpu;
  last_waited_ = waited;
  return vitals;
}

}  // namespace nucreg
