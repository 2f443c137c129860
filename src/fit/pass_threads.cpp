#include "nucreg/fit/pass_threads.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <time.h>

#include <system_error>

#include "nucreg/core/error.hpp"

namespace nucreg {
namespace {

constexpr unsigned index_bits = 24;
constexpr std::uint64_t index_mask = (std::uint64_t{1} << index_bits) - 1;

}  // namespace

PassThreads::PassThreads(std::size_t count) {
  try {
    for (std::size_t i = 1; i < count; ++i) others_.emplace_back([this] { work(); });
  } catch (const std::system_error& e) {
    const std::size_t got = others_.size() + 1;
    close();
    throw JobError(fmt::format("cannot start {} threads, only {}: {}", count, got, e.what()),
                   {.key = "run.threads_per_rank"});
  }
}

PassThreads::~PassThreads() {
  close();
}

void PassThreads::close() {
  closing_ = true;
  ++generation_;
  generation_.notify_all();
  for (std::thread& thread : others_) thread.join();
}

void PassThreads::run(std::size_t tasks, Call call, const void* task) {
  call_ = call;
  task_ = task;
  finished_ = 0;
  const std::uint64_t generation = generation_ + 1;
  ticket_ = (generation << (2 * index_bits)) | (std::uint64_t{tasks} << index_bits);
  ++generation_;
  generation_.notify_all();
  take_tasks();
  // The others have at most one task each left. Asleep, this thread would look like one that lost
  // its processor.
  while (finished_ != tasks) std::this_thread::yield();
}

void PassThreads::take_tasks() {
  for (;;) {
    const std::uint64_t ticket = ticket_.fetch_add(1);
    const std::uint64_t index = ticket & index_mask;
    if (index >= ((ticket >> index_bits) & index_mask)) return;
    call_(task_, index);
    ++finished_;
  }
}

void PassThreads::work() {
  std::uint32_t seen = 0;
  for (;;) {
    generation_.wait(seen);
    seen = generation_;
    if (closing_) return;
    take_tasks();
  }
}

double PassThreads::cpu_seconds() {
  double seconds = 0.0;
  for (std::thread& thread : others_) {
    clockid_t clock{};
    timespec used{};
    if (pthread_getcpuclockid(thread.native_handle(), &clock) == 0 &&
        clock_gettime(clock, &used) == 0)
      seconds += static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
  }
  return seconds;
}

}  // namespace nucreg
