// What a result file says about its own rows.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nucreg/report/comparison.hpp"
#include "nucreg/report/map_spread.hpp"
#include "nucreg/report/summary.hpp"

namespace nucreg {

/// Built from the rows of /trials in file order, whole trials at a time or not.
class Digest {
 public:
  /// `configurations` and `solvers` as in the result file.
  Digest(const Table& configurations, const Table& solvers);
  /// Throws InputError as SummaryBuilder and ComparisonBuilder.
  void add(std::span<const Record> rows);
  /// The tables summary, verdict and verdict_ranks, of images also scatter and agreement; called
  /// once.
  [[nodiscard]] std::vector<Table> finish();

 private:
  SummaryBuilder summary_;
  ComparisonBuilder comparison_;
  std::optional<MapSpread> spread_;
};

}  // namespace nucreg
