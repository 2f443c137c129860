#include "nucreg/store/trial_cursor.hpp"

#include "nucreg/core/error.hpp"

namespace nucreg {

TrialCursor::TrialCursor(const ResultReader& reader, std::uint64_t trials, std::size_t solvers)
    : reader_(&reader), trials_(trials), solvers_(solvers) {
  read_block();
}

void TrialCursor::next() {
  at_ += solvers_;
  if (at_ == block_.size())
    read_block();
  else
    demand_whole();
}

void TrialCursor::read_block() {
  constexpr std::size_t rows_at_once = 2048;  // a trace is up to 6 KiB
  const std::size_t trials_at_once = std::max<std::size_t>(1, rows_at_once / solvers_);
  block_.resize(std::min<std::uint64_t>(trials_at_once * solvers_, reader_->trial_rows() - read_));
  if (!block_.empty()) {
    reader_->read_trials(read_, block_);
    reader_->read_traces(read_, block_);
  }
  read_ += block_.size();
  at_ = 0;
  if (!block_.empty()) demand_whole();
}

void TrialCursor::demand_whole() const {
  bool whole = block_.size() - at_ >= solvers_;
  for (std::size_t s = 0; whole && s < solvers_; ++s) {
    const Record &row = block_[at_ + s], &first = block_[at_];
    whole = row.solver == s && row.trial == first.trial && row.configuration == first.configuration;
  }
  if (!whole)
    throw InputError("rows are not whole trials of the solvers in the file", {.key = "/trials"});
}

}  // namespace nucreg
