// A run of tasks that sleep, for tests that kill its ranks. Usage:
//     fault_program JOURNAL TASKS SLEEP_MS [resume] [lease=S] [grace=S] [linger=S] [pareto]
//                   [hang=WHO:TASK] [die=WHO:TASK] [slow=WHO:TASK] [stop-at-end=RANK]
// WHO hangs in that task, is ended by it or is in it until for 2 s no other comes back: a rank,
// "all", "others" (than rank 0) or "first". With pareto SLEEP_MS is the mean of heavy-tailed
// lengths. SIGTERM stops it. Rank 0 prints a line for each lost rank and a last one:
//     done N new, stopped 0|1, abandoned N, T s for SUM s
// and leaves with 0 (all done), 4 (stopped) or 5 (journal not written).
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "mpi/no_leak_check.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/random.hpp"
#include "nucreg/run/communicator.hpp"
#include "nucreg/run/dispatch.hpp"
#include "nucreg/run/journal.hpp"
#include "nucreg/run/launcher.hpp"

namespace {

using namespace nucreg;

volatile std::sig_atomic_t stop = 0;

struct Options {
  std::string journal;
  std::uint64_t tasks = 0;
  int sleep_ms = 0;
  std::map<std::string, std::string> rest;

  Options(int argc, char** argv) : journal(argv[1]) {
    tasks = std::strtoull(argv[2], nullptr, 10);
    sleep_ms = std::atoi(argv[3]);
    for (int i = 4; i < argc; ++i) {
      const std::string text = argv[i];
      const auto equal = text.find('=');
      rest[text.substr(0, equal)] = equal == std::string::npos ? "1" : text.substr(equal + 1);
    }
  }
  [[nodiscard]] double seconds(const char* key, double otherwise) const {
    const auto found = rest.find(key);
    return found == rest.end() ? otherwise : std::atof(found->second.c_str());
  }
  /// Whether `key` names this task, and this rank.
  [[nodiscard]] bool names(const char* key, int rank, std::uint64_t task) const {
    const auto found = rest.find(key);
    if (found == rest.end()) return false;
    const auto colon = found->second.find(':');
    if (std::strtoull(found->second.c_str() + colon + 1, nullptr, 10) != task) return false;
    const std::string who = found->second.substr(0, colon);
    if (who == "first") {
      const std::string mark = journal + "." + key;
      const int descriptor = open(mark.c_str(), O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      return descriptor >= 0 && close(descriptor) == 0;
    }
    return who == "all" || (who == "others" ? rank != 0 : std::atoi(who.c_str()) == rank);
  }
  /// What a task takes.
  [[nodiscard]] std::chrono::duration<double> length(std::uint64_t task) const {
    const double mean = 1e-3 * sleep_ms;
    if (!rest.contains("pareto")) return std::chrono::duration<double>(mean);
    constexpr double exponent = 2.5;
    RandomStream random(1, 0, static_cast<std::uint32_t>(task), Purpose::draws);
    return std::chrono::duration<double>(mean * (exponent - 1.0) / exponent *
                                         std::pow(1.0 - random.uniform(), -1.0 / exponent));
  }
};

/// Results in the journal.
void wait_until_no_more_come(const std::string& journal) {
  for (std::uintmax_t before = 0, now = 1; now != before;) {
    before = now;
    std::this_thread::sleep_for(std::chrono::seconds(2));
    now = std::filesystem::file_size(journal);
  }
}

Work make_work(std::shared_ptr<const Options> options, int rank) {
  return [options, rank](std::uint64_t task, Bytes& payload) {
    if (options->names("die", rank, task)) std::raise(SIGKILL);
    if (options->names("hang", rank, task)) std::this_thread::sleep_for(std::chrono::hours(1));
    if (options->names("slow", rank, task)) wait_until_no_more_come(options->journal);
    if (options->sleep_ms > 0) std::this_thread::sleep_for(options->length(task));
    payload.resize(300 + task % 7, std::byte{1});
  };
}

/// All tasks but those that the journal has.
TaskList missing_tasks(const Options& options) {
  std::vector<bool> done(options.tasks, false);
  if (options.rest.contains("resume"))
    JournalReader(options.journal).scan([&](std::uint64_t task, int, std::uint64_t) {
      done.at(task) = true;
    });
  TaskList list;
  for (std::uint64_t task = 0; task < options.tasks; ++task) {
    if (done[task]) continue;
    if (!list.blocks.empty() && list.blocks.back().first + list.blocks.back().count == task)
      ++list.blocks.back().count;
    else
      list.blocks.push_back({task, 1, 1.0});
  }
  return list;
}

int run_root(Communicator& communicator, const std::shared_ptr<const Options>& options,
             DispatchOptions dispatch_options) {
  const TaskList tasks = missing_tasks(*options);
  auto journal = options->rest.contains("resume")
                     ? JournalWriter::append_to(options->journal, "fault")
                     : std::make_unique<JournalWriter>(options->journal, "fault");
  int abandoned = 0;
  dispatch_options.stop_requested = [] { return stop != 0; };
  dispatch_options.sync = [&] { journal->sync(); };
  dispatch_options.abandoned = [&](std::uint64_t, Bytes&) { ++abandoned; };
  const auto facts = share_setup(communicator, [](const auto&) { return Bytes{}; });
  const auto report = dispatch(
      communicator, tasks, make_work(options, 0),
      [&](std::uint64_t task, int rank, std::span<const std::byte> payload) {
        journal->add(task, rank, payload);
      },
      facts, dispatch_options);
  journal->sync();
  std::this_thread::sleep_for(std::chrono::duration<double>(options->seconds("linger", 0.0)));
  for (const LostRank& lost : report.lost) {
    std::printf("lost rank %d on %s: %s; tasks", lost.rank, lost.host.c_str(), lost.reason.c_str());
    for (const auto& block : lost.tasks)
      std::printf(" %llu+%llu", static_cast<unsigned long long>(block.first),
                  static_cast<unsigned long long>(block.count));
    std::printf("\n");
  }
  double asked = 0.0;
  for (const TaskList::Block& block : tasks.blocks)
    for (std::uint64_t i = 0; i < block.count; ++i)
      asked += options->length(block.first + i).count();
  std::printf("done %llu new, stopped %d, abandoned %d, %.2f s for %.2f s\n",
              static_cast<unsigned long long>(report.tasks_done), report.stopped, abandoned,
              report.seconds, asked);
  return static_cast<int>(report.stopped ? ExitStatus::stopped : ExitStatus::done);
}

int run(Communicator& communicator, int argc, char** argv) {
  const auto options = std::make_shared<const Options>(argc, argv);
  const DispatchOptions common{.monitor_seconds = 0.0,
                               .grace_seconds = options->seconds("grace", 10.0),
                               .lease_seconds = options->seconds("lease", 60.0)};
  try {
    if (communicator.rank() == 0) return run_root(communicator, options, common);
    (void)receive_setup(communicator);
    serve(communicator, make_work(options, communicator.rank()), common);
    if (options->seconds("stop-at-end", 0.0) == communicator.rank()) std::raise(SIGSTOP);
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "rank %d: %s\n", communicator.rank(), error.what());
    return static_cast<int>(error.status());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  std::signal(SIGTERM, [](int) { stop = 1; });
  int status = 1;
  if (started_by_launcher()) {
    MpiSession session;
    status = run(session.communicator(), argc, argv);
    session.leave_with(status);
  } else {
    run_local(1, [&](Communicator& communicator) { status = run(communicator, argc, argv); });
  }
  if (has_hanging_worker()) {
    std::fflush(nullptr);
    std::_Exit(status);
  }
  return status;
}
