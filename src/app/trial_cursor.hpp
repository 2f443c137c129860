// The trials of a result file, one after the other.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "nucreg/store/result_file.hpp"

namespace nucreg {

/// Of a file that verify() found to be sound: rows sorted, trials whole.
class TrialCursor {
 public:
  /// `trials` per configuration, `solvers` per trial.
  TrialCursor(const ResultReader& reader, std::uint64_t trials, std::uint64_t solvers)
      : reader_(&reader), trials_(trials), solvers_(solvers) {
    read_block();
  }
  /// Number of the trial (Plan::tasks) that is next; none at the end.
  [[nodiscard]] std::optional<std::uint64_t> task() const {
    if (at_ == block_.size()) return std::nullopt;
    return block_[at_].configuration * trials_ + block_[at_].trial;
  }
  /// Its rows, until next() is called.
  [[nodiscard]] std::span<Record> rows() { return std::span(block_).subspan(at_, solvers_); }
  void next() {
    at_ += solvers_;
    if (at_ == block_.size()) read_block();
  }

 private:
  void read_block() {
    constexpr std::uint64_t rows_at_once = 2048;
    const std::uint64_t trials_at_once = std::max<std::uint64_t>(1, rows_at_once / solvers_);
    block_.resize(std::min(trials_at_once * solvers_, reader_->trial_rows() - read_));
    if (!block_.empty()) {
      reader_->read_trials(read_, block_);
      reader_->read_traces(read_, block_);
    }
    read_ += block_.size();
    at_ = 0;
  }

  const ResultReader* reader_;
  std::uint64_t trials_, solvers_;
  std::uint64_t read_ = 0;  // rows
  std::size_t at_ = 0;      // in block_
  std::vector<Record> block_;
};

}  // namespace nucreg
