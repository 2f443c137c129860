// Solvers compared pair by pair, over trials that both took on: overall, per region of conditions
// and per configuration.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nucreg/core/table.hpp"
#include "nucreg/report/inference.hpp"
#include "nucreg/solve/record.hpp"

namespace nucreg {

struct ComparisonOptions {
  /// Two solvers reached equal accuracy in a trial where neither failed and |Fa - Fb| <=
  /// tolerance * min(Fa, Fb) + 1e-18 px^2 * pairs, F being the objective: the last term is the
  /// rounding floor, distances of rounding_px, below which no difference means anything.
  double tolerance = 1e-6;
  /// Chance that anything at all is declared different that is not. Below the customary 5 %, since
  /// real timings keep the assumptions less well than simulated ones.
  double error = 0.03;
  /// Times whose ratio is surely below this are "no difference".
  double indifference = 1.05;
  /// Of all trials together only: regions and configurations are not judged.
  bool overall_only = false;
};

/// Distances below are rounding.
inline constexpr double rounding_px = 1e-9;

enum class Side { neither, a, b };

/// What can be said about the times of two solvers at equal accuracy.
enum class SpeedFinding {
  faster,        ///< `faster` names which
  same,          ///< the whole interval of the ratio is within the indifference
  undecided,     ///< `more_trials` would tell; 0: trials enough, yet it is unclear
  incomparable,  ///< no trial with equal accuracy and two valid timings
};

/// Two solvers over the trials of one region.
struct PairStatistics {
  static constexpr double nan = std::numeric_limits<double>::quiet_NaN();

  std::size_t a = 0, b = 0;    ///< positions in /solvers, a < b
  std::uint64_t trials = 0;    ///< that both took on (neither was not_applicable)
  std::uint64_t failed_a = 0;  ///< of these: a failed (status failed, or an objective not finite)
  std::uint64_t failed_b = 0;
  std::uint64_t equal = 0;     ///< of these: equal accuracy
  std::uint64_t better_a = 0;  ///< of these: a reached the lower objective, or b alone failed
  std::uint64_t better_b = 0;
  std::uint64_t timed = 0;  ///< of the equal ones: both timings valid; the others are in no time

  double ratio = nan;           ///< geometric mean of time a / time b over the timed
  ConfidenceInterval interval;  ///< its 95 % bootstrap interval
  double spread = nan;          ///< standard deviation of log(time a / time b)
  double speed_p = nan;         ///< signed ranks of log(time a / time b), within each configuration
  double speed_p_holm = nan;    ///< over all that is declared
  double effect = nan;          ///< rank biserial: -1 a was always faster, 1 b was
  double arrival_p = nan;       ///< sign test of better_a against better_b
  double arrival_p_holm = nan;
  bool sampled = false;  ///< the ranks of a configuration are those of a sample (see most_ranked)

  SpeedFinding finding = SpeedFinding::incomparable;
  Side faster = Side::neither;
  Side arrives = Side::neither;  ///< reaches the lower objective more often, failures included
  std::uint64_t more_trials =
      0;  ///< where undecided: trials of this region that are likely to tell
};

/// Trials that have something in common.
struct Region {
  enum class Scope { overall, axis, configuration };
  Scope scope = Scope::overall;
  std::string axis, value;          ///< of an axis: its column of /configurations and the value
  std::int64_t configuration = -1;  ///< of a configuration
  std::uint64_t configurations = 0;
  std::vector<PairStatistics> pairs;  ///< (0, 1), (0, 2) ... (1, 2) ...
};

/// All solvers ranked within each trial: by time where they reached the best accuracy of the trial,
/// else last. Over trials that all took on and where all that arrived have valid timings.
struct SolverRanks {
  std::uint64_t trials = 0;
  std::vector<double> mean_rank;  ///< of each solver, 1 = best
  double friedman_p = std::numeric_limits<double>::quiet_NaN();
  /// Nemenyi's at 5 %; NaN for less than three solvers or without trials.
  double critical_difference = std::numeric_limits<double>::quiet_NaN();
};

struct Comparison {
  std::vector<std::string> solvers;
  ComparisonOptions options;
  /// The overall one first, then per axis, then per configuration where there are several and not
  /// too many (most_judged).
  std::vector<Region> regions;
  SolverRanks ranks;
  [[nodiscard]] const Region& overall() const { return regions.front(); }
};

/// Differences of one configuration and pair beyond these enter the ranks by a random sample.
inline constexpr std::size_t most_ranked = 16384;
/// Configurations times pairs up to which configurations are judged one by one.
inline constexpr std::size_t most_judged = 20000;

/// Builds a comparison from the rows of /trials in file order. Memory does not grow with trials.
///
/// A region is the configurations with one value of an axis that varies; an axis of more than eight
/// numbers is halved. What is declared (faster, arrives) holds for all regions and pairs at once
/// but for a chance of options.error, half of it for configurations and half for the rest, each by
/// Holm; and a solver is declared faster only where the interval agrees.
class ComparisonBuilder {
 public:
  /// `configurations` as in the result file.
  ComparisonBuilder(std::vector<std::string> solvers, const Table& configurations,
                    ComparisonOptions options = {});
  ~ComparisonBuilder();
  ComparisonBuilder(const ComparisonBuilder&) = delete;
  ComparisonBuilder& operator=(const ComparisonBuilder&) = delete;

  /// A trial may be split over calls. Throws InputError where rows name a solver or configuration
  /// that is not there, are not sorted by configuration, or hold a solver twice in a trial.
  void add(std::span<const Record> rows);
  /// Ends the last trial; called once.
  [[nodiscard]] Comparison finish();

 private:
  struct Body;
  std::unique_ptr<Body> body_;
};

}  // namespace nucreg
