#include "nucreg/core/clock.hpp"

#include <sys/resource.h>
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

rusage own_usage() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
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

double process_cpu_seconds() {
  const rusage usage = own_usage();
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::int64_t max_rss_bytes() {
  return std::int64_t{own_usage().ru_maxrss} * 1024;
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
