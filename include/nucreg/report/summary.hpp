// Statistics per configuration and solver, and which solver was faster at equal accuracy.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "nucreg/core/table.hpp"
#include "nucreg/solve/record.hpp"

namespace nucreg {

/// `/summary`, built from the rows of /trials in file order, one configuration in memory at a time.
/// Columns: configuration, solver, count, failures, timing_valid (counts), then per measure
/// (rmsd_px tre_px param_error objective gap wall_s cpu_s peak_bytes iterations
/// function_evaluations jacobian_evaluations): <m>_count of finite values, <m>_mean, <m>_std
/// (n - 1), <m>_median, <m>_p05, <m>_p95 (linear interpolation, as NumPy's default).
/// Times use rows with timing_valid where a cell has any, else all rows.
class SummaryBuilder {
 public:
  explicit SummaryBuilder(std::size_t solvers);
  void add(std::span<const Record> rows);
  /// Finishes the last configuration and returns the table.
  [[nodiscard]] Table finish();

 private:
  void close_configuration();
  std::size_t solvers_;
  std::vector<Record> rows_;  // of the configuration under way
  Table table_;
};

/// Pairs solvers by trial. Two solvers reached equal accuracy in a trial where both have a status
/// other than failed or not_applicable and objectives within `tolerance` relative of the lower one,
/// rounding floor included.
class SpeedComparison {
 public:
  SpeedComparison(std::vector<std::string> solver_names, double tolerance = 1e-6);
  /// Rows of /trials in file order; a trial may be split over calls.
  void add(std::span<const Record> rows);
  /// One line: which solver was faster, by how much (geometric mean of the time ratios with a 95 %
  /// interval), over how many trials; or why that cannot be said.
  [[nodiscard]] std::string sentence() const;

 private:
  struct Pair {
    std::uint64_t equal = 0, better = 0, worse = 0;
    double sum_log = 0.0, sum_log_squared = 0.0;
  };
  void close_trial();
  std::vector<std::string> names_;
  double tolerance_;
  std::vector<Record> trial_;
  std::vector<Pair> pairs_;  // [a * solvers + b]: ratios of time a / b
  std::uint64_t invalid_timings_ = 0, trials_ = 0;
};

}  // namespace nucreg
