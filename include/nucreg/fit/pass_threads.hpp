// Threads that share the groups of one pass.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace nucreg {

/// A fixed team: the thread that calls run() and count() - 1 others, which sleep between calls.
/// For one caller at a time.
class PassThreads {
 public:
  /// Throws Error if the system gives no more threads. `count` is at least 1.
  explicit PassThreads(std::size_t count);
  ~PassThreads();
  PassThreads(const PassThreads&) = delete;
  PassThreads& operator=(const PassThreads&) = delete;

  [[nodiscard]] std::size_t count() const { return others_.size() + 1; }

  /// Calls task(0) ... task(tasks - 1), each once, by whoever is free, and returns when all are
  /// done. A task must not throw. Fewer than 2^24 tasks.
  template <class Task>
  void run(std::size_t tasks, const Task& task) {
    run(
        tasks, [](const void* t, std::size_t i) { (*static_cast<const Task*>(t))(i); }, &task);
  }

  /// Memory for at least `size` numbers, kept from call to call.
  [[nodiscard]] double* workspace(std::size_t size) {
    if (workspace_.size() < size) workspace_.resize(size);
    return workspace_.data();
  }

  /// CPU seconds that the other threads have used so far.
  [[nodiscard]] double cpu_seconds();

 private:
  using Call = void (*)(const void* task, std::size_t index);
  void run(std::size_t tasks, Call call, const void* task);
  void take_tasks();
  void work();
  void close();

  // Generation (16 bits), number of tasks (24) and the next one (24): who takes a number sees the
  // run that it belongs to, however late it wakes up.
  std::atomic<std::uint64_t> ticket_{0};
  std::atomic<std::uint64_t> finished_{0};
  std::atomic<std::uint32_t> generation_{0};
  std::atomic<bool> closing_{false};
  Call call_ = nullptr;
  const void* task_ = nullptr;
  std::vector<double> workspace_;
  std::vector<std::thread> others_;
};

}  // namespace nucreg
