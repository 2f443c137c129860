#include "processes.hpp"

#include <signal.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/core/log.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/disk/files.hpp"
#include "protocol.hpp"

namespace nucreg {

namespace {

std::string_view variable(const char* name) {
  const char* text = std::getenv(name);
  return text ? text : "";
}

/// The program of a process; empty of one that is dead, buried or not.
std::filesystem::path program_of(const std::string& process) {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/" + process + "/exe", error);
}

bool lives_here(std::int64_t pid) {
  return !program_of(std::to_string(pid)).empty();
}

}  // namespace

bool runs_here(std::int64_t pid) {
  if (pid <= 1) return false;
  const auto theirs = program_of(std::to_string(pid));
  return !theirs.empty() && theirs == program_of("self");
}

bool all_ranks_here() {
  const std::string_view here = variable("OMPI_COMM_WORLD_LOCAL_SIZE");
  const bool seen = getppid() > 1;  // not the first process of a container, which sees itself alone
  return seen && !here.empty() && here == variable("OMPI_COMM_WORLD_SIZE");
}

namespace {

/// The value of a variable in what /proc says of a process; empty: it has none.
std::string_view variable_in(std::string_view environment, std::string_view name) {
  while (!environment.empty()) {
    const std::string_view entry = environment.substr(0, environment.find('\0'));
    if (entry.starts_with(name) && entry.substr(name.size()).starts_with('='))
      return entry.substr(name.size() + 1);
    environment.remove_prefix(std::min(entry.size() + 1, environment.size()));
  }
  return {};
}

}  // namespace

std::map<int, std::int64_t> ranks_here() {
  constexpr std::string_view launch = "PMIX_NAMESPACE";
  const std::string own = text_of("/proc/self/environ");
  const std::string_view launched = variable_in(own, launch);
  std::map<int, std::int64_t> ranks;
  if (launched.empty()) return ranks;
  std::error_code error;
  for (std::filesystem::directory_iterator folder("/proc", error), end; !error && folder != end;
       folder.increment(error)) {
    const std::int64_t pid =
        parse_number<std::int64_t>(folder->path().filename().native()).value_or(0);
    if (pid <= 1) continue;
    const std::string environment = text_of(folder->path() / "environ");
    const std::string_view rank = variable_in(environment, "OMPI_COMM_WORLD_RANK");
    if (rank.empty() || variable_in(environment, launch) != launched || !lives_here(pid)) continue;
    // The program's own process before the script that waits for it, or else whichever began first.
    std::int64_t& known = ranks.try_emplace(parse_number<int>(rank).value_or(0), pid).first->second;
    if (std::pair(!runs_here(pid), pid) < std::pair(!runs_here(known), known)) known = pid;
  }
  return ranks;
}

std::string text_of(const std::filesystem::path& file) {
  try {
    return read_file(file);
  } catch (const InputError&) {
    return {};
  }
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

/// Whether a signal keeps that process from running; a debugger does not count.
bool is_stopped(std::int64_t pid) {
  const std::string text = text_of("/proc/" + std::to_string(pid) + "/stat");
  return std::string_view(text).substr(std::min(text.rfind(')'), text.size())).starts_with(") T");
}

}  // namespace

void end_stopped_ranks() {
  constexpr double max_wait_seconds = 10.0, max_stop_seconds = 3.0;
  if (variable("OMPI_COMM_WORLD_LOCAL_RANK") != "0") return;
  struct Other {
    int rank;
    std::int64_t pid;
    double last_running = 0.0;
  };
  std::vector<Other> others;
  for (const auto& [rank, pid] : ranks_here())
    if (pid != getpid()) others.push_back({rank, pid});
  OwnTime clock;
  for (Patience patience; clock.now() < max_wait_seconds;
       std::this_thread::sleep_for(patience.next(true))) {
    std::erase_if(others, [](const Other& other) { return !runs_here(other.pid); });
    if (others.empty()) return;
    for (Other& other : others) {
      if (!is_stopped(other.pid)) other.last_running = clock.now();
      if (clock.now() - other.last_running < max_stop_seconds) continue;
      log_warning("rank {} was stopped as it left and is ended", other.rank);
      kill(static_cast<pid_t>(other.pid), SIGKILL);
      other.last_running = clock.now();
    }
  }
}

namespace {

using namespace std::chrono_literals;

constexpr auto between_looks = 250ms;
constexpr auto max_absence = 6s;
// Of a rank that has not been seen yet: a busy launcher, or what it starts, is slow.
constexpr auto max_delay = 20s;

/// Of MPI, before the ranks leave by themselves; each takes processor time.
std::chrono::seconds max_mpi_start(std::size_t ranks) {
  return 50s + ranks * 1s;
}

}  // namespace

RootWatch::RootWatch() {
  const std::string_view rank = variable("OMPI_COMM_WORLD_RANK");
  if (rank.empty()) return;
  // Asked for before there is a second thread: MPI changes the environment while it starts, which
  // no other thread may read meanwhile.
  const bool must_be_here = all_ranks_here();
  const auto ranks = parse_number<std::size_t>(variable("OMPI_COMM_WORLD_SIZE")).value_or(0);
  is_root_ = rank == "0";
  if (!is_root_)
    thread_ = std::thread([this, must_be_here] { watch_root(must_be_here); });
  else if (must_be_here)
    thread_ = std::thread([this, ranks] { watch_start(ranks); });
}

void RootWatch::started() {
  if (is_root_) return stop();
  const std::lock_guard lock(mutex_);
  started_ = true;
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
[[noreturn]] void end_start(std::string_view why) {
  log_error("{}; nothing was begun", why);
  std::vector<std::int64_t> pids;
  for (const auto& [rank, pid] : ranks_here()) pids.push_back(pid);
  end_processes(std::move(pids));
  std::_Exit(static_cast<int>(ExitStatus::stopped));
}

}  // namespace

namespace {

/// For how long something was not there. Where looks come late, what they look for comes late too.
class Absence {
 public:
  /// After each look; returns for how long it is absent by now.
  std::chrono::nanoseconds seen(bool there) {
    const auto now = std::chrono::steady_clock::now();
    absence_ += std::min<std::chrono::nanoseconds>(now - last_look_, 2 * between_looks);
    last_look_ = now;
    if (there) absence_ = 0s;
    return absence_;
  }

 private:
  std::chrono::steady_clock::time_point last_look_ = std::chrono::steady_clock::now();
  std::chrono::nanoseconds absence_ = 0s;
};

}  // namespace

void RootWatch::watch_start(std::size_t ranks) {
  const auto begin = std::chrono::steady_clock::now();
  Absence of_anyone, of_news;  // of one who came before; of all, or one more
  std::set<int> came;
  for (std::unique_lock lock(mutex_);
       !wake_.wait_for(lock, between_looks, [&] { return over_; });) {
    const auto here = ranks_here();
    const std::size_t before = came.size();
    for (const auto& [rank, pid] : here) came.insert(rank);
    std::vector<int> gone;
    for (const int rank : came)
      if (!here.contains(rank)) gone.push_back(rank);
    if (of_anyone.seen(gone.empty()) > max_absence)
      end_start(fmt::format("gone while MPI starts: rank {}", fmt::join(gone, ", rank ")));
    if (of_news.seen(here.size() == ranks || came.size() > before) > max_delay)
      end_start(fmt::format("{} of {} ranks have come while MPI starts", came.size(), ranks));
    if (const auto limit = max_mpi_start(ranks); std::chrono::steady_clock::now() - begin > limit)
      end_start(fmt::format("MPI has not started on all ranks within {} s", limit.count()));
  }
}

void RootWatch::watch_root(bool must_be_here) {
  std::int64_t root = 0;
  bool was_here = must_be_here;
  Absence absence;
  for (std::unique_lock lock(mutex_);
       !wake_.wait_for(lock, between_looks, [&] { return over_; });) {
    if (!runs_here(root)) {
      const auto ranks = ranks_here();
      const auto found = ranks.find(0);
      root = found != ranks.end() ? found->second : 0;
    }
    was_here |= root != 0;
    if (started_ && !was_here) return;  // it runs on another host
    if (absence.seen(root != 0 || !was_here) > max_absence)
      std::_Exit(static_cast<int>(ExitStatus::stopped));
  }
}

}  // namespace nucreg
