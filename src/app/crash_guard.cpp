#include "nucreg/app/crash_guard.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>

#include "nucreg/core/error.hpp"

namespace nucreg {

void read_in_child(const std::vector<std::filesystem::path>& files) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return;  // then without this protection
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) std::_Exit(static_cast<int>(ExitStatus::bug));
    return;
  }
  int ended = 0;
  while (waitpid(child, &ended, 0) < 0 && errno == EINTR) continue;
  if (WIFEXITED(ended)) std::_Exit(WEXITSTATUS(ended));
  const int number = WTERMSIG(ended);
  if (number != SIGSEGV && number != SIGBUS && number != SIGABRT && number != SIGFPE) {
    std::signal(number, SIG_DFL);  // somebody has ended it: the parent goes the same way
    std::raise(number);
    std::_Exit(static_cast<int>(ExitStatus::bug));
  }
  std::string names;
  for (const auto& file : files) names += (names.empty() ? "" : " or ") + file.string();
  throw InputError(
      fmt::format("reading it crashed (SIG{}), as the HDF5 library does where a file is "
                  "damaged",
                  sigabbrev_np(number)),
      {.file = names});
}

}  // namespace nucreg
