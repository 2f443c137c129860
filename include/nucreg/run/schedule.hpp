// Which rank gets which tasks next. Pure bookkeeping: no threads, no clock, no messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "nucreg/run/dispatch.hpp"

namespace nucreg {

/// Tasks that are handed out together, in the order in which they are done.
using Batch = std::vector<TaskList::Block>;

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
  /// A result has come. A rank brings them back in the order of its batches; false = this is not
  /// the task that the rank owed next, and nothing changed.
  [[nodiscard]] bool returned(int rank, std::uint64_t task);

  [[nodiscard]] std::uint64_t total() const { return total_; }
  [[nodiscard]] std::uint64_t done() const { return done_; }
  [[nodiscard]] bool finished() const { return done_ == total_; }

 private:
  struct Rank {
    std::deque<std::deque<TaskList::Block>> held;  // what has not come back of each batch
    double returned_cost = 0.0;
    double last_batch_cost = 0.0;
  };
  [[nodiscard]] double budget(const Rank& rank) const;

  std::deque<TaskList::Block> pool_;
  std::vector<Rank> ranks_;
  std::uint64_t total_ = 0, done_ = 0;
  std::uint64_t pool_tasks_ = 0;
  double pool_cost_ = 0.0;
  double returned_cost_ = 0.0;
  double head_start_ = 0.0;  // as if each rank had brought back this much: equal shares at first
};

}  // namespace nucreg
