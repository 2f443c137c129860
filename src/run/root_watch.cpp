#include "root_watch.hpp"

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "nucreg/core/error.hpp"
#include "processes.hpp"

namespace nucreg {
namespace {

using namespace std::chrono_literals;

constexpr auto between_looks = 250ms;
constexpr auto longest_absence = 6s;
constexpr auto longest_start = 50s;  // of MPI, before the ranks leave by themselves

std::string_view variable(const char* name) {
  const char* text = std::getenv(name);
  return text ? text : "";
}

}  // namespace

RootWatch::RootWatch() {
  const std::string_view rank = variable("OMPI_COMM_WORLD_RANK");
  if (rank.empty()) return;
  const bool must_be_here = all_ranks_here();
  if (rank != "0")
    thread_ = std::thread([this, must_be_here] { watch_root(must_be_here); });
  else if (must_be_here)
    thread_ = std::thread([this] { watch_start(); });
}

void RootWatch::started() {
  if (variable("OMPI_COMM_WORLD_RANK") == "0") stop();
}

RootWatch::~RootWatch() {
  stop();
}

void RootWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

namespace {

/// Whoever hangs, or is stopped, where MPI starts would keep the launcher for ever.
[[noreturn]] void end_start() {
  std::vector<std::int64_t> pids;
  for (const auto& [rank, pid] : ranks_here()) pids.push_back(pid);
  end_processes(std::move(pids));
  std::_Exit(static_cast<int>(ExitStatus::stopped));
}

}  // namespace

void RootWatch::watch_start() {
  const auto ranks = static_cast<std::size_t>(std::atoi(variable("OMPI_COMM_WORLD_SIZE").data()));
  const auto begin = std::chrono::steady_clock::now();
  auto last_whole = begin;
  for (std::unique_lock lock(mutex_);
       !wake_.wait_for(lock, between_looks, [&] { return over_; });) {
    const auto now = std::chrono::steady_clock::now();
    if (ranks_here().size() == ranks) last_whole = now;
    if (now - last_whole > longest_absence || now - begin > longest_start) end_start();
  }
}

void RootWatch::watch_root(bool must_be_here) {
  std::int64_t root = 0;
  auto last_seen = std::chrono::steady_clock::now();
  for (std::unique_lock lock(mutex_);
       !wake_.wait_for(lock, between_looks, [&] { return over_; });) {
    if (root == 0) {
      const auto ranks = ranks_here();
      if (const auto found = ranks.find(0); found != ranks.end()) root = found->second;
    }
    const auto now = std::chrono::steady_clock::now();
    if (root != 0 ? runs_here(root) : !must_be_here) last_seen = now;
    if (now - last_seen > longest_absence) std::_Exit(static_cast<int>(ExitStatus::stopped));
  }
}

}  // namespace nucreg
