#include "root_watch.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "nucreg/core/error.hpp"
#include "processes.hpp"

namespace nucreg {
namespace {

using namespace std::chrono_literals;

constexpr auto between_looks = 250ms;
constexpr auto longest_absence = 6s;

/// The process of rank 0 that the launcher of this one started; 0 = it is not there.
std::int64_t find_root() {
  const std::string parent = "\nPPid:\t" + std::to_string(getppid()) + "\n";
  std::error_code error;
  for (std::filesystem::directory_iterator folder("/proc", error), end; !error && folder != end;
       folder.increment(error)) {
    const std::int64_t pid = std::atoll(folder->path().filename().c_str());
    if (pid > 1 && text_of(folder->path() / "status").find(parent) != std::string::npos &&
        ('\0' + text_of(folder->path() / "environ"))
                .find(std::string_view("\0OMPI_COMM_WORLD_RANK=0\0", 24)) != std::string::npos)
      return pid;
  }
  return 0;
}

std::string_view variable(const char* name) {
  const char* text = std::getenv(name);
  return text ? text : "";
}

}  // namespace

RootWatch::RootWatch() {
  const std::string_view rank = variable("OMPI_COMM_WORLD_RANK");
  if (rank.empty() || rank == "0") return;
  const bool must_be_here =
      variable("OMPI_COMM_WORLD_LOCAL_SIZE") == variable("OMPI_COMM_WORLD_SIZE");
  thread_ = std::thread([this, must_be_here] { watch(must_be_here); });
}

RootWatch::~RootWatch() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void RootWatch::watch(bool must_be_here) {
  std::int64_t root = 0;
  auto last_seen = std::chrono::steady_clock::now();
  for (std::unique_lock lock(mutex_);
       !wake_.wait_for(lock, between_looks, [&] { return over_; });) {
    if (root == 0) root = find_root();
    const auto now = std::chrono::steady_clock::now();
    if (root != 0 ? runs_here(root) : !must_be_here) last_seen = now;
    if (now - last_seen > longest_absence) std::_Exit(static_cast<int>(ExitStatus::stopped));
  }
}

}  // namespace nucreg
