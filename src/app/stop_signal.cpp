#include "nucreg/app/stop_signal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "nucreg/app/launch_line.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/text.hpp"

namespace nucreg {
namespace {

constexpr std::array signals{SIGINT, SIGTERM, SIGUSR1};
constexpr double standard_grace_seconds = 10.0;
// Of the time until SIGKILL; the rest is for the partial file.
constexpr double part_for_grace = 0.25;

std::atomic<int> noted = 0;
std::atomic<int> interrupts = 0;
static_assert(std::atomic<int>::is_always_lock_free);
std::array<struct sigaction, signals.size()> before;

// Only what is safe in a signal handler.
void note(int number) {
  int none = 0;
  noted.compare_exchange_strong(none, number);
  if (number != SIGINT || ++interrupts < 2) return;
  constexpr std::string_view text = "nucreg: leaving at once; --resume goes on\n";
  static_cast<void>(!write(STDERR_FILENO, text.data(), text.size()));
  _exit(static_cast<int>(ExitStatus::stopped));
}

}  // namespace

StopSignals::StopSignals() {
  noted = 0;
  interrupts = 0;
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &action, &before[i]);
}

StopSignals::~StopSignals() {
  for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &before[i], nullptr);
}

int stop_signal() {
  return noted;
}

namespace {

// Open MPI's mpirun passes SIGUSR1 on; on SIGTERM and SIGINT it sends SIGTERM after
// odls_base_sigkill_timeout, SIGKILL after as long again.
double grace_seconds(int signal_number) {
  const bool launched = std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr;
  if (!launched || signal_number == SIGUSR1) return standard_grace_seconds;
  const char* text = std::getenv("OMPI_MCA_odls_base_sigkill_timeout");
  const double until_kill = text ? std::atof(text) : 1.0;
  return std::min(standard_grace_seconds, part_for_grace * until_kill);
}

}  // namespace

bool stop_told(std::string_view tasks, DispatchOptions& options) {
  const int number = stop_signal();
  if (number == 0) return false;
  // The command comes first, since what sent the signal may not wait for long.
  options.grace_seconds = grace_seconds(number);
  fmt::print(stderr,
             "{}nucreg: {}: {} in hand have {} to end\n"
             "nucreg: to go on: {}\n",
             over_bar(),
             number == SIGINT    ? "SIGINT"
             : number == SIGTERM ? "SIGTERM"
                                 : "SIGUSR1",
             tasks, duration_text(options.grace_seconds), resume_command());
  return true;
}

}  // namespace nucreg
