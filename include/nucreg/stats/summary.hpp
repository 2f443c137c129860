// Statistics per configuration and solver.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nucreg/core/random.hpp"
#include "nucreg/core/table.hpp"
#include "nucreg/solve/record.hpp"

namespace nucreg {

/// `/summary`, built from the rows of /trials in file order. Memory does not grow with trials.
/// One row per configuration that has rows, and solver. Columns: configuration, solver, count,
/// failures, not_applicable, timing_valid (numbers of rows), then per measure (rmsd_px tre_px
/// param_error objective gap wall_s cpu_s peak_bytes iterations function_evaluations
/// jacobian_evaluations): <m>_count of finite values, <m>_mean, <m>_std (n - 1), <m>_median,
/// <m>_p05, <m>_p95 (linear interpolation, as NumPy's default). Then arrival_known and
/// arrived (numbers of rows), arrival_rate with Wilson's 95 % interval arrival_low to arrival_high,
/// expected_s and expected_evaluations: what is spent until an arrival, failures and restarts
/// included (COCO's average runtime: the mean over rows divided by the rate; infinite if none
/// arrived). Last, sampled: there are more than
/// 16,384 rows, and where a measure has more values its median and percentiles are those of a
/// random sample of so many.
///
/// Rows that are not applicable are in `count` and `not_applicable`, in no measure and no failure.
/// Measures leave out what is not finite, and iterations that the library does not report; times
/// use the rows with timing_valid where a cell has any, else all rows. Without values: NaN.
class SummaryBuilder {
 public:
  explicit SummaryBuilder(std::size_t solvers);
  ~SummaryBuilder();
  SummaryBuilder(const SummaryBuilder&) = delete;
  SummaryBuilder& operator=(const SummaryBuilder&) = delete;
  /// Throws InputError if a row names a solver beyond the last or an earlier configuration.
  void add(std::span<const Record> rows);
  /// Finishes the last configuration and returns the table; called once, at the end.
  [[nodiscard]] Table finish();

 private:
  struct Cell;
  void close_configuration();

  std::vector<Cell> cells_;  // of the configuration under way, one per solver
  std::int64_t configuration_ = -1;
  Table table_;
  std::vector<RandomStream> random_;  // of the samples, per measure
};

}  // namespace nucreg
