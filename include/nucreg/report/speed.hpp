// Which solver was faster at equal accuracy.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "nucreg/solve/record.hpp"

namespace nucreg {

/// Two solvers, compared trial by trial.
struct SpeedRatio {
  std::string a, b;
  std::uint64_t trials = 0;    ///< that both took on (neither was not_applicable)
  std::uint64_t equal = 0;     ///< of these: equal accuracy
  std::uint64_t a_better = 0;  ///< of these: a reached the lower objective
  std::uint64_t b_better = 0;  ///< of these: b did
  std::uint64_t timed = 0;     ///< of the equal ones: both timings valid
  double ratio = std::numeric_limits<double>::quiet_NaN();  ///< geometric mean of time a / time b
  double low = ratio, high = ratio;  ///< its 95 % interval (Student's t of the logarithms)
};

/// Pairs solvers by trial. Two solvers reached equal accuracy in a trial where neither failed and
/// |Fa - Fb| <= tolerance * min(Fa, Fb) + 1e-18 px^2 * pairs, F being the objective: the last term
/// is the rounding floor, distances of 1e-9 px, below which no difference means anything.
class SpeedComparison {
 public:
  explicit SpeedComparison(std::vector<std::string> solver_names, double tolerance = 1e-6);
  /// Rows of /trials in file order; a trial may be split over calls. Throws InputError where a row
  /// names a solver beyond the last.
  void add(std::span<const Record> rows);
  /// Each pair of solvers, first against later.
  [[nodiscard]] std::vector<SpeedRatio> ratios() const;
  /// One line: which solver was faster, by how much and over how many trials; or why that cannot
  /// be said.
  [[nodiscard]] std::string sentence() const;

 private:
  struct Tally {
    std::uint64_t trials = 0, equal = 0, a_better = 0, b_better = 0, timed = 0;
    double mean_log = 0.0, squares_log = 0.0;  // Welford's running mean and sum of squares
  };
  void compare(const Record& a, const Record& b, Tally& tally) const;
  void close_trial(std::vector<Tally>& tallies) const;

  std::vector<std::string> names_;
  double tolerance_;
  std::vector<Record> trial_;   // the trial under way
  std::vector<Tally> tallies_;  // [a * solvers + b], a < b
};

}  // namespace nucreg
