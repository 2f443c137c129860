#include "nucreg/report/messages.hpp"

#include <algorithm>

namespace nucreg {

void MessageTally::add(std::span<const Record> rows) {
  for (const Record& row : rows) {
    if (row.message.empty()) continue;
    const auto key = std::tuple(row.solver, row.status, row.message);
    auto at = places_.find(key);
    if (at == places_.end()) {
      if (counts_.size() == most_different_) {
        ++others_;
        continue;
      }
      at = places_.emplace(key, counts_.size()).first;
      counts_.push_back({row.solver, row.status, row.message, 0, row.configuration, row.trial});
    }
    ++counts_[at->second].count;
  }
}

std::vector<MessageCount> MessageTally::commonest(std::size_t most) const {
  std::vector<MessageCount> sorted = counts_;
  std::ranges::stable_sort(sorted, std::greater(), &MessageCount::count);
  sorted.resize(std::min(most, sorted.size()));
  return sorted;
}

}  // namespace nucreg
