#include "syncer.hpp"

#include <chrono>
#include <utility>

namespace nucreg {
namespace {

// With the write and the way of a result to the root, at most a second is lost.
constexpr std::chrono::milliseconds interval{500};

}  // namespace

Syncer::Syncer(std::function<void()> sync) : sync_(std::move(sync)) {
  if (sync_) thread_ = std::thread([this] { run(); });
}

Syncer::~Syncer() {
  stop();
}

void Syncer::done(std::uint64_t tasks) {
  done_ = tasks;
  if (!sync_) durable_ = tasks;
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
    wake_.wait_for(lock, interval, [&] { return stopping_; });
    last = stopping_;
    const std::uint64_t tasks = done_;
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
      return;
    }
    durable_ = tasks;
  }
}

}  // namespace nucreg
