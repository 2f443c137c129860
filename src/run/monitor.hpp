// What each rank measures of itself, and what the root has heard of all of them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "nucreg/core/clock.hpp"
#include "nucreg/core/table.hpp"
#include "nucreg/run/dispatch.hpp"
#include "worker.hpp"

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

/// What a rank says of itself once a second, for whoever watches the run. Percentages are over the
/// time since the one before.
struct Vitals {
  std::uint64_t tasks_done = 0;
  std::uint64_t task = 0;  ///< in progress, if `working`
  bool working = false;
  double cpu_percent = 0.0;   ///< of this process; 100 = one processor
  double busy_percent = 0.0;  ///< time with a task in progress
  std::int64_t rss_bytes = 0;
};

class VitalSigns {
 public:
  [[nodiscard]] Vitals take(Worker& worker);

 private:
  double last_wall_ = wall_seconds(), last_cpu_ = 0.0, last_waited_ = 0.0;
};

/// For /ranks and /rank_samples, and for whoever watches the run. Of a lost rank what it said last.
class RankNews {
 public:
  explicit RankNews(int ranks) : ranks_(static_cast<std::size_t>(ranks)) {}

  /// `now` in seconds of any clock, the same for all calls.
  void note(int rank, const Vitals& vitals, double now);
  void note(int rank, const Sample& sample) { of(rank).samples.push_back(sample); }
  void note(int rank, const RankTotals& totals) { of(rank).totals = totals; }
  void lose(int rank) { of(rank).now.lost = true; }

  /// By rank.
  [[nodiscard]] std::vector<RankNow> all(double now) const;
  [[nodiscard]] Table rank_table(const std::vector<RankFacts>& facts) const;
  [[nodiscard]] Table sample_table() const;

 private:
  struct News {
    RankNow now;
    double task_since = 0.0;  ///< when it was first seen with now.task
    std::vector<Sample> samples;
    RankTotals totals;
  };
  [[nodiscard]] News& of(int rank) { return ranks_.at(static_cast<std::size_t>(rank)); }

  std::vector<News> ranks_;
};

/// One row per rank; facts and totals by rank.
[[nodiscard]] Table rank_table(std::span<const RankFacts> facts,
                               std::span<const RankTotals> totals);
/// Samples of each rank, sorted by rank, then time.
[[nodiscard]] Table sample_table(std::span<const std::vector<Sample>> by_rank);

}  // namespace nucreg
