// Hands numbered tasks to ranks and brings back what they made. Knows nothing of what a task is.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/core/table.hpp"
#include "nucreg/run/communicator.hpp"

namespace nucreg {

/// What the root knows before the first task.
struct TaskList {
  /// Tasks in the order in which they are handed out, as blocks of consecutive numbers:
  /// biggest cost first. Memory is per block, never per task.
  struct Block {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    double cost_seconds = 0.0;  ///< estimate for one task; only ratios matter
  };
  std::vector<Block> blocks;
};

/// Does one task on the rank's worker thread and appends its result to `payload`.
/// Called for one task at a time; but where one hangs on the root, the next is called from another
/// thread while that one never returns. It is kept as long as a thread is in it: let it own, by
/// shared_ptr, what it uses. A failure is a result; if it throws all the same, the run ends on all
/// ranks and dispatch throws on the root.
using Work = std::function<void(std::uint64_t task, Bytes& payload)>;

/// Takes the result of one task, on the root's main thread; `rank` did it. May throw: the run then
/// ends on all ranks and dispatch rethrows on the root.
using Sink = std::function<void(std::uint64_t task, int rank, std::span<const std::byte> payload)>;

/// A line of progress for the root's user, printed at most ten times a second and once at the end.
struct Progress {
  std::uint64_t done = 0, total = 0;
  double elapsed_seconds = 0.0;
};

/// What a rank does now, as it said last.
struct RankNow {
  bool lost = false;
  bool heard = false;                 ///< has said anything of itself yet
  std::optional<std::uint64_t> task;  ///< in progress
  double task_seconds = 0.0;          ///< that it has been seen with it, at least
  std::uint64_t tasks_done = 0;
  double cpu_percent = 0.0;   ///< of its process; 100 = one processor
  double busy_percent = 0.0;  ///< time with a task in progress
  std::int64_t rss_bytes = 0;
};

struct DispatchOptions {
  double monitor_seconds = 30.0;                  ///< between two samples; 0 = only start and end
  std::uint64_t solves_per_task = 1;              ///< for the `solves` columns
  std::function<void(const Progress&)> progress;  ///< root only; may be empty; must not throw
  /// Root only, each heartbeat, may be empty; by rank. Must not throw, nor take long.
  std::function<void(const std::vector<RankNow>&)> watch;

  /// Root only, asked every few milliseconds, may be empty. Once it says true nothing more is
  /// handed out, ranks drop what they have not begun, and current tasks have `grace_seconds` to
  /// end.
  std::function<bool()> stop_requested;
  double grace_seconds = 10.0;

  /// Root only, may be empty: makes durable what the sink was given. Called at least once a second
  /// while results come and once at the end, from a thread of its own, so that a slow disk does not
  /// make the root look dead: it must bear being called while the sink is, which should not wait
  /// for the disk. Where more than 64 MiB are not durable yet, no results are taken until they are.
  /// What it throws ends the run as what the sink throws. Progress counts only what a sync has
  /// covered.
  std::function<void()> sync;

  /// A task that is not back this long after its rank could begin it hangs: the rank is lost.
  double lease_seconds = 60.0;
  double heartbeat_seconds = standard_heartbeat_seconds;
  double lost_seconds = standard_lost_seconds;
  double start_seconds = 30.0;  ///< instead of it before its first word: it may still load

  /// Root only: makes the result of a task that hung on `max_tries` ranks, or with which twice as
  /// many died (of which the task need not be guilty), or that hangs when no other rank is left, so
  /// that each task has one. It may wait for a disk. Empty: dispatch throws an Error instead.
  std::function<void(std::uint64_t task, Bytes& payload)> abandoned;
  int max_tries = 2;
};

/// A rank that was given up, and what it held then.
struct LostRank {
  int rank = 0;
  std::string host;
  std::string reason;                  ///< in words, for the log
  std::vector<TaskList::Block> tasks;  ///< they went to others, or were late and taken all the same
};

/// What dispatch returns on the root: /ranks and /rank_samples of the result file.
struct DispatchReport {
  Table ranks, samples;  ///< of a lost rank what was known last
  std::uint64_t tasks_done = 0;
  double seconds = 0.0;
  bool stopped = false;  ///< stop_requested said true, and not all tasks are done
  std::vector<LostRank> lost;
};

/// The root is not heard any more: this rank must end, `--resume` continues (exit status 4).
struct RootLost : Error {
  RootLost() : Error(ExitStatus::stopped, "rank 0 is not heard any more") {}
};

/// What each rank reports of itself at the start; gathered on the root.
struct RankFacts {
  int rank = 0;
  std::string host;
  std::int64_t pid = 0;
  std::vector<int> cpus;          ///< processors that the rank may run on
  std::string clock_source = {};  ///< of its host; empty: unknown
  double clock_step_seconds = 0.0;
  /// Ranks with the same open the same files by the same names; others may. Of a rank that was lost
  /// before it said so: empty.
  std::string file_view = {};
};
void fields(auto& archive, MaybeConst<RankFacts> auto& facts) {
  archive(facts.rank, facts.host, facts.pid, facts.cpus, facts.clock_source,
          facts.clock_step_seconds, facts.file_view);
}
[[nodiscard]] RankFacts this_rank_facts(int rank);
/// Ascending numbers as "0-1,4".
[[nodiscard]] std::string cpu_list(std::span<const int> cpus);
/// For each rank, whether more threads (ranks times their threads) run on its host than processors
/// are open to all ranks there, or on it than are open to it.
[[nodiscard]] std::vector<bool> oversubscribed(const std::vector<RankFacts>& ranks,
                                               std::size_t threads_per_rank = 1);

/// Root: runs `act`, on another thread if there are other ranks, and lets these know meanwhile
/// that the root lives. Throws what `act` throws.
void say_alive_during(Communicator& communicator, const std::function<void()>& act,
                      double heartbeat_seconds = standard_heartbeat_seconds);

/// Root: gathers facts of all ranks, gives every rank `setup` (any bytes), and returns the facts.
/// Until it has returned, the root must report every failure of its own, `setup` included, by
/// refuse_setup; the other ranks wait for one of the two. Point to point. `setup` runs on another
/// thread, so that the ranks hear meanwhile that the root lives: do what takes long in there, since
/// before this call they cannot distinguish a busy root from a dead one and wait up to 10 minutes
/// (but see Stages::alive_during). A rank that does not come within a minute is given up, with
/// default facts. Throws JobError if a rank is of another build.
[[nodiscard]] std::vector<RankFacts> share_setup(
    Communicator& communicator, const std::function<Bytes(const std::vector<RankFacts>&)>& setup);
/// Root, instead of share_setup or after it threw: there will be no run; every other rank's
/// receive_setup throws SetupRefused with that status. Returns when all have heard it.
void refuse_setup(Communicator& communicator, int exit_status);
/// Other ranks: sends this rank's facts and waits for the root's bytes. Throws SetupRefused,
/// RootLost.
[[nodiscard]] Bytes receive_setup(Communicator& communicator);

/// The root could not start the run and has said why: leave quietly with its status.
struct SetupRefused : std::runtime_error {
  explicit SetupRefused(int status)
      : std::runtime_error("the root ended the run before it began"), exit_status(status) {}
  int exit_status;
};

/// Root: runs all tasks on all ranks, the root's own worker thread included. Batches shrink towards
/// the end, each rank holds the next one before it is done with the last, results stream back.
/// Ranks that die, stop or hang are reported, not thrown; root alone finishes if it must.
[[nodiscard]] DispatchReport dispatch(Communicator& communicator, const TaskList& tasks,
                                      const Work& work, const Sink& sink,
                                      const std::vector<RankFacts>& facts,
                                      const DispatchOptions& options);
/// Other ranks: works until the root says that it is over. Throws RootLost.
void serve(Communicator& communicator, const Work& work, const DispatchOptions& options);

}  // namespace nucreg
