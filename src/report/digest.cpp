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
  if (spread_) spread_->add(rows);
}

std::vector<Table> Digest::finish() {
  const Comparison comparison = comparison_.finish();
  std::vector<Table> tables;
  tables.push_back(summary_.finish());
  tables.push_back(verdict_table(comparison));
  tables.push_back(solver_rank_table(comparison));
  if (spread_)
    for (Table& table : spread_->finish()) tables.push_back(std::move(table));
  return tables;
}

}  // namespace nucreg
