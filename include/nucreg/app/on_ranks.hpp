// A command that runs on all ranks: the root does it, the others serve its stages until it ends.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "nucreg/core/error.hpp"
#include "nucreg/run/stage.hpp"
#include "nucreg/solve/registry.hpp"

namespace nucreg {

/// `root` on rank 0 of what the launcher started, or on the one rank there is; what it throws is
/// printed and becomes the status. Its stages heed signals to stop (announce_stop) and print their
/// warnings. Memory that is freed is kept for what comes next.
[[nodiscard]] ExitStatus on_ranks(const SolverRegistry& registry,
                                  const std::function<ExitStatus(Stages&)>& root);

/// For scripts, into the file that NUCREG_STATUS_FILE names, if it does: mpirun reports no status
/// with --enable-recovery.
void write_status(ExitStatus status);

/// Prints the exception in flight to standard error; its status.
ExitStatus print_exception();

/// What a second SIGINT, which ends the process at once, is to say: this journal is kept.
void announce_journal(const std::filesystem::path& journal);
/// The first signal to stop that was noted; 0 = none.
[[nodiscard]] int stop_signal();
/// For RunView::stop: once a signal to stop has arrived, says so, how to continue, and for how many
/// seconds tasks in progress may continue: only now is it known when what sent the signal kills.
[[nodiscard]] std::optional<double> announce_stop(const std::string& tasks);

}  // namespace nucreg
