#include "nucreg/report/digest.hpp"

#include "nucreg/report/verdict.hpp"
#include "table_access.hpp"

namespace nucreg {

Digest::Digest(const Table& configurations, const Table& solvers)
    : summary_(solvers.rows()), comparison_(need<std::string>(solvers, "name"), configurations) {
  if (MapSpread::applies(configurations)) spread_.emplace(configurations, solvers.rows());
}

void Digest::add(std::span<const Record> rows) {
  summary_.add(rows);
  comparison_.add(rows);
  messages_.add(rows);
  if (spread_) spread_->add(rows);
}

std::vector<Table> Digest::finish() {
  findings_ = {comparison_.finish(), messages_.commonest(most_messages)};
  std::vector<Table> tables;
  tables.push_back(summary_.finish());
  tables.push_back(verdict_table(findings_.comparison));
  tables.push_back(solver_rank_table(findings_.comparison));
  if (spread_)
    for (Table& table : spread_->finish()) tables.push_back(std::move(table));
  return tables;
}

RowFindings Digest::findings() {
  return std::move(findings_);
}

}  // namespace nucreg
