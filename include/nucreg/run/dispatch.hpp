// Hands numbered tasks to ranks and brings back what they made. Knows nothing of what a task is.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

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
/// Must not throw: a failure is a result. Called for one task at a time.
using Work = std::function<void(std::uint64_t task, Bytes& payload)>;

/// Takes the result of one task, on the root's main thread; `rank` did it. May throw: the run then
/// ends on all ranks and dispatch rethrows on the root.
using Sink = std::function<void(std::uint64_t task, int rank, std::span<const std::byte> payload)>;

/// A line of progress for the root's user, called at most ten times a second.
struct Progress {
  std::uint64_t done = 0, total = 0;
  double elapsed_seconds = 0.0;
};

struct DispatchOptions {
  double monitor_seconds = 30.0;                  ///< between two samples of /rank_samples
  std::function<void(const Progress&)> progress;  ///< root only; may be empty
};

/// What dispatch returns on the root: /ranks and /rank_samples of the result file.
struct DispatchReport {
  Table ranks, samples;
  std::uint64_t tasks_done = 0;
  double seconds = 0.0;
};

/// What each rank tells of itself at the start; gathered on the root.
struct RankFacts {
  int rank = 0;
  std::string host;
  std::int64_t pid = 0;
  std::vector<int> cpus;  ///< processors that the rank may run on
};
[[nodiscard]] RankFacts this_rank_facts(int rank);
/// Whether more ranks run on that rank's host than processors are open to all ranks there.
[[nodiscard]] bool oversubscribed(const RankFacts& rank, const std::vector<RankFacts>& all);

/// Root: gathers facts of all ranks, gives every rank `setup` (any bytes), and returns the facts.
/// Others: see receive_setup. Point to point.
[[nodiscard]] std::vector<RankFacts> share_setup(
    Communicator& communicator, const std::function<Bytes(const std::vector<RankFacts>&)>& setup);
/// Other ranks: sends this rank's facts and waits for the root's bytes.
[[nodiscard]] Bytes receive_setup(Communicator& communicator);

/// Root: runs all tasks on all ranks, the root's own worker thread included. Batches shrink towards
/// the end, each rank holds the next one before it is done with the last, results stream back.
[[nodiscard]] DispatchReport dispatch(Communicator& communicator, const TaskList& tasks,
                                      const Work& work, const Sink& sink,
                                      const std::vector<RankFacts>& facts,
                                      const DispatchOptions& options);
/// Other ranks: works until the root says that it is over.
void serve(Communicator& communicator, const Work& work, const DispatchOptions& options);

}  // namespace nucreg
