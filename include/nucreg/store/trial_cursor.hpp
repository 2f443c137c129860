// The rows of /trials in the order of the file: a trial or a block at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "nucreg/store/result_file.hpp"

namespace nucreg {

/// Trials of a file one after the other, with their traces if the file has any.
class TrialCursor {
 public:
  /// `trials` per configuration, `solvers` per trial. Throws InputError, as next() does, if rows
  /// are not whole trials of these solvers.
  TrialCursor(const ResultReader& reader, std::uint64_t trials, std::size_t solvers);
  /// Number of the current trial (Plan::tasks); nothing at the end.
  [[nodiscard]] std::optional<std::uint64_t> task() const {
    if (at_ == block_.size()) return std::nullopt;
    return block_[at_].configuration * trials_ + block_[at_].trial;
  }
  [[nodiscard]] bool done() const { return at_ == block_.size(); }
  /// Its rows, one per solver, until next() is called.
  [[nodiscard]] std::span<Record> rows() { return std::span(block_).subspan(at_, solvers_); }
  void next();

 private:
  void read_block();
  void demand_whole() const;

  const ResultReader* reader_;
  std::uint64_t trials_;
  std::size_t solvers_;
  std::uint64_t read_ = 0;  // rows
  std::size_t at_ = 0;      // in block_
  std::vector<Record> block_;
};

/// Rows that are read at once.
inline constexpr std::uint64_t stream_rows = 16384;

/// Calls `visit(rows)` with consecutive rows, without traces; only `columns` are read if it names
/// any.
template <class Visit>
void stream_trials(const ResultReader& reader, Visit&& visit,
                   std::span<const std::string_view> columns = {}) {
  std::vector<Record> block;
  for (std::uint64_t first = 0; first < reader.trial_rows(); first += block.size()) {
    block.resize(std::min(stream_rows, reader.trial_rows() - first));
    reader.read_trials(first, block, columns);
    visit(std::span<const Record>(block));
  }
}

}  // namespace nucreg
