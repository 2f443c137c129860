#include "nucreg/app/on_ranks.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <system_error>

#include "nucreg/app/terminal.hpp"
#include "nucreg/core/allocation.hpp"
#include "nucreg/core/log.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/disk/files.hpp"
#include "nucreg/disk/publish.hpp"
#include "nucreg/run/launcher.hpp"
#include "nucreg/tiles/inputs.hpp"
#include "nucreg/tiles/stages.hpp"
#include "nucreg/tiles/well_stages.hpp"
#include "nucreg/trials/trial_stage.hpp"

namespace nucreg {
namespace {

constexpr std::array signals{SIGINT, SIGTERM, SIGUSR1};
constexpr double standard_grace_seconds = 10.0;
// Part of the time until SIGKILL; the rest is for the partial file.
constexpr double part_for_grace = 0.25;

std::atomic<int> noted = 0;
std::atomic<int> interrupts = 0;
static_assert(std::atomic<int>::is_always_lock_free);
std::array<struct sigaction, signals.size()> before;

// What a second SIGINT says, ready for a signal handler to write.
std::array<char, 4096> farewell;
std::atomic<std::size_t> farewell_bytes = 0;
static_assert(std::atomic<std::size_t>::is_always_lock_free);

void prepare_farewell(const std::string& text) {
  farewell_bytes = 0;
  const std::string shown = shown_text(text);
  const std::size_t bytes = std::min(shown.size(), farewell.size());
  std::copy_n(shown.begin(), bytes, farewell.begin());
  farewell_bytes = bytes;
}

// Only what is safe in a signal handler.
void note(int number) {
  int none = 0;
  noted.compare_exchange_strong(none, number);
  if (number != SIGINT || ++interrupts < 2) return;
  static_cast<void>(!write(STDERR_FILENO, farewell.data(), farewell_bytes));
  _exit(static_cast<int>(ExitStatus::stopped));
}

/// From construction to destruction SIGINT, SIGTERM and SIGUSR1 are noted and nothing more, on all
/// ranks: the root asks stop_signal(), the others hear of it from the root. Only a second SIGINT
/// ends the process, at once and with ExitStatus::stopped. One at a time.
class StopSignals {
 public:
  StopSignals() {
    prepare_farewell("nucreg: leaving at once; outputs that exist are whole\n");
    noted = 0;
    interrupts = 0;
    struct sigaction action {};
    action.sa_handler = note;
    action.sa_flags = SA_RESTART;
    for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &action, &before[i]);
  }
  ~StopSignals() {
    for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &before[i], nullptr);
    noted = 0;
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
};

// Open MPI's mpirun passes SIGUSR1 on; on SIGTERM and SIGINT it sends SIGTERM after
// odls_base_sigkill_timeout, SIGKILL after as long again.
double grace_seconds(int signal_number) {
  const bool launched = std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr;
  if (!launched || signal_number == SIGUSR1) return standard_grace_seconds;
  const char* text = std::getenv("OMPI_MCA_odls_base_sigkill_timeout");
  const double until_kill = parse_number<double>(text ? text : "").value_or(1.0);
  return std::min(standard_grace_seconds, part_for_grace * until_kill);
}

// Each kind of stage that a command may run.
StageKinds stage_kinds(const SolverRegistry& registry) {
  return {{InputsStage::kind, InputsStage::read},
          {NucleiStage::kind, NucleiStage::read},
          {MatchStage::kind, MatchStage::read},
          {SegmentStage::kind, SegmentStage::read},
          {ReadStage::kind, ReadStage::read},
          {PlaceStage::kind, PlaceStage::read},
          {TrialStage::kind, [&registry](ByteReader& reader, int rank) {
             return TrialStage::read(reader, registry, rank);
           }}};
}

// Another rank that throws leaves without a farewell: the root would wait for it for ever, and the
// launcher ends it instead.
ExitStatus on_rank(Communicator& communicator, const SolverRegistry& registry,
                   const std::function<ExitStatus(Stages&)>& root) {
  if (communicator.rank() != 0) {
    const ExitStatus status = serve_stages(communicator, stage_kinds(registry));
    flush_log();
    return status;
  }
  Stages stages(communicator);
  stages.view().stop = announce_stop;
  stages.view().warn = [](const std::string& warning) { print_error("nucreg: {}\n", warning); };
  ExitStatus status = ExitStatus::bug;
  try {
    stages.alive_during([&] { status = root(stages); });
  } catch (...) {
    status = print_exception();
  }
  stages.end(status);
  flush_log();
  write_status(status);
  return status;
}

}  // namespace

ExitStatus on_ranks(const SolverRegistry& registry,
                    const std::function<ExitStatus(Stages&)>& root) {
  keep_freed_memory();
  const StopSignals caught;
  ExitStatus status = ExitStatus::bug;
  if (started_by_launcher()) {
    MpiSession session;
    status = on_rank(session.communicator(), registry, root);
    session.leave_with(static_cast<int>(status));
  } else {
    run_local(1,
              [&](Communicator& communicator) { status = on_rank(communicator, registry, root); });
  }
  return status;
}

void write_status(ExitStatus status) {
  const char* file = std::getenv("NUCREG_STATUS_FILE");
  if (!file) return;
  try {
    check_output(file, true, "");  // a pipe or a device would be replaced
    replace_file(file, fmt::format("{}\n", static_cast<int>(status)));
  } catch (const OutputError& error) {
    print_error("nucreg: NUCREG_STATUS_FILE: {}\n", error.what());
  }
}

ExitStatus print_exception() {
  try {
    throw;
  } catch (const Error& e) {
    print_error("nucreg: {}\n", e.what());
    return e.status();
  } catch (const std::bad_alloc&) {
    print_error("nucreg: there is not enough memory\n");
    return ExitStatus::bug;
  } catch (const std::exception& e) {
    const auto* system = dynamic_cast<const std::system_error*>(&e);
    if (system && system->code() == std::errc::resource_unavailable_try_again)
      print_error(
          "nucreg: the system allows no further thread (ulimit -u and -v, or a container)\n");
    else
      print_error("nucreg: bug: {}\n", e.what());
    return ExitStatus::bug;
  }
}

void announce_journal(const std::filesystem::path& journal) {
  prepare_farewell(
      fmt::format("nucreg: leaving at once; what was done a second ago and before is safe in {}\n"
                  "nucreg: to continue: {}\n",
                  journal.string(), resume_command()));
}

int stop_signal() {
  return noted;
}

std::optional<double> announce_stop(const std::string& tasks) {
  const int number = stop_signal();
  if (number == 0) return std::nullopt;
  // The command comes first, since what sent the signal may not wait for long.
  const double grace = grace_seconds(number);
  print_error(
      "nucreg: {}: {} in progress have {} to end\n"
      "nucreg: to continue: {}\n",
      number == SIGINT    ? "SIGINT"
      : number == SIGTERM ? "SIGTERM"
                          : "SIGUSR1",
      tasks, duration_text(grace), resume_command());
  return grace;
}

}  // namespace nucreg
