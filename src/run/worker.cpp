#include "worker.hpp"

#include "nucreg/core/clock.hpp"
#include "wire.hpp"

namespace nucreg {
namespace {

constexpr std::size_t worth_a_message_bytes = std::size_t{64} << 10;
// Beyond this the worker waits for the main thread, so that memory stays bounded.
constexpr std::size_t most_results_bytes = std::size_t{2} << 20;
constexpr double longest_stay_seconds = 0.1;

}  // namespace

Worker::Worker(const Work& work) : work_(work), thread_([this] { run(); }) {}

Worker::~Worker() {
  stop();
}

void Worker::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  for_worker_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Worker::give(const Batch& batch) {
  std::uint64_t tasks = 0;
  for (const TaskList::Block& block : batch) tasks += block.count;
  if (tasks == 0) return;
  {
    const std::lock_guard lock(mutex_);
    queue_.insert(queue_.end(), batch.begin(), batch.end());
    batch_ends_.push_back(tasks);
  }
  for_worker_.notify_one();
}

Bytes Worker::take_results() {
  const std::lock_guard lock(mutex_);
  const bool old =
      !results_.empty() && wall_seconds() - oldest_result_seconds_ >= longest_stay_seconds;
  if (!results_due_ && !old) return {};
  if (results_.size() > most_results_bytes) for_worker_.notify_one();
  results_due_ = false;
  Bytes taken;
  taken.reserve(worth_a_message_bytes + worth_a_message_bytes / 8);
  taken.swap(results_);
  return taken;
}

void Worker::wait(std::chrono::microseconds longest) {
  std::unique_lock lock(mutex_);
  for_main_.wait_for(lock, longest, [&] { return results_due_; });
}

bool Worker::busy() {
  const std::lock_guard lock(mutex_);
  return !batch_ends_.empty() && !failure_;
}

std::exception_ptr Worker::failure() {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Worker::wait_until(std::unique_lock<std::mutex>& lock,
                        const std::function<bool()>& condition) {
  if (condition()) return;
  const double before = wall_seconds();
  for_worker_.wait(lock, condition);
  waited_seconds_ += wall_seconds() - before;
}

void Worker::keep(std::uint64_t task, std::span<const std::byte> payload) {
  if (results_.empty()) oldest_result_seconds_ = wall_seconds();
  put(results_, task);
  put(results_, std::uint64_t{payload.size()});
  put_bytes(results_, payload.data(), payload.size());
}

void Worker::run() {
  Bytes payload;
  std::unique_lock lock(mutex_);
  while (true) {
    wait_until(lock, [&] { return stopping_ || !queue_.empty(); });
    wait_until(lock, [&] { return stopping_ || results_.size() <= most_results_bytes; });
    if (stopping_) return;
    TaskList::Block& block = queue_.front();
    const std::uint64_t task = block.first++;
    if (--block.count == 0) queue_.pop_front();

    lock.unlock();
    payload.clear();
    std::exception_ptr failure;
    try {
      work_(task, payload);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();

    if (failure) {
      failure_ = failure;
      results_due_ = true;
      for_main_.notify_one();
      return;
    }
    keep(task, payload);
    ++tasks_done_;
    const bool batch_done = --batch_ends_.front() == 0;
    if (batch_done) batch_ends_.pop_front();
    if (batch_done || results_.size() >= worth_a_message_bytes) {
      if (!results_due_) for_main_.notify_one();
      results_due_ = true;
    }
  }
}

}  // namespace nucreg
