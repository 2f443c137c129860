#include "processes.hpp"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

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

}  // namespace nucreg
