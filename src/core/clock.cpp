#include "nucreg/core/clock.hpp"

#include <ctime>

#include <algorithm>
#include <array>
#include <fstream>

namespace nucreg {
namespace {

double read(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double measure_step() {
  double step = 1.0;
  for (int i = 0; i < 100; ++i) {
    const double before = wall_seconds();
    double after = before;
    while (after == before) after = wall_seconds();
    step = std::min(step, after - before);
  }
  return step;
}

}  // namespace

double wall_seconds() {
  return read(CLOCK_MONOTONIC);
}

double thread_cpu_seconds() {
  return read(CLOCK_THREAD_CPUTIME_ID);
}

double wall_clock_step_seconds() {
  static const double step = measure_step();
  return step;
}

std::string clock_source() {
  std::ifstream file("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  std::string name;
  file >> name;
  return name;
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

}  // namespace nucreg
