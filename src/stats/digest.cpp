#include "nucreg/stats/digest.hpp"

#include <algorithm>

#include "nucreg/stats/verdict.hpp"

namespace nucreg {

void MessageTally::add(std::span<const Record> rows) {
  for (const Record& row : rows) {
    if (row.message.empty()) continue;
    const auto key = std::tuple(row.solver, row.status, row.message);
    auto at = places_.find(key);
    if (at == places_.end()) {
      if (counts_.size() == max_different_) {
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

Digest::Digest(const Table& configurations, const Table& solvers)
    : summary_(solvers.rows()), comparison_(solvers, configurations) {
  if (MapSpread::applies(configurations)) spread_.emplace(configurations, solvers.rows());
}

void Digest::add(std::span<const Record> rows) {
  summary_.add(rows);
  comparison_.add(rows);
  messages_.add(rows);
  if (spread_) spread_->add(rows);
}

std::vector<Table> Digest::finish() {
  findings_ = {comparison_.finish(), messages_.commonest(max_messages)};
  std::vector<Table> tables;
  tables.push_back(summary_.finish());
  tables.push_back(verdict_table(findings_.comparison));
  if (!findings_.comparison.fits.empty()) tables.push_back(fit_verdict_table(findings_.comparison));
  if (spread_)
    for (Table& table : spread_->finish()) tables.push_back(std::move(table));
  return tables;
}

RowFindings Digest::findings() {
  return std::move(findings_);
}

}  // namespace nucreg
