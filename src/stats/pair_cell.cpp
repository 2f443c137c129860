#include "pair_cell.hpp"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

#include "nucreg/stats/inference.hpp"
#include "nucreg/stats/samples.hpp"

namespace nucreg {
namespace {

bool answered(const Record& row) {
  return row.status != SolveStatus::failed && std::isfinite(row.objective);
}

bool timed(const Record& row) {
  return row.timing_valid && std::isfinite(row.wall_seconds) && row.wall_seconds > 0.0;
}

/// Trials of which the decision is likely (four in five) that `pair` is still short of, judged by
/// the spread and the share of valid timings that it shows. 0: by its spread it has enough, so that
/// more of the same trials promise nothing.
std::uint64_t trials_that_tell(const PairStatistics& pair, const ComparisonOptions& options,
                               double single_error) {
  const boost::math::normal normal;
  const auto reach = [&](double tail) {
    return boost::math::quantile(boost::math::complement(normal, tail));
  };
  // Below this many even differences all of one sign are not enough: p = 2^(1 - n).
  double needed = 1.0 + std::ceil(-std::log2(single_error));
  if (pair.spread > 0.0) {
    const double margin = std::log(options.indifference);
    const double found = std::abs(std::log(pair.ratio));
    const auto trials = [&](double reaches, double distance) {
      return std::pow(reaches * pair.spread / distance, 2.0);
    };
    const double to_differ = trials(reach(0.5 * single_error) + reach(0.2), std::max(found, 1e-6));
    const double to_agree = trials(reach(0.025), std::max(margin - found, 0.25 * margin));
    needed = std::max(needed, found < margin ? std::min(to_differ, to_agree) : to_differ);
  }
  const auto timed = static_cast<double>(pair.timed), trials = static_cast<double>(pair.trials);
  const double more = std::ceil((std::ceil(needed) - timed) * trials / timed);
  return static_cast<std::uint64_t>(std::clamp(more, 0.0, 1e12));
}

/// The same for the sign test on arrivals; 0: the rates that were seen are too near to matter.
std::uint64_t trials_that_tell_arrivals(const PairStatistics& pair, double single_error) {
  constexpr double too_near = 0.05;
  const auto known = static_cast<double>(pair.known);
  const auto a = static_cast<double>(pair.better_a), b = static_cast<double>(pair.better_b);
  if (!(std::abs(a - b) > too_near * known)) return 0;
  const boost::math::normal normal;
  const auto reach = [&](double tail) {
    return boost::math::quantile(boost::math::complement(normal, tail));
  };
  const double now = std::abs(a - b) / std::sqrt(a + b);
  const double needed = std::max(std::pow((reach(0.5 * single_error) + reach(0.2)) / now, 2.0),
                                 (1.0 + std::ceil(-std::log2(single_error))) / (a + b));
  const double more = std::ceil((needed - 1.0) * known);
  return static_cast<std::uint64_t>(std::clamp(more, 0.0, 1e12));
}

}  // namespace

ClipLimits::ClipLimits(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  const double middle = quantile(sorted, 0.5);
  for (double& value : sorted) value = std::abs(value - middle);
  std::ranges::sort(sorted);
  const double reach = 2.5 * 1.4826 * quantile(sorted, 0.5);
  if (!(reach > 0.0)) return;  // half of the values are equal: there is no scale to judge by
  low_ = middle - reach;
  high_ = middle + reach;
}

PairOutcome compare_solves(const Record& a, const Record& b, const ComparisonOptions& options) {
  PairOutcome outcome{.failed_a = !answered(a), .failed_b = !answered(b)};
  outcome.known = a.arrival_known() && b.arrival_known();
  outcome.arrived_a = outcome.known && a.arrived != 0;
  outcome.arrived_b = outcome.known && b.arrived != 0;
  const double floor = rounding_px * rounding_px * static_cast<double>(a.pairs);
  const bool level = std::abs(a.objective - b.objective) <=
                     options.tolerance * std::min(a.objective, b.objective) + floor;
  const Side lower = level ? Side::neither : a.objective < b.objective ? Side::a : Side::b;
  if (outcome.known && options.by_arrival) {
    outcome.equal = outcome.arrived_a && outcome.arrived_b;
    if (outcome.equal) outcome.lower = lower;
    if (outcome.arrived_a != outcome.arrived_b)
      outcome.better = outcome.arrived_a ? Side::a : Side::b;
  } else if (outcome.failed_a || outcome.failed_b) {
    if (!outcome.failed_a || !outcome.failed_b)
      outcome.better = outcome.failed_a ? Side::b : Side::a;
  } else {
    outcome.better = lower;
    outcome.equal = level;
  }
  if (!outcome.equal) return outcome;
  outcome.evaluations_a = static_cast<double>(a.function_evaluations);
  outcome.evaluations_b = static_cast<double>(b.function_evaluations);
  outcome.timed = timed(a) && timed(b);
  if (!outcome.timed) return outcome;
  outcome.seconds_a = a.wall_seconds;
  outcome.seconds_b = b.wall_seconds;
  outcome.log_ratio = std::log(a.wall_seconds / b.wall_seconds);
  return outcome;
}

void PairCell::add(const PairOutcome& outcome, std::uint64_t random) {
  ++totals_.trials;
  totals_.failed_a += outcome.failed_a;
  totals_.failed_b += outcome.failed_b;
  totals_.known += outcome.known;
  totals_.arrived_a += outcome.arrived_a;
  totals_.arrived_b += outcome.arrived_b;
  totals_.equal += outcome.equal;
  totals_.better_a += outcome.better == Side::a;
  totals_.better_b += outcome.better == Side::b;
  totals_.lower_a += outcome.lower == Side::a;
  totals_.lower_b += outcome.lower == Side::b;
  totals_.timed += outcome.timed;
  evaluations_a_ += outcome.evaluations_a;
  evaluations_b_ += outcome.evaluations_b;
  if (!outcome.timed) return;
  seconds_a_.add(outcome.seconds_a, random);
  seconds_b_.add(outcome.seconds_b, random);
}

void PairCell::add_ratio(double log_ratio, std::uint64_t random) {
  log_ratios_.add(log_ratio, random);
}

void PairCell::add_ranks(const SignedRank& ranks, bool sampled) {
  totals_.sampled = totals_.sampled || sampled;
  if (ranks.count == 0) return;
  if (++strata_ == 1) only_p_ = ranks.p;
  const double weight = 1.0 / static_cast<double>(ranks.count + 1);
  difference_ += weight * (ranks.positive - ranks.negative);
  sum_ += weight * (ranks.positive + ranks.negative);
  excess_ = 0.5 * difference_;
  variance_ += weight * weight * ranks.variance;
}

PairStatistics PairCell::statistics(Resampler& resampler) const {
  PairStatistics pair = totals_;
  if (pair.better_a + pair.better_b > 0) pair.arrival_p = sign_test(pair.better_a, pair.better_b);
  if (pair.equal > 0) {
    pair.evaluations_a = evaluations_a_ / static_cast<double>(pair.equal);
    pair.evaluations_b = evaluations_b_ / static_cast<double>(pair.equal);
  }
  if (pair.timed == 0) return pair;
  pair.ratio = std::exp(log_ratios_.mean());
  pair.spread = log_ratios_.standard_deviation();
  const ConfidenceInterval logs = resampler.mean_interval(log_ratios_);
  pair.interval = {std::exp(logs.low), std::exp(logs.high)};
  pair.total_ratio = seconds_a_.mean() / seconds_b_.mean();
  pair.total_interval = resampler.ratio_interval(seconds_a_, seconds_b_);
  pair.speed_p = strata_ <= 1 ? only_p_ : two_sided_normal(excess_ / std::sqrt(variance_));
  if (strata_ > 0) pair.effect = difference_ / sum_;
  return pair;
}

namespace {

/// The one that is surely the faster one in the typical trial.
Side faster_one(const PairStatistics& pair, const ComparisonOptions& options) {
  if (!(pair.speed_p_holm < options.error)) return Side::neither;
  if (pair.effect < 0.0 && pair.interval.high < 1.0) return Side::a;
  if (pair.effect > 0.0 && pair.interval.low > 1.0) return Side::b;
  return Side::neither;
}

}  // namespace

void decide(PairStatistics& pair, const ComparisonOptions& options, double single_error) {
  if (pair.arrival_p_holm < options.error)
    pair.arrives = pair.better_a > pair.better_b ? Side::a : Side::b;
  if (pair.neither_arrives()) {
    pair.finding = SpeedFinding::neither;
    return;
  }
  if (pair.known > 0 && pair.arrives == Side::neither)
    pair.more_arrival_trials = trials_that_tell_arrivals(pair, single_error);
  if (pair.timed == 0) return;
  const ConfidenceInterval& interval = pair.interval;
  const Side typical = faster_one(pair, options);
  const double total = typical == Side::b ? 1.0 / pair.total_ratio : pair.total_ratio;
  if (typical != Side::neither && total > options.indifference) {
    pair.finding = SpeedFinding::mixed;
  } else if (typical != Side::neither) {
    pair.finding = SpeedFinding::faster;
    pair.faster = typical;
  } else if (pair.timed >= 10 && interval.low > 1.0 / options.indifference &&
             interval.high < options.indifference) {
    pair.finding = SpeedFinding::same;
  } else {
    pair.finding = SpeedFinding::undecided;
    pair.more_trials = trials_that_tell(pair, options, single_error);
  }
}

}  // namespace nucreg
