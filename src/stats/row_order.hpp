// Whether rows are the product of configurations, trials and solvers, in order.
#pragma once

#include <fmt/format.h>
#include <cstdint>
#include <string>
#include <vector>

#include "nucreg/solve/record.hpp"
#include "nucreg/stats/verify.hpp"

namespace nucreg {

/// Fed with the rows of /trials one by one. A row's place in the whole product is
/// (configuration * trials + trial) * solvers + solver, so sorted rows have rising places, and a
/// step of more than one is a gap.
class RowOrder {
 public:
  RowOrder(std::uint64_t configurations, std::uint64_t trials, std::uint64_t solvers)
      : configurations_(configurations), trials_(trials), solvers_(solvers) {}

  void add(std::uint64_t row, const Record& record);
  /// Rows that could not be read are taken to be the right ones.
  void skip(std::uint64_t rows) { next_ += rows; }
  /// `partial`: whole trials may be missing; returns how many are.
  std::uint64_t finish(bool partial);
  /// Whether all rows so far rise and lie within the product.
  [[nodiscard]] bool sorted() const { return sorted_; }
  [[nodiscard]] std::vector<std::string> findings() const { return findings_.lines(); }

 private:
  void gap(std::uint64_t from, std::uint64_t to);
  [[nodiscard]] std::string name_of_place(std::uint64_t place) const;

  std::uint64_t configurations_, trials_, solvers_;
  std::uint64_t next_ = 0;  // the place that should come
  std::uint64_t missing_ = 0, missing_trials_ = 0, missing_parts_ = 0;
  std::string first_missing_, first_missing_part_;
  bool sorted_ = true;
  Findings findings_;
};

}  // namespace nucreg
