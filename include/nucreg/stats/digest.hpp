// What the rows of a result say: summary, comparison, commonest messages.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "nucreg/solve/record.hpp"
#include "nucreg/stats/comparison.hpp"
#include "nucreg/stats/map_spread.hpp"
#include "nucreg/stats/summary.hpp"

namespace nucreg {

/// Solves of one solver that ended with one status and one message.
struct MessageCount {
  std::uint32_t solver = 0;
  SolveStatus status = SolveStatus::failed;
  std::string message;
  std::uint64_t count = 0;
  std::uint32_t configuration = 0, trial = 0;  ///< of the first one
};

/// As many as an overview shows.
inline constexpr std::size_t max_messages = 20;

/// Counts the messages of rows. Memory does not grow with the rows: beyond `max_different`
/// messages, those not yet seen are only counted.
class MessageTally {
 public:
  explicit MessageTally(std::size_t max_different = 1000) : max_different_(max_different) {}
  void add(std::span<const Record> rows);
  /// The commonest first; of equally common ones the first to come.
  [[nodiscard]] std::vector<MessageCount> commonest(std::size_t most) const;
  /// Rows whose message was not kept apart.
  [[nodiscard]] std::uint64_t others() const { return others_; }

 private:
  std::size_t max_different_;
  std::map<std::tuple<std::uint32_t, SolveStatus, std::string>, std::size_t> places_;
  std::vector<MessageCount> counts_;  // in the order of their first row
  std::uint64_t others_ = 0;
};

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
  /// The tables summary, verdict, of images also scatter and agreement; called
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
