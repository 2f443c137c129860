// Solvers compared pair by pair, over trials that both took on: overall, per region of conditions
// and per configuration. Arrival is compared first, then what an arrival costs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nucreg/core/table.hpp"
#include "nucreg/solve/record.hpp"
#include "nucreg/stats/fit_comparison.hpp"
#include "nucreg/stats/samples.hpp"

namespace nucreg {

struct ComparisonOptions {
  /// Without known arrival, two solvers reached equal accuracy in a trial if neither failed and
  /// |Fa - Fb| <= tolerance * min(Fa, Fb) + 1e-18 px^2 * pairs, F being the objective: the last
  /// term is the rounding floor, distances of rounding_px, below which no difference means
  /// anything.
  double tolerance = 1e-6;
  /// Chance that anything at all is declared different that is not. Below the customary 5 %, since
  /// real timings keep the assumptions less well than simulated ones.
  double error = 0.03;
  /// Times whose ratio is surely below this are "no difference". A solver whose total time is more
  /// than this times that of the other is not called the faster one.
  double indifference = 1.05;
  /// Solvers are compared by arrival where it is known; false: by their objectives always.
  bool by_arrival = true;
  /// For all trials together only: regions and configurations are not judged.
  bool overall_only = false;
};

/// Distances below are rounding.
inline constexpr double rounding_px = 1e-9;

enum class Side { neither, a, b };

/// What can be said about the times of two solvers in trials where both arrived (without known
/// arrival: where both reached equal accuracy).
enum class SpeedFinding {
  faster,        ///< `faster` names which
  same,          ///< the whole interval of the ratio is within the indifference
  undecided,     ///< `more_trials` would decide; 0: trials enough, yet it is unclear
  mixed,         ///< faster in the typical trial, yet it costs more in total
  neither,       ///< fewer than half of the trials arrive, for both: times say nothing
  incomparable,  ///< no trial to compare with two valid timings
};

/// Two solvers over the trials of one region.
struct PairStatistics {
  static constexpr double nan = std::numeric_limits<double>::quiet_NaN();

  std::size_t a = 0, b = 0;    ///< positions in /solvers, a < b
  std::uint64_t trials = 0;    ///< that both took on (neither was not_applicable)
  std::uint64_t failed_a = 0;  ///< of these: a failed (status failed, or an objective not finite)
  std::uint64_t failed_b = 0;
  std::uint64_t known = 0;      ///< of these: it is known whether the solvers arrived
  std::uint64_t arrived_a = 0;  ///< of the known: a arrived
  std::uint64_t arrived_b = 0;
  std::uint64_t equal = 0;     ///< of the trials: times may be compared (see SpeedFinding)
  std::uint64_t better_a = 0;  ///< of the trials: a alone arrived; if unknown, a fitted better
  std::uint64_t better_b = 0;
  std::uint64_t lower_a = 0;  ///< of the known: both arrived, a with the lower objective
  std::uint64_t lower_b = 0;
  std::uint64_t timed = 0;  ///< of the equal: both timings valid

  double ratio = nan;                 ///< geometric mean of time a / time b over the timed
  ConfidenceInterval interval;        ///< its 95 % bootstrap interval
  double spread = nan;                ///< standard deviation of log(time a / time b)
  double total_ratio = nan;           ///< sum of the times of a / sum of those of b, over the timed
  ConfidenceInterval total_interval;  ///< its 95 % bootstrap interval
  double evaluations_a = nan;         ///< mean number of function evaluations over the equal
  double evaluations_b = nan;
  double speed_p = nan;       ///< signed ranks of log(time a / time b), within each configuration
  double speed_p_holm = nan;  ///< over all that is declared
  double effect = nan;        ///< rank biserial: -1 a was always faster, 1 b was
  /// Exact sign test of better_a against better_b: McNemar's test of paired arrivals. Trials in
  /// which both or neither arrived say nothing, so it is stratified by trial as it stands.
  double arrival_p = nan;
  double arrival_p_holm = nan;
  bool sampled = false;  ///< the ranks of a configuration are those of a sample (see max_ranked)

  SpeedFinding finding = SpeedFinding::incomparable;
  Side faster = Side::neither;
  Side arrives = Side::neither;   ///< arrives more often, or reaches the better fit more often
  std::uint64_t more_trials = 0;  ///< if undecided: trials of this region that are likely to decide
  std::uint64_t more_arrival_trials = 0;  ///< the same for arrivals whose rates differ undecidedly

  /// Whether both arrive in fewer than half of the trials, arrival being known for most of them.
  [[nodiscard]] bool neither_arrives() const {
    return 2 * known >= trials && known > 0 && 2 * arrived_a < known && 2 * arrived_b < known;
  }
  /// Whether it is valid timings that lack: more trials on the same machine would lack them, too.
  [[nodiscard]] bool lacks_timings() const {
    return finding == SpeedFinding::undecided && 2 * timed < equal;
  }
  [[nodiscard]] bool more_would_tell() const { return more_trials > 0 && !lacks_timings(); }
};

/// Trials that have something in common. Nothing is pooled over kinds: configurations that differ
/// in model or loss, whose numbers mean different things.
struct Region {
  enum class Scope { overall, axis, two_axes, configuration };
  Scope scope = Scope::overall;
  std::string kind;                 ///< "loss = cauchy"; empty if the job has one kind only
  std::string axis, value;          ///< of an axis: its column of /configurations and the value
  std::string axis_2, value_2;      ///< of two axes: the same of the second
  std::int64_t configuration = -1;  ///< of a configuration
  std::uint64_t configurations = 0;
  std::vector<PairStatistics> pairs;  ///< (0, 1), (0, 2) ... (1, 2) ...
};

struct Comparison {
  std::vector<std::string> solvers;
  /// How sentences name them, "LM (eigen-lm)": an implementation was measured, not a method.
  std::vector<std::string> labels;
  ComparisonOptions options;
  /// The overall one of each kind, then per axis within each kind, then per value of one axis and
  /// value of another, then per configuration if there are several. Of two axes and of
  /// configurations there are none if they are too many (max_judged).
  std::vector<Region> regions;
  std::vector<FitPair> fits;   ///< losses, starts and models compared
  std::uint64_t repeated = 0;  ///< trials left out since they repeat the fit of an earlier one
  /// The overall regions, one per kind.
  [[nodiscard]] std::span<const Region> wholes() const;
};

/// "name (kind)", or the name alone if it says the kind or has brackets already.
[[nodiscard]] std::string solver_label(const std::string& name, const std::string& kind);

/// Differences of one configuration and pair beyond these enter the ranks by a random sample.
inline constexpr std::size_t max_ranked = 16384;
/// Configurations times pairs up to which configurations are judged one by one; regions of two axes
/// times pairs up to which these are.
inline constexpr std::size_t max_judged = 20000;

/// Builds a comparison from the rows of /trials in file order. Memory does not grow with trials.
///
/// A region is the configurations of one kind with one value of an axis that varies; an axis of
/// more than eight numbers is halved. Two axes are crossed, in their order, as long as the regions
/// are not too many; what one of the axes alone says already, or a configuration, is no region of
/// two axes. What is declared (faster, arrives) holds for all regions and pairs at once but for a
/// chance of options.error, in equal shares for fits (if there are any), for configurations and
/// regions of two axes, and for the rest, each by Holm; and a solver is declared faster only if the
/// interval agrees.
///
/// Trials of a job of pairs are the same fit again unless something of it is drawn: a trial whose
/// fits all equal those of the first trial of its configuration is left out, since repetition is no
/// evidence.
class ComparisonBuilder {
 public:
  /// `configurations` as in the result file; `labels` empty: the names.
  ComparisonBuilder(std::vector<std::string> solvers, const Table& configurations,
                    ComparisonOptions options = {}, std::vector<std::string> labels = {});
  /// `solvers` as in the result file.
  ComparisonBuilder(const Table& solvers, const Table& configurations);
  ~ComparisonBuilder();
  ComparisonBuilder(const ComparisonBuilder&) = delete;
  ComparisonBuilder& operator=(const ComparisonBuilder&) = delete;

  /// A trial may be split over calls. Throws InputError if rows name a solver or configuration that
  /// is not there, are not sorted by configuration, or hold a solver twice in a trial.
  void add(std::span<const Record> rows);
  /// Ends the last trial; called once.
  [[nodiscard]] Comparison finish();

 private:
  struct Body;
  std::unique_ptr<Body> body_;
};

// The axes of /configurations, and which configurations have something in common.

/// Regions of a set of configurations, without pairs yet: the overall one of each kind, then one
/// per kind and value of each axis that varies, then those of two axes.
struct RegionMap {
  std::vector<Region> regions;
  std::vector<std::vector<std::size_t>> of_configuration;  ///< positions in `regions`
  /// Configurations that are the only one with their values of two axes, and that region of it.
  std::map<std::size_t, Region> alone;
};

/// Names of the columns of /configurations whose values differ between rows, drawn ranges included;
/// without `configuration`, `problem` and the `_min` and `_max` of drawn keys.
[[nodiscard]] std::vector<std::string> varying_axes(const Table& configurations);
/// The value of an axis in a configuration: a number, a word, or "low..high" if it is drawn.
[[nodiscard]] std::string axis_text(const Table& configurations, const std::string& axis,
                                    std::size_t row);

/// Axes with more values than `max_values` are halved if they are numbers, else left out. Axes
/// beyond the first `max_axes` are left out, and axes whose regions with another would be more than
/// `max_two_axes` in all are not crossed.
[[nodiscard]] RegionMap map_regions(const Table& configurations, std::size_t max_two_axes,
                                    std::size_t max_values = 8, std::size_t max_axes = 8);

/// Whether trials of a configuration repeat one fit: a job of pairs, whose points are fixed.
[[nodiscard]] bool repeats_its_trials(const Table& configurations);

}  // namespace nucreg
