// What a result file says about its own rows.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nucreg/report/comparison.hpp"
#include "nucreg/report/map_spread.hpp"
#include "nucreg/report/messages.hpp"
#include "nucreg/report/summary.hpp"

namespace nucreg {

/// What rows say beyond the tables of their file.
struct RowFindings {
  Comparison comparison;
  std::vector<MessageCount> messages;  ///< the commonest, at most 20
};

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
  /// For make_overview, which need not read the rows again then; after finish(), once.
  [[nodiscard]] RowFindings findings();

 private:
  SummaryBuilder summary_;
  ComparisonBuilder comparison_;
  MessageTally messages_;
  RowFindings findings_;
  std::optional<MapSpread> spread_;
};

}  // namespace nucreg
