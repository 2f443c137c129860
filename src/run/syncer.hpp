// A thread that makes results durable while the main thread goes on.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace nucreg {

class Syncer {
 public:
  /// `sync` may be empty: then everything is durable at once.
  explicit Syncer(std::function<void()> sync);
  /// As stop(), but keeps silent.
  ~Syncer();
  Syncer(const Syncer&) = delete;
  Syncer& operator=(const Syncer&) = delete;

  /// So many tasks are with the sink: makes them durable, at most once a second.
  void done(std::uint64_t tasks);
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
  bool stopping_ = false;
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace nucreg
