// Losses, starts and models compared as solvers are: by the arrivals of one solver on the same
// points. Configurations that differ in [fit] only share their trials' points (Configuration's
// problem), so that each comparison is a paired one.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "nucreg/core/table.hpp"
#include "nucreg/solve/record.hpp"

namespace nucreg {

/// Two values of one key of [fit], all else equal, by one solver.
struct FitPair {
  std::string axis;  ///< "loss", "start", "model" or "loss_scale_px"
  std::string a, b;  ///< two of its values
  std::string kind;  ///< "model = affine": what is not pooled over; empty if the job has one
  std::size_t solver = 0;
  std::uint64_t trials = 0;  ///< that have known arrival under both
  std::uint64_t arrived_a = 0, arrived_b = 0;
  std::uint64_t only_a = 0, only_b = 0;                 ///< arrived under one of them alone
  double p = std::numeric_limits<double>::quiet_NaN();  ///< McNemar's exact test
  double p_holm = p;                                    ///< over all pairs of the file
  /// -1 a arrives more often, 1 b does, 0 they are not told apart.
  int better = 0;
};

/// Builds the pairs from the rows of /trials. Of each configuration and solver the first
/// max_paired trials count.
class FitComparison {
 public:
  static constexpr std::size_t max_paired = 16384;

  /// `configurations` as in the result file; nothing is compared if they have no column `problem`.
  FitComparison(const Table& configurations, std::size_t solvers);
  /// Whether there is anything to compare.
  [[nodiscard]] bool any() const { return !groups_.empty(); }
  void add(std::span<const Record> rows);
  /// Declared with a chance of `error` of any false one. Called once.
  [[nodiscard]] std::vector<FitPair> finish(double error);

 private:
  /// Configurations that differ in the value of one axis alone.
  struct Group {
    std::string axis, kind;
    std::vector<std::pair<std::string, std::size_t>> members;  // value, configuration
  };

  std::vector<Group> groups_;
  std::size_t solvers_;
  std::vector<std::vector<std::int8_t>> arrived_;  // [configuration * solvers + solver][trial]
};

}  // namespace nucreg
