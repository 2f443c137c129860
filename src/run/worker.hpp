// The thread of a rank that computes.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <span>
#include <thread>

#include "nucreg/run/dispatch.hpp"
#include "nucreg/run/schedule.hpp"

namespace nucreg {

/// Does tasks of a queue one after the other; the rank's main thread feeds it and carries away the
/// results. When `work` throws, the thread keeps what it has and stops.
class Worker {
 public:
  explicit Worker(const Work& work);
  /// As stop().
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void give(const Batch& batch);
  /// Forgets what is queued; returns when the task in hand is done.
  void stop();

  /// Results as (task, length, payload) ..., once there is enough to be worth a message, a batch
  /// is done, or the oldest has waited long enough. Else empty.
  [[nodiscard]] Bytes take_results();
  /// Sleeps until there are results to take or work has thrown, at most that long.
  void wait(std::chrono::microseconds longest);
  /// Whether there is a task to do or in hand.
  [[nodiscard]] bool busy();
  /// What `work` threw; null = nothing.
  [[nodiscard]] std::exception_ptr failure();

  [[nodiscard]] std::uint64_t tasks_done() const { return tasks_done_; }
  /// Time that the thread has spent without a task. Only after stop().
  [[nodiscard]] double waited_seconds() const { return waited_seconds_; }

 private:
  void run();
  void wait_until(std::unique_lock<std::mutex>& lock, const std::function<bool()>& condition);
  void keep(std::uint64_t task, std::span<const std::byte> payload);

  const Work& work_;
  std::mutex mutex_;
  std::condition_variable for_worker_, for_main_;
  std::deque<TaskList::Block> queue_;
  std::deque<std::uint64_t> batch_ends_;  // tasks still to do of each batch, the one in hand first
  Bytes results_;
  double oldest_result_seconds_ = 0.0;
  bool results_due_ = false;
  bool stopping_ = false;
  std::exception_ptr failure_;
  std::atomic<std::uint64_t> tasks_done_ = 0;
  double waited_seconds_ = 0.0;
  std::thread thread_;
};

}  // namespace nucreg
