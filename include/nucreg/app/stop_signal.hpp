// Signals that ask a run to stop.
#pragma once

#include <string>

namespace nucreg {

/// From construction to destruction SIGINT, SIGTERM and SIGUSR1 are noted and nothing more, on all
/// ranks: the root asks stop_signal(), the others hear of it from the root. Only a second SIGINT
/// ends the process, at once and with ExitStatus::stopped. One at a time.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
};

/// The first signal that was noted; 0 = none.
[[nodiscard]] int stop_signal();
/// SIGINT, SIGTERM, SIGUSR1.
[[nodiscard]] std::string signal_name(int number);

/// How long tasks in hand may go on after that signal. Open MPI's mpirun passes SIGUSR1 on; on
/// SIGTERM and SIGINT it sends SIGTERM after odls_base_sigkill_timeout, SIGKILL after as long
/// again.
[[nodiscard]] double grace_seconds(int signal_number);

}  // namespace nucreg
