#include "nucreg/run/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
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

/// Takes one task out of blocks; its cost, or nothing if it is not in them.
std::optional<double> take_out(std::deque<TaskList::Block>& blocks, std::uint64_t task) {
  const auto block = std::find_if(blocks.begin(), blocks.end(), [&](const TaskList::Block& b) {
    return task >= b.first && task - b.first < b.count;
  });
  if (block == blocks.end()) return std::nullopt;
  const TaskList::Block before{block->first, task - block->first, block->cost_seconds};
  const TaskList::Block after{task + 1, block->count - before.count - 1, block->cost_seconds};
  auto next = blocks.erase(block);
  if (after.count > 0) next = blocks.insert(next, after);
  if (before.count > 0) blocks.insert(next, before);
  return before.cost_seconds;
}

}  // namespace

Schedule::Schedule(const TaskList& tasks, int ranks)
    : ranks_(static_cast<std::size_t>(ranks)), active_(ranks) {
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
  const double ranks = active_;
  const double all = returned_cost_ + head_start_ * ranks;
  const double share = std::min((rank.returned_cost + head_start_) / all, 1.0 / ranks);
  const double fair = std::max(pool_cost_, 0.0) * share / batches_per_share;
  return std::min(fair, rank.last_batch_cost > 0.0 ? growth * rank.last_batch_cost : head_start_);
}

Batch Schedule::grant(int rank_number) {
  Rank& rank = ranks_.at(static_cast<std::size_t>(rank_number));
  const std::size_t may_hold = pool_tasks_ > static_cast<std::uint64_t>(active_) ? 2 : 1;
  if (rank.lost || rank.held.size() >= may_hold) return {};

  Batch batch;
  if (!alone_.empty() && (rank_number != 0 || active_ == 1)) {
    TaskList::Block& block = alone_.front();
    batch.push_back({block.first++, 1, block.cost_seconds});
    pool_cost_ -= block.cost_seconds;
    --pool_tasks_;
    if (--block.count == 0) alone_.pop_front();
    rank.held.emplace_back(batch.begin(), batch.end());
    return batch;
  }
  if (pool_.empty()) return {};
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

Answer Schedule::returned(int rank_number, std::uint64_t task) {
  Rank& rank = ranks_.at(static_cast<std::size_t>(rank_number));
  if (owed_next(rank_number) == task) {
    std::deque<TaskList::Block>& batch = rank.held.front();
    TaskList::Block& block = batch.front();
    rank.returned_cost += block.cost_seconds;
    returned_cost_ += block.cost_seconds;
    ++done_;
    ++block.first;
    if (--block.count == 0) batch.pop_front();
    if (batch.empty()) rank.held.pop_front();
    return Answer::taken;
  }
  if (take_out(rank.overtaken, task)) return Answer::duplicate;
  if (!take_out(rank.revoked, task)) return Answer::unordered;
  return settle(task) || overtake(task) ? Answer::taken : Answer::duplicate;
}

std::optional<std::uint64_t> Schedule::owed_next(int rank_number) const {
  const Rank& rank = ranks_.at(static_cast<std::size_t>(rank_number));
  if (rank.held.empty()) return std::nullopt;
  return rank.held.front().front().first;
}

Batch Schedule::revoke(int rank_number, bool lost, std::uint64_t suspects) {
  Rank& rank = ranks_.at(static_cast<std::size_t>(rank_number));
  Batch all;
  for (const Blocks& batch : rank.held) all.insert(all.end(), batch.begin(), batch.end());
  rank.held.clear();
  rank.revoked.insert(rank.revoked.end(), all.begin(), all.end());
  if (lost && !rank.lost) {
    rank.lost = true;
    returned_cost_ -= rank.returned_cost;
    --active_;
  }

  Blocks alone, rest;
  std::uint64_t left = all.empty() ? 0 : suspects + 1;
  for (const TaskList::Block& block : all) {
    const std::uint64_t single = std::min(left, block.count);
    left -= single;
    if (single > 0) alone.push_back({block.first, single, block.cost_seconds});
    if (single < block.count)
      rest.push_back({block.first + single, block.count - single, block.cost_seconds});
    pool_tasks_ += block.count;
    pool_cost_ += static_cast<double>(block.count) * block.cost_seconds;
  }
  alone_.insert(alone_.begin(), alone.begin(), alone.end());
  pool_.insert(pool_.begin(), rest.begin(), rest.end());
  return all;
}

bool Schedule::settle(std::uint64_t task) {
  auto cost = take_out(alone_, task);
  if (!cost) cost = take_out(pool_, task);
  if (!cost) return false;
  pool_cost_ -= *cost;
  --pool_tasks_;
  ++done_;
  return true;
}

/// A late answer was faster than the rank that has the task now.
bool Schedule::overtake(std::uint64_t task) {
  for (Rank& rank : ranks_)
    for (auto batch = rank.held.begin(); batch != rank.held.end(); ++batch)
      if (const auto cost = take_out(*batch, task)) {
        rank.overtaken.push_back({task, 1, *cost});
        if (batch->empty()) rank.held.erase(batch);
        ++done_;
        return true;
      }
  return false;
}

}  // namespace nucreg
