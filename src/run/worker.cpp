#include "worker.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <utility>

#include "nucreg/core/clock.hpp"
#include "protocol.hpp"

namespace nucreg {

namespace {

constexpr std::size_t worth_a_message_bytes = std::size_t{64} << 10;
// Beyond this the worker waits for the main thread, so that memory stays bounded.
constexpr std::size_t max_results_bytes = std::size_t{2} << 20;
constexpr double max_stay_seconds = 0.1;

std::atomic<int> hanging_workers = 0;

}  // namespace

bool has_hanging_worker() {
  return hanging_workers > 0;
}

/// What the thread and the main thread share. It lives as long as either.
struct Worker::Shared {
  explicit Shared(const Work& w) : work(w) {}
  void run();
  void wait_until(std::unique_lock<std::mutex>& lock, const std::function<bool()>& condition);
  void keep(std::uint64_t task, std::span<const std::byte> payload);
  void drop_queue();

  const Work work;
  std::mutex mutex;
  std::condition_variable for_worker, for_main;
  std::deque<TaskList::Block> queue;
  std::deque<std::uint64_t> batch_ends;  // tasks still to do of each batch, the current one first
  bool in_hand = false;
  std::uint64_t task_in_hand = 0;
  Bytes results;
  std::uint64_t results_count = 0;
  double oldest_result_seconds = 0.0;
  bool results_due = false;
  bool stopping = false, left_behind = false, ended = false;
  std::exception_ptr failure;
  double waited_seconds = 0.0;
};

Worker::Worker(Work work) : work_(std::move(work)) {
  start();
}

Worker::~Worker() {
  leave_thread(std::chrono::seconds(1));
}

void Worker::start() {
  shared_ = std::make_shared<Shared>(work_);
  std::thread([shared = shared_] { shared->run(); }).detach();
}

/// The thread ends by itself, now or when its task comes back.
void Worker::leave_thread(std::chrono::milliseconds farewell) {
  std::unique_lock lock(shared_->mutex);
  shared_->stopping = true;
  shared_->drop_queue();
  shared_->for_worker.notify_one();
  shared_->for_main.wait_for(lock, farewell, [&] { return shared_->ended; });
  if (!shared_->ended) {
    shared_->left_behind = true;
    ++hanging_workers;
  }
}

void Worker::replace() {
  leave_thread(std::chrono::milliseconds(0));
  {
    const std::lock_guard lock(shared_->mutex);
    waited_before_seconds_ += shared_->waited_seconds;
  }
  start();
}

void Worker::give(const Batch& batch) {
  std::uint64_t tasks = 0;
  for (const TaskList::Block& block : batch) tasks += block.count;
  if (tasks == 0) return;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->queue.insert(shared_->queue.end(), batch.begin(), batch.end());
    shared_->batch_ends.push_back(tasks);
  }
  shared_->for_worker.notify_one();
}

void Worker::drop_queue() {
  const std::lock_guard lock(shared_->mutex);
  shared_->drop_queue();
}

void Worker::Shared::drop_queue() {
  queue.clear();
  batch_ends.clear();
  if (in_hand) batch_ends.push_back(1);
  results_due = !results.empty();
}

Bytes Worker::take_results() {
  Shared& s = *shared_;
  const std::lock_guard lock(s.mutex);
  const bool old =
      !s.results.empty() && wall_seconds() - s.oldest_result_seconds >= max_stay_seconds;
  if (!s.results_due && !old) return {};
  if (s.results.size() > max_results_bytes) s.for_worker.notify_one();
  s.results_due = false;
  tasks_done_ += std::exchange(s.results_count, 0);
  Bytes taken;
  taken.reserve(worth_a_message_bytes + worth_a_message_bytes / 8);
  taken.swap(s.results);
  return taken;
}

void Worker::wait(std::chrono::microseconds longest) {
  std::unique_lock lock(shared_->mutex);
  shared_->for_main.wait_for(lock, longest, [&] { return shared_->results_due; });
}

std::optional<std::uint64_t> Worker::in_hand() {
  const std::lock_guard lock(shared_->mutex);
  return shared_->in_hand ? std::optional(shared_->task_in_hand) : std::nullopt;
}

bool Worker::busy() {
  const std::lock_guard lock(shared_->mutex);
  return !shared_->batch_ends.empty() && !shared_->failure;
}

std::exception_ptr Worker::failure() {
  const std::lock_guard lock(shared_->mutex);
  return shared_->failure;
}

double Worker::waited_seconds() {
  const std::lock_guard lock(shared_->mutex);
  return waited_before_seconds_ + shared_->waited_seconds;
}

void Worker::Shared::wait_until(std::unique_lock<std::mutex>& lock,
                                const std::function<bool()>& condition) {
  if (condition()) return;
  const double before = wall_seconds();
  for_worker.wait(lock, condition);
  waited_seconds += wall_seconds() - before;
}

void Worker::Shared::keep(std::uint64_t task, std::span<const std::byte> payload) {
  if (results.empty()) oldest_result_seconds = wall_seconds();
  ByteWriter writer(results);
  writer(task, std::uint64_t{payload.size()});
  writer.raw(payload.data(), payload.size());
  ++results_count;
}

void Worker::Shared::run() {
  Bytes payload;
  std::unique_lock lock(mutex);
  const auto end = [&] {
    ended = true;
    if (left_behind) --hanging_workers;
    for_main.notify_one();
  };
  while (true) {
    wait_until(lock, [&] { return stopping || !queue.empty(); });
    wait_until(lock, [&] { return stopping || results.size() <= max_results_bytes; });
    if (stopping) return end();
    if (queue.empty()) continue;  // dropped while it waited
    TaskList::Block& block = queue.front();
    const std::uint64_t task = block.first++;
    if (--block.count == 0) queue.pop_front();
    in_hand = true;
    task_in_hand = task;

    lock.unlock();
    payload.clear();
    std::exception_ptr thrown;
    try {
      work(task, payload);
    } catch (...) {
      thrown = std::current_exception();
    }
    lock.lock();
    in_hand = false;

    if (thrown) {
      failure = thrown;
      results_due = true;
      return end();
    }
    keep(task, payload);
    const bool batch_done = --batch_ends.front() == 0;
    if (batch_done) batch_ends.pop_front();
    if (batch_done || results.size() >= worth_a_message_bytes) {
      if (!results_due) for_main.notify_one();
      results_due = true;
    }
  }
}

namespace {

// With the write and the way of a result to the root, at most a second is lost.
constexpr std::chrono::milliseconds interval{500};
// Far more than comes in that time, so that only a disk that is too slow holds the ranks up.
constexpr std::size_t max_waiting_bytes = std::size_t{64} << 20;

}  // namespace

Syncer::Syncer(std::function<void()> sync) : sync_(std::move(sync)) {
  if (sync_) thread_ = std::thread([this] { run(); });
}

Syncer::~Syncer() {
  stop();
}

void Syncer::done(std::uint64_t tasks, std::size_t bytes) {
  if (sync_) waiting_bytes_ += bytes;  // before the tasks, as run() reads them after these
  done_ = tasks;
  if (!sync_) durable_ = tasks;
  if (behind()) wake_.notify_one();
}

bool Syncer::behind() const {
  return !failed_ && waiting_bytes_ > max_waiting_bytes;
}

void Syncer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

std::exception_ptr Syncer::failure() {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Syncer::run() {
  std::unique_lock lock(mutex_);
  for (bool last = false; !last;) {
    wake_.wait_for(lock, interval, [&] { return stopping_ || behind(); });
    last = stopping_;
    const std::uint64_t tasks = done_;
    const std::size_t bytes = waiting_bytes_;
    if (tasks == durable_) continue;
    lock.unlock();
    std::exception_ptr thrown;
    try {
      sync_();
    } catch (...) {
      thrown = std::current_exception();
    }
    lock.lock();
    if (thrown) {
      failure_ = thrown;
      failed_ = true;
      return;
    }
    durable_ = tasks;
    waiting_bytes_ -= bytes;
  }
}

}  // namespace nucreg
