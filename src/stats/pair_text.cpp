#include "pair_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "nucreg/core/text.hpp"
#include "nucreg/stats/verdict.hpp"

namespace nucreg {
namespace {

constexpr const char* invalid_cause = "more ranks than processors, or solves that were interrupted";

Side other(Side side) {
  return side == Side::a ? Side::b : side == Side::b ? Side::a : Side::neither;
}

std::string trials_text(const PairStatistics& pair) {
  return fmt::format("{} of {} trials", count_text(pair.timed), count_text(pair.trials));
}

/// In which trials times are compared.
const char* where_compared(const PairStatistics& pair) {
  return pair.known > 0 ? "where both arrive" : "at equal accuracy";
}

/// Why there is no ratio.
std::string no_time(const PairStatistics& pair) {
  if (pair.trials == 0) return "no trial was taken on by both";
  if (pair.failed_a == pair.trials && pair.failed_b == pair.trials)
    return fmt::format("both failed in each of {} trials", count_text(pair.trials));
  if (pair.equal == 0)
    return fmt::format("{} in 0 of {} trials", pair.known > 0 ? "both arrive" : "equal accuracy",
                       count_text(pair.trials));
  return fmt::format("no timing is valid {} ({})", where_compared(pair), invalid_cause);
}

/// Why trials are rarely timed, if they are.
std::string few_timed(const PairStatistics& pair) {
  if (2 * pair.timed >= pair.trials) return {};
  if (2 * pair.timed >= pair.equal)
    return fmt::format("; {} in {} of {} only",
                       pair.known > 0 ? "both arrive" : "accuracy is equal", count_text(pair.equal),
                       count_text(pair.trials));
  return fmt::format("; of {} {} have valid timings only ({})",
                     fmt::format("{} {}", count_text(pair.equal),
                                 pair.known > 0 ? "in which both arrive" : "at equal accuracy"),
                     count_text(pair.timed), invalid_cause);
}

std::string undecided_text(const std::string& a, const std::string& b, const PairStatistics& pair,
                           const std::string& numbers, bool differs) {
  if (pair.lacks_timings())
    return fmt::format(
        "not enough valid timings to tell {} and {} apart ({}){}: run again on an idle machine", a,
        b, numbers, few_timed(pair));
  if (differs)
    return fmt::format(
        "which of {} and {} is faster differs between regions; more trials would not tell ({})", a,
        b, numbers);
  if (pair.more_trials > 0)
    return fmt::format(
        "not enough trials to tell the speed of {} and {} apart ({}): about {} more would tell{}",
        a, b, numbers, count_text(pair.more_trials), few_timed(pair));
  return fmt::format("which of {} and {} is faster is unclear ({}; {} after Holm's correction)", a,
                     b, numbers, p_text(pair.speed_p_holm));
}

/// How much more is clearly more.
constexpr double clearly = 1.05;

/// "; LM is the cheaper method: 2 evaluations against 7.1": what holds of the method, whoever wrote
/// the code; empty if one needs none, as closed forms do.
std::string method_text(const std::string& a, const std::string& b, const PairStatistics& pair) {
  const double of_a = pair.evaluations_a, of_b = pair.evaluations_b;
  if (!(of_a > 0.0 && of_b > 0.0)) return {};
  const auto [less, more] = std::minmax(of_a, of_b);
  if (more <= clearly * less) return fmt::format("; {:.3g} evaluations against {:.3g}", of_a, of_b);
  return fmt::format("; {} is the cheaper method: {:.3g} evaluations against {:.3g}",
                     of_a < of_b ? a : b, less, more);
}

/// Whether the faster one takes clearly more evaluations: then its code is faster, not its method.
bool code_only(const PairStatistics& pair) {
  return pair.evaluations_b > 0.0 && pair.evaluations_a > clearly * pair.evaluations_b;
}

std::string faster_text(const std::string& a, const std::string& b, const PairStatistics& pair) {
  return fmt::format("{} is {:.3g} times as fast as {} {}{} ({}, {}, {}; {:.3g} times in total{})",
                     a, 1.0 / pair.ratio, b, where_compared(pair),
                     code_only(pair) ? " as an implementation, not as a method" : "",
                     interval_text(pair), p_text(pair.speed_p_holm), trials_text(pair),
                     1.0 / pair.total_ratio, method_text(a, b, pair));
}

/// a is the one to speak of.
std::string speed_text(const std::string& a, const std::string& b, const PairStatistics& pair,
                       bool differs) {
  const std::string ratio =
      fmt::format("ratio {:.3g}, {}, {}; {:.3g} in total", 1.0 / pair.ratio, interval_text(pair),
                  trials_text(pair), 1.0 / pair.total_ratio);
  switch (pair.finding) {
    case SpeedFinding::faster:
      return faster_text(a, b, pair);
    case SpeedFinding::same:
      return fmt::format("no difference in speed between {} and {} ({})", a, b, ratio);
    case SpeedFinding::undecided:
      return undecided_text(a, b, pair, ratio, differs);
    case SpeedFinding::mixed:
      return fmt::format(
          "{} takes less time than {} in the typical trial ({:.3g} times as fast, {}), but costs "
          "{:.3g} times as much in total (95 % interval {:.3g} to {:.3g}, {})",
          a, b, 1.0 / pair.ratio, interval_text(pair), pair.total_ratio, pair.total_interval.low,
          pair.total_interval.high, trials_text(pair));
    case SpeedFinding::neither:
      return {};
    case SpeedFinding::incomparable:
      break;
  }
  return fmt::format("no times of {} and {} to compare: {}", a, b, no_time(pair));
}

}  // namespace

std::string p_text(double p) {
  return p < 1e-15 ? "p < 1e-15" : fmt::format("p {:.2g}", p);
}

std::string interval_text(const PairStatistics& pair) {
  if (std::isnan(pair.interval.low)) return "one timing, no interval";
  return fmt::format("95 % interval {:.3g} to {:.3g}", 1.0 / pair.interval.high,
                     1.0 / pair.interval.low);
}

bool regions_differ(const Comparison& comparison, const Region& whole, const PairStatistics& pair) {
  const auto declared = [&](Side side) {
    return std::ranges::any_of(comparison.regions, [&](const Region& region) {
      return region.kind == whole.kind && region.scope != Region::Scope::overall &&
             pair_of(comparison, region, pair.a, pair.b).faster == side;
    });
  };
  return declared(Side::a) && declared(Side::b);
}

std::string arrivals(std::uint64_t arrived, std::uint64_t known) {
  return fmt::format("{} of {}", count_text(arrived), count_text(known));
}

std::string arrival_text(const std::string& a, const std::string& b, const PairStatistics& pair) {
  const bool first = pair.arrives != Side::b;
  if (pair.known == 0) {
    if (pair.arrives == Side::neither) return {};
    return fmt::format("{} reaches the better fit in {} trials, {} in {} ({})", first ? a : b,
                       count_text(first ? pair.better_a : pair.better_b), first ? b : a,
                       count_text(first ? pair.better_b : pair.better_a),
                       p_text(pair.arrival_p_holm));
  }
  const std::string of_a = arrivals(pair.arrived_a, pair.known);
  const std::string of_b = arrivals(pair.arrived_b, pair.known);
  if (pair.arrives != Side::neither)
    return fmt::format("{} arrives more often than {} ({} against {} trials, {})", first ? a : b,
                       first ? b : a, first ? of_a : of_b, first ? of_b : of_a,
                       p_text(pair.arrival_p_holm));
  if (pair.neither_arrives())
    return fmt::format("neither {} nor {} arrives ({} and {} trials)", a, b, of_a, of_b);
  if (pair.arrived_a == pair.known && pair.arrived_b == pair.known)
    return fmt::format("{} and {} both arrive in all {} trials", a, b, count_text(pair.known));
  return fmt::format(
      "arrivals do not tell {} and {} apart ({} and {} trials){}", a, b, of_a, of_b,
      pair.more_arrival_trials > 0
          ? fmt::format(": about {} more would", count_text(pair.more_arrival_trials))
          : "");
}

PairStatistics mirrored(const PairStatistics& pair) {
  PairStatistics seen = pair;
  std::swap(seen.a, seen.b);
  std::swap(seen.failed_a, seen.failed_b);
  std::swap(seen.arrived_a, seen.arrived_b);
  std::swap(seen.better_a, seen.better_b);
  std::swap(seen.lower_a, seen.lower_b);
  std::swap(seen.evaluations_a, seen.evaluations_b);
  const auto inverse = [](ConfidenceInterval i) {
    return ConfidenceInterval{1.0 / i.high, 1.0 / i.low};
  };
  seen.ratio = 1.0 / pair.ratio;
  seen.interval = inverse(pair.interval);
  seen.total_ratio = 1.0 / pair.total_ratio;
  seen.total_interval = inverse(pair.total_interval);
  seen.effect = -pair.effect;
  seen.faster = other(pair.faster);
  seen.arrives = other(pair.arrives);
  return seen;
}

std::string pair_sentence(const Comparison& comparison, const Region& region,
                          const PairStatistics& pair) {
  const bool turned = pair.faster == Side::b || (pair.faster == Side::neither && pair.ratio > 1.0);
  const PairStatistics seen = turned ? mirrored(pair) : pair;
  const std::string &a = comparison.labels[seen.a], &b = comparison.labels[seen.b];
  const std::string arrival = arrival_text(a, b, seen);
  if (seen.finding == SpeedFinding::neither) return arrival;
  const bool differs =
      region.scope == Region::Scope::overall && regions_differ(comparison, region, pair);
  const std::string speed = speed_text(a, b, seen, differs);
  if (arrival.empty()) return speed;
  const bool against = seen.faster == Side::a && seen.arrives == Side::b;
  if (seen.known == 0) return speed + (against ? ", but " : "; ") + arrival;
  return arrival + (against ? ", but " : "; ") + speed;
}

}  // namespace nucreg
