#include "nucreg/run/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nucreg {
namespace {

// Each batch is a quarter of the rank's share, so two held batches leave half of the work movable.
constexpr double batches_per_share = 4.0;
// The first batch of a rank is this much smaller, and none exceeds the last by more than `growth`.
constexpr double first_batch = 1.0 / 64.0;
constexpr double growth = 4.0;

bool usable(double cost) {
  return std::isfinite(cost) && cost > 0.0;
}

}  // namespace

Schedule::Schedule(const TaskList& tasks, int ranks) : ranks_(static_cast<std::size_t>(ranks)) {
  double smallest = std::numeric_limits<double>::infinity();
  for (const TaskList::Block& block : tasks.blocks)
    if (usable(block.cost_seconds)) smallest = std::min(smallest, block.cost_seconds);
  if (!usable(smallest)) smallest = 1.0;

  for (TaskList::Block block : tasks.blocks) {
    if (block.count == 0) continue;
    if (!usable(block.cost_seconds)) block.cost_seconds = smallest;
    total_ += block.count;
    pool_cost_ += static_cast<double>(block.count) * block.cost_seconds;
    pool_.push_back(block);
  }
  pool_tasks_ = total_;
  const double fair = pool_cost_ / (batches_per_share * static_cast<double>(ranks_.size()));
  head_start_ = std::max(fair * first_batch, smallest);
}

double Schedule::budget(const Rank& rank) const {
  // Never more than an equal share: what came back is known late and by whole batches.
  const double ranks = static_cast<double>(ranks_.size());
  const double all = returned_cost_ + head_start_ * ranks;
  const double share = std::min((rank.returned_cost + head_start_) / all, 1.0 / ranks);
  const double fair = std::max(pool_cost_, 0.0) * share / batches_per_share;
  return std::min(fair, rank.last_batch_cost > 0.0 ? growth * rank.last_batch_cost : head_start_);
}

Batch Schedule::grant(int rank_number) {
  Rank& rank = ranks_.at(static_cast<std::size_t>(rank_number));
  const std::size_t may_hold = pool_tasks_ > ranks_.size() ? 2 : 1;
  if (rank.held.size() >= may_hold || pool_.empty()) return {};

  Batch batch;
  double left = budget(rank);
  rank.last_batch_cost = 0.0;
  while (!pool_.empty()) {
    TaskList::Block& block = pool_.front();
    const double fit = std::floor(left / block.cost_seconds);
    std::uint64_t count =
        fit < static_cast<double>(block.count) ? static_cast<std::uint64_t>(fit) : block.count;
    if (batch.empty()) count = std::max<std::uint64_t>(count, 1);
    if (count == 0) break;

    const double cost = static_cast<double>(count) * block.cost_seconds;
    batch.push_back({block.first, count, block.cost_seconds});
    rank.last_batch_cost += cost;
    left = std::max(left - cost, 0.0);
    pool_cost_ -= cost;
    pool_tasks_ -= count;
    block.first += count;
    block.count -= count;
    if (block.count > 0) break;
    pool_.pop_front();
  }
  rank.held.emplace_back(batch.begin(), batch.end());
  return batch;
}

bool Schedule::returned(int rank_number, std::uint64_t task) {
  Rank& rank = ranks_.at(static_cast<std::size_t>(rank_number));
  if (rank.held.empty() || rank.held.front().front().first != task) return false;
  std::deque<TaskList::Block>& batch = rank.held.front();
  TaskList::Block& block = batch.front();
  rank.returned_cost += block.cost_seconds;
  returned_cost_ += block.cost_seconds;
  ++done_;
  ++block.first;
  if (--block.count == 0) batch.pop_front();
  if (batch.empty()) rank.held.pop_front();
  return true;
}

}  // namespace nucreg
