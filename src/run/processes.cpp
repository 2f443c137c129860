#include "processes.hpp"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "nucreg/core/error.hpp"

namespace nucreg {

bool runs_here(std::int64_t pid) {
  if (pid <= 1) return false;
  std::error_code error;
  const auto theirs = std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", error);
  if (error) return false;  // also of one that is dead and not yet buried
  const auto mine = std::filesystem::read_symlink("/proc/self/exe", error);
  return !error && theirs == mine;
}

bool all_ranks_here() {
  const char* here = std::getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
  const char* everywhere = std::getenv("OMPI_COMM_WORLD_SIZE");
  return here && everywhere && std::string_view(here) == everywhere;
}

std::map<int, std::int64_t> ranks_here() {
  constexpr std::string_view name("\0OMPI_COMM_WORLD_RANK=", 22);
  std::map<int, std::int64_t> ranks;
  const std::string parent = "\nPPid:\t" + std::to_string(getppid()) + "\n";
  std::error_code error;
  for (std::filesystem::directory_iterator folder("/proc", error), end; !error && folder != end;
       folder.increment(error)) {
    const std::int64_t pid = std::atoll(folder->path().filename().c_str());
    if (pid <= 1 || text_of(folder->path() / "status").find(parent) == std::string::npos) continue;
    const std::string environment = '\0' + text_of(folder->path() / "environ");
    if (const auto at = environment.find(name); at != std::string::npos)
      ranks[std::atoi(environment.c_str() + at + name.size())] = pid;
  }
  return ranks;
}

std::string text_of(const std::filesystem::path& file) {
  // Not by iterators of the buffer: those throw where a read fails.
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

void end_processes(std::vector<std::int64_t> pids) {
  for (int wait = 0; wait < 20; ++wait) {
    std::erase_if(pids, [](std::int64_t pid) { return pid == getpid() || !runs_here(pid); });
    if (pids.empty()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  for (const std::int64_t pid : pids)
    if (runs_here(pid)) kill(static_cast<pid_t>(pid), SIGKILL);
}

namespace {

using namespace std::chrono_literals;

constexpr auto between_looks = 250ms;
constexpr auto longest_absence = 6s;
constexpr auto longest_mpi_start = 50s;  // of MPI, before the ranks leave by themselves

std::string_view variable(const char* name) {
  const char* text = std::getenv(name);
  return text ? text : "";
}

}  // namespace

RootWatch::RootWatch() {
  const std::string_view rank = variable("OMPI_COMM_WORLD_RANK");
  if (rank.empty()) return;
  // Asked for before there is a second thread: MPI changes the environment while it starts, which
  // no other thread may read meanwhile.
  const bool must_be_here = all_ranks_here();
  const auto ranks = static_cast<std::size_t>(std::atoi(variable("OMPI_COMM_WORLD_SIZE").data()));
  is_root_ = rank == "0";
  if (!is_root_)
    thread_ = std::thread([this, must_be_here] { watch_root(must_be_here); });
  else if (must_be_here)
    thread_ = std::thread([this, ranks] { watch_start(ranks); });
}

void RootWatch::started() {
  if (is_root_) stop();
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

void RootWatch::watch_start(std::size_t ranks) {
  const auto begin = std::chrono::steady_clock::now();
  auto last_whole = begin;
  for (std::unique_lock lock(mutex_);
       !wake_.wait_for(lock, between_looks, [&] { return over_; });) {
    const auto now = std::chrono::steady_clock::now();
    if (ranks_here().size() == ranks) last_whole = now;
    if (now - last_whole > longest_absence || now - begin > longest_mpi_start) end_start();
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
