#include "monitor.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "nucreg/core/clock.hpp"
#include "nucreg/core/log.hpp"

namespace nucreg {

namespace {

double percent(double part, double whole) {
  return whole > 0.0 ? 100.0 * part / whole : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

std::int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t all_pages = 0, resident_pages = 0;
  file >> all_pages >> resident_pages;
  return resident_pages * sysconf(_SC_PAGESIZE);
}

Monitor::Counters Monitor::read_counters() {
  Counters counters{.wall_seconds = wall_seconds()};
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  counters.cpu_seconds = process_cpu_seconds();
  counters.max_rss_bytes = max_rss_bytes();
  counters.voluntary_switches = usage.ru_nvcsw;
  counters.involuntary_switches = usage.ru_nivcsw;

  std::ifstream file("/proc/stat");
  std::string label;
  double ticks = 0.0;
  file >> label;
  // user nice system idle iowait irq softirq steal; guest time is part of user time
  for (int field = 0; field < 8 && file >> ticks; ++field) {
    counters.host_all_ticks += ticks;
    if (field != 3 && field != 4) counters.host_busy_ticks += ticks;
  }
  return counters;
}

Monitor::Monitor(const DispatchOptions& options, std::function<std::uint64_t()> tasks_done)
    : solves_per_task_(options.solves_per_task),
      tasks_done_(std::move(tasks_done)),
      start_(read_counters()),
      last_(start_),
      thread_([this, interval = options.monitor_seconds] { run(interval); }) {}

Monitor::~Monitor() {
  stop();
}

void Monitor::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

std::vector<Sample> Monitor::take_samples() {
  const std::lock_guard lock(mutex_);
  return std::exchange(samples_, {});
}

RankTotals Monitor::totals(double waited_seconds) const {
  const double elapsed = last_.wall_seconds - start_.wall_seconds;
  return {.solves = tasks_done_() * solves_per_task_,
          .busy_seconds = std::max(elapsed - waited_seconds, 0.0),
          .wait_seconds = waited_seconds,
          .cpu_seconds = last_.cpu_seconds - start_.cpu_seconds,
          .max_rss_bytes = last_.max_rss_bytes,
          .voluntary_switches = last_.voluntary_switches - start_.voluntary_switches,
          .involuntary_switches = last_.involuntary_switches - start_.involuntary_switches};
}

void Monitor::run(double interval_seconds) {
  const std::chrono::duration<double> interval(std::min(interval_seconds, 1e6));
  sample();
  std::unique_lock lock(mutex_);
  for (bool last = false; !last;) {
    if (interval_seconds > 0.0)
      wake_.wait_for(lock, interval, [&] { return stopping_; });
    else
      wake_.wait(lock, [&] { return stopping_; });
    last = stopping_;
    lock.unlock();
    sample();
    lock.lock();
  }
}

void Monitor::sample() {
  const Counters now = read_counters();
  const Sample sample{.time_seconds = now.wall_seconds - start_.wall_seconds,
                      .cpu_percent = percent(now.cpu_seconds - last_.cpu_seconds,
                                             now.wall_seconds - last_.wall_seconds),
                      .system_cpu_percent = percent(now.host_busy_ticks - last_.host_busy_ticks,
                                                    now.host_all_ticks - last_.host_all_ticks),
                      .rss_bytes = resident_bytes(),
                      .solves = tasks_done_() * solves_per_task_};
  if (!std::isnan(sample.cpu_percent) && !std::isnan(sample.system_cpu_percent))
    log_use(sample, now);
  last_ = now;
  const std::lock_guard lock(mutex_);
  samples_.push_back(sample);
}

/// To the rank's own file: on the terminal the lines of many ranks hide what matters.
void Monitor::log_use(const Sample& sample, const Counters& now) const {
  log_debug(
      "uses {:.0f} % cpu, {:.1f} MB; host {:.0f} % cpu; {} solves; switches {} own, {} forced",
      sample.cpu_percent, 1e-6 * static_cast<double>(sample.rss_bytes), sample.system_cpu_percent,
      sample.solves, now.voluntary_switches - last_.voluntary_switches,
      now.involuntary_switches - last_.involuntary_switches);
}

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

namespace {}  // namespace

Table rank_table(std::span<const RankFacts> facts, std::span<const RankTotals> totals) {
  using F = const RankFacts&;
  using T = const RankTotals&;
  return {"ranks",
          {make_column("rank", "1", facts, [](F f) { return f.rank; }),
           make_column("host", "1", facts, [](F f) { return f.host; }),
           make_column("pid", "1", facts, [](F f) { return f.pid; }),
           make_column("cpus", "1", facts, [](F f) { return cpu_list(f.cpus); }),
           make_column("solves", "1", totals, [](T t) { return t.solves; }),
           make_column("busy_s", "s", totals, [](T t) { return t.busy_seconds; }),
           make_column("wait_s", "s", totals, [](T t) { return t.wait_seconds; }),
           make_column("cpu_s", "s", totals, [](T t) { return t.cpu_seconds; }),
           make_column("max_rss_bytes", "B", totals, [](T t) { return t.max_rss_bytes; }),
           make_column("voluntary_switches", "1", totals, [](T t) { return t.voluntary_switches; }),
           make_column("involuntary_switches", "1", totals,
                       [](T t) { return t.involuntary_switches; })}};
}

Table sample_table(std::span<const std::vector<Sample>> by_rank) {
  struct Row {
    std::int64_t rank;
    Sample sample;
  };
  std::vector<Row> all;
  for (std::size_t rank = 0; rank < by_rank.size(); ++rank)
    for (const Sample& sample : by_rank[rank])
      all.push_back({static_cast<std::int64_t>(rank), sample});

  const std::span<const Row> rows(all);
  using R = const Row&;
  return {"rank_samples",
          {make_column("rank", "1", rows, [](R r) { return r.rank; }),
           make_column("time_s", "s", rows, [](R r) { return r.sample.time_seconds; }),
           make_column("cpu_percent", "%", rows, [](R r) { return r.sample.cpu_percent; }),
           make_column("system_cpu_percent", "%", rows,
                       [](R r) { return r.sample.system_cpu_percent; }),
           make_column("rss_bytes", "B", rows, [](R r) { return r.sample.rss_bytes; }),
           make_column("solves", "1", rows, [](R r) { return r.sample.solves; })}};
}

void RankNews::note(int rank, const Vitals& vitals, double now) {
  News& news = of(rank);
  const auto task = vitals.working ? std::optional(vitals.task) : std::nullopt;
  if (task != news.now.task || !news.now.heard) news.task_since = now;
  news.now = {.lost = news.now.lost,
              .heard = true,
              .task = task,
              .task_seconds = 0.0,
              .tasks_done = vitals.tasks_done,
              .cpu_percent = vitals.cpu_percent,
              .busy_percent = vitals.busy_percent,
              .rss_bytes = vitals.rss_bytes};
}

std::vector<RankNow> RankNews::all(double now) const {
  std::vector<RankNow> all;
  for (const News& news : ranks_) {
    all.push_back(news.now);
    all.back().task_seconds = news.now.task ? now - news.task_since : 0.0;
  }
  return all;
}

Table RankNews::rank_table(const std::vector<RankFacts>& facts) const {
  std::vector<RankTotals> totals;
  for (const News& news : ranks_) totals.push_back(news.totals);
  return nucreg::rank_table(facts, totals);
}

Table RankNews::sample_table() const {
  std::vector<std::vector<Sample>> samples;
  for (const News& news : ranks_) samples.push_back(news.samples);
  return nucreg::sample_table(samples);
}

}  // namespace nucreg
