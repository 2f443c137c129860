// Statistics per configuration and solver.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nucreg/core/table.hpp"
#include "nucreg/solve/record.hpp"

namespace nucreg {

/// `/summary`, built from the rows of /trials in file order, one configuration in memory at a time.
/// One row per configuration that has rows, and solver. Columns: configuration, solver, count,
/// failures, not_applicable, timing_valid (numbers of rows), then per measure (rmsd_px tre_px
/// param_error objective gap wall_s cpu_s peak_bytes iterations function_evaluations
/// jacobian_evaluations): <m>_count of finite values, <m>_mean, <m>_std (n - 1), <m>_median,
/// <m>_p05, <m>_p95 (linear interpolation, as NumPy's default).
///
/// Rows that are not applicable are in `count` and `not_applicable`, in no measure and no failure.
/// Measures leave out what is not finite, and iterations that the library does not tell; times use
/// the rows with timing_valid where a cell has any, else all rows. Without values: NaN.
class SummaryBuilder {
 public:
  explicit SummaryBuilder(std::size_t solvers);
  /// Throws InputError where a row names a solver beyond the last or an earlier configuration.
  void add(std::span<const Record> rows);
  /// Finishes the last configuration and returns the table; called once, at the end.
  [[nodiscard]] Table finish();

 private:
  struct Cell {
    std::int64_t count = 0, failures = 0, not_applicable = 0, timing_valid = 0;
    std::vector<std::vector<double>> measures;
  };
  void close_configuration();

  std::vector<Cell> cells_;  // of the configuration under way, one per solver
  std::int64_t configuration_ = -1;
  Table table_;
};

}  // namespace nucreg
