// The threads of a rank beside its main one: the one that computes, and on the root the one that
// makes results durable.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "nucreg/run/dispatch.hpp"
#include "nucreg/run/schedule.hpp"

namespace nucreg {

/// Does tasks of a queue one after the other; the rank's main thread feeds it and carries away the
/// results. When `work` throws, the thread keeps what it has and stops. A thread that hangs in
/// `work` is left behind with all that it needs; see has_hanging_worker().
class Worker {
 public:
  explicit Worker(Work work);
  /// Leaves the thread behind if it is not done within a second.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void give(const Batch& batch);
  /// Forgets what is queued; the current task continues.
  void drop_queue();
  /// Leaves a hanging thread behind and continues with a fresh one; results that were not taken
  /// are lost with it, and their tasks to be given again.
  void replace();

  /// Results as (task, length, payload) ..., once there is enough to be worth a message, a batch
  /// is done, or the oldest has waited long enough. Else empty.
  [[nodiscard]] Bytes take_results();
  /// Sleeps until there are results to take or work has thrown, at most that long.
  void wait(std::chrono::microseconds longest);
  /// The task that is being done now.
  [[nodiscard]] std::optional<std::uint64_t> in_hand();
  /// Whether there is a task to do or in progress.
  [[nodiscard]] bool busy();
  /// What `work` threw; null = nothing.
  [[nodiscard]] std::exception_ptr failure();

  /// Tasks whose results were taken. From any thread.
  [[nodiscard]] std::uint64_t tasks_done() const { return tasks_done_; }
  /// Time that the threads have spent without a task.
  [[nodiscard]] double waited_seconds();

 private:
  struct Shared;
  void start();
  void leave_thread(std::chrono::milliseconds farewell);

  const Work work_;
  std::shared_ptr<Shared> shared_;
  std::atomic<std::uint64_t> tasks_done_ = 0;
  double waited_before_seconds_ = 0.0;  // by threads left behind
};

/// Makes results durable while the main thread continues.
class Syncer {
 public:
  /// `sync` may be empty: then everything is durable at once.
  explicit Syncer(std::function<void()> sync);
  /// As stop(), but keeps silent.
  ~Syncer();
  Syncer(const Syncer&) = delete;
  Syncer& operator=(const Syncer&) = delete;

  /// So many tasks are with the sink, the last ones in so many bytes: makes them durable, at most
  /// twice a second.
  void done(std::uint64_t tasks, std::size_t bytes);
  /// Whether so much waits for a slow disk that no more should come.
  [[nodiscard]] bool behind() const;
  /// A last sync, if anything is not durable, and the end of the thread.
  void stop();
  [[nodiscard]] std::uint64_t durable() const { return durable_; }
  /// What sync threw; it is not called again then. Null = nothing.
  [[nodiscard]] std::exception_ptr failure();

 private:
  void run();

  const std::function<void()> sync_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<std::uint64_t> done_ = 0, durable_ = 0;
  std::atomic<std::size_t> waiting_bytes_ = 0;
  std::atomic<bool> failed_ = false;
  bool stopping_ = false;
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace nucreg
