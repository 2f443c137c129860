// Which rank gets which tasks next. Pure bookkeeping: no threads, no clock, no messages.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "nucreg/run/dispatch.hpp"

namespace nucreg {

/// Tasks that are handed out together, in the order in which they are done.
using Batch = std::vector<TaskList::Block>;

/// What to do with a result.
enum class Answer {
  taken,      ///< it is the first of its task
  duplicate,  ///< another rank has brought it already
  unordered,  ///< the rank never had this task, or not next
};

/// Guided self-scheduling (Polychronopoulos and Kuck 1987) by cost: a batch is a fixed fraction of
/// the rank's share of the cost that is left, so batches shrink towards the end. The share of a
/// rank is an equal one, or what it has brought back of all that came back where that is less, so
/// slow ranks get less (as in weighted factoring, Hummel et al. 1996). A rank starts small, until
/// its speed is known.
class Schedule {
 public:
  /// Costs that are not positive numbers count as the smallest one that is.
  Schedule(const TaskList& tasks, int ranks);

  /// The next batch for a rank; empty while it holds enough, or when nothing is left. A rank holds
  /// two batches so that it need not wait for the next; the last tasks go only to ranks that hold
  /// nothing, so that none waits behind a long one.
  [[nodiscard]] Batch grant(int rank);
  /// A result has come. A rank brings them back in the order of its batches. One whose tasks were
  /// revoked may bring them all the same, if nobody else has done so yet.
  [[nodiscard]] Answer returned(int rank, std::uint64_t task);
  /// The task that a rank owes next: the one in its hands, or its result is on the way.
  [[nodiscard]] std::optional<std::uint64_t> owed_next(int rank) const;
  /// Takes back all that a rank owes, to be handed out before all else. `lost`: the rank gets
  /// nothing any more. The task that it owed next is handed out alone, and so are the `suspects`
  /// behind it, in case one of them was the cause; rank 0 is spared those while it has company.
  Batch revoke(int rank, bool lost, std::uint64_t suspects = 0);
  /// A task that nobody holds is done by other means; false = it is none.
  bool settle(std::uint64_t task);
  /// Ranks that were not lost.
  [[nodiscard]] int active() const { return active_; }

  [[nodiscard]] std::uint64_t total() const { return total_; }
  [[nodiscard]] std::uint64_t done() const { return done_; }
  [[nodiscard]] bool finished() const { return done_ == total_; }

 private:
  using Blocks = std::deque<TaskList::Block>;
  struct Rank {
    std::deque<Blocks> held;  // what has not come back of each batch
    Blocks revoked;           // may still come back
    Blocks overtaken;         // held, but a late answer was faster
    double returned_cost = 0.0;
    double last_batch_cost = 0.0;
    bool lost = false;
  };
  [[nodiscard]] double budget(const Rank& rank) const;
  [[nodiscard]] bool overtake(std::uint64_t task);

  Blocks alone_;  // handed out before the pool, task by task
  Blocks pool_;
  std::vector<Rank> ranks_;
  std::uint64_t total_ = 0, done_ = 0;
  std::uint64_t pool_tasks_ = 0;  // alone_ included
  double pool_cost_ = 0.0;
  int active_ = 0;
  double returned_cost_ = 0.0;
  double head_start_ = 0.0;  // as if each rank had brought back this much: equal shares at first
};

}  // namespace nucreg
