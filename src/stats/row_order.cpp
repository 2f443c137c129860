#include "row_order.hpp"

#include <fmt/format.h>

namespace nucreg {

std::string RowOrder::name_of_place(std::uint64_t place) const {
  return fmt::format("configuration {}, trial {}, solver {}", place / solvers_ / trials_,
                     place / solvers_ % trials_, place % solvers_);
}

void RowOrder::add(std::uint64_t row, const Record& record) {
  const std::string what = fmt::format("row {} (configuration {}, trial {}, solver {})", row,
                                       record.configuration, record.trial, record.solver);
  if (record.configuration >= configurations_ || record.trial >= trials_ ||
      record.solver >= solvers_) {
    findings_.add("a row is not part of the plan", what);
    sorted_ = false;
    return;
  }
  const std::uint64_t place =
      (record.configuration * trials_ + record.trial) * solvers_ + record.solver;
  if (place + 1 == next_) {
    findings_.add("a row is there twice", what);
    sorted_ = false;
  } else if (place < next_) {
    findings_.add("rows are not sorted by configuration, trial and solver", what);
    sorted_ = false;
  } else {
    if (place > next_) gap(next_, place);
    next_ = place + 1;
  }
}

void RowOrder::gap(std::uint64_t from, std::uint64_t to) {
  if (missing_ == 0) first_missing_ = name_of_place(from);
  missing_ += to - from;
  const std::uint64_t first_whole = (from + solvers_ - 1) / solvers_, last_whole = to / solvers_;
  const std::uint64_t whole = last_whole > first_whole ? last_whole - first_whole : 0;
  missing_trials_ += whole;
  const std::uint64_t parts = to - from - whole * solvers_;
  if (parts > 0 && missing_parts_ == 0)
    first_missing_part_ = name_of_place(from % solvers_ != 0 ? from : last_whole * solvers_);
  missing_parts_ += parts;
}

std::uint64_t RowOrder::finish(bool partial) {
  const std::uint64_t all = configurations_ * trials_ * solvers_;
  if (next_ < all) gap(next_, all);
  // In a file out of order a gap may be filled later on.
  if (!sorted_) return 0;
  if (partial && missing_parts_ > 0)
    findings_.add("a row is missing in a trial that was done", first_missing_part_, missing_parts_);
  if (!partial && missing_ > 0) findings_.add("a row is missing", first_missing_, missing_);
  return missing_trials_;
}

}  // namespace nucreg
