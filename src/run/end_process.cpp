#include "end_process.hpp"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>

namespace nucreg {
namespace {

/// Its number may have gone to another process in the meantime, so the program is compared.
bool is_ours(std::int64_t pid) {
  if (pid <= 1 || pid == getpid()) return false;
  std::error_code error;
  const auto theirs = std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", error);
  if (error) return false;
  const auto mine = std::filesystem::read_symlink("/proc/self/exe", error);
  return !error && theirs == mine;
}

}  // namespace

void end_processes(std::vector<std::int64_t> pids) {
  for (int wait = 0; wait < 20; ++wait) {
    std::erase_if(pids, [](std::int64_t pid) { return !is_ours(pid); });
    if (pids.empty()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  for (const std::int64_t pid : pids)
    if (is_ours(pid)) kill(static_cast<pid_t>(pid), SIGKILL);
}

}  // namespace nucreg
