// What a rank uses of its machine, sampled while it works.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "nucreg/run/dispatch.hpp"

namespace nucreg {

[[nodiscard]] std::int64_t resident_bytes();
/// Of all threads of this process.
[[nodiscard]] double process_cpu_seconds();

/// One row of /rank_samples. Percentages are over the time since the sample before; NaN at first.
struct Sample {
  double time_seconds = 0.0;        ///< since the rank began to work
  double cpu_percent = 0.0;         ///< of this process; 100 = one processor
  double system_cpu_percent = 0.0;  ///< of all processors of the host; 100 = all
  std::int64_t rss_bytes = 0;
  std::uint64_t solves = 0;
};

/// One row of /ranks, from the start of the work to its end.
struct RankTotals {
  std::uint64_t solves = 0;
  double busy_seconds = 0.0, wait_seconds = 0.0;
  double cpu_seconds = 0.0;  ///< of the process, all threads
  std::int64_t max_rss_bytes = 0;
  std::int64_t voluntary_switches = 0, involuntary_switches = 0;
};

/// A thread that samples once at the start, then every `monitor_seconds`, and once at the end, and
/// writes each but the first to the rank's log file.
class Monitor {
 public:
  /// `tasks_done` is called from the sampling thread.
  Monitor(const DispatchOptions& options, std::function<std::uint64_t()> tasks_done);
  /// As stop().
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  /// Takes the last sample and ends the thread.
  void stop();
  /// The samples since the last call.
  [[nodiscard]] std::vector<Sample> take_samples();
  /// Only after stop().
  [[nodiscard]] RankTotals totals(double waited_seconds) const;

 private:
  /// Counters of the kernel, growing since the process or the host began.
  struct Counters {
    double wall_seconds = 0.0, cpu_seconds = 0.0;
    double host_busy_ticks = 0.0, host_all_ticks = 0.0;
    std::int64_t max_rss_bytes = 0, voluntary_switches = 0, involuntary_switches = 0;
  };
  [[nodiscard]] static Counters read_counters();
  void run(double interval_seconds);
  void sample();
  void log_use(const Sample& sample, const Counters& now) const;

  const std::uint64_t solves_per_task_;
  const std::function<std::uint64_t()> tasks_done_;
  const Counters start_;
  Counters last_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::vector<Sample> samples_;
  std::thread thread_;
};

}  // namespace nucreg
