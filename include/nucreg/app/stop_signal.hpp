// Signals that ask a run to stop.
#pragma once

#include <string_view>

#include "nucreg/run/dispatch.hpp"

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

/// Of `options` what dispatch is to ask as stop_requested, on the root: whether a signal was noted.
/// Where it was, tells so and how to go on, and sets for how long `tasks`, such as "trials", that
/// are in hand may go on: only now is it known when what sent the signal kills.
[[nodiscard]] bool stop_told(std::string_view tasks, DispatchOptions& options);

}  // namespace nucreg
