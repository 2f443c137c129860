#include "nucreg/report/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "nucreg/core/text.hpp"

namespace nucreg {
namespace {

constexpr const char* invalid_cause = "more ranks than processors, or solves that were interrupted";

Side other(Side side) {
  return side == Side::a ? Side::b : side == Side::b ? Side::a : Side::neither;
}

std::string p_text(double p) {
  return p < 1e-15 ? "p < 1e-15" : fmt::format("p {:.2g}", p);
}

std::string interval_text(const PairStatistics& pair) {
  if (std::isnan(pair.interval.low)) return "one timing, no interval";
  return fmt::format("95 % interval {:.3g} to {:.3g}", 1.0 / pair.interval.high,
                     1.0 / pair.interval.low);
}

/// Why there is no ratio.
std::string no_time(const PairStatistics& pair) {
  if (pair.trials == 0) return "no trial was taken on by both";
  if (pair.failed_a == pair.trials && pair.failed_b == pair.trials)
    return fmt::format("both failed in each of {} trials", count_text(pair.trials));
  if (pair.equal == 0)
    return fmt::format("equal accuracy in 0 of {} trials", count_text(pair.trials));
  return fmt::format("where accuracy is equal no timing is valid ({})", invalid_cause);
}

/// Whether one is declared faster in one region, the other in another.
bool regions_differ(const Comparison& comparison, const PairStatistics& pair) {
  const auto declared = [&](Side side) {
    return std::ranges::any_of(comparison.regions, [&](const Region& region) {
      return pair_of(comparison, region, pair.a, pair.b).faster == side;
    });
  };
  return declared(Side::a) && declared(Side::b);
}

/// Why trials are rarely timed, if they are.
std::string few_timed(const PairStatistics& pair) {
  if (2 * pair.timed >= pair.trials) return {};
  if (2 * pair.timed >= pair.equal)
    return fmt::format("; accuracy is equal in {} of {} only", count_text(pair.equal),
                       count_text(pair.trials));
  return fmt::format("; of {} at equal accuracy {} have valid timings only ({})",
                     count_text(pair.equal), count_text(pair.timed), invalid_cause);
}

std::string undecided_text(const std::string& a, const std::string& b, const PairStatistics& pair,
                           const std::string& numbers, bool differs) {
  if (pair.more_trials > 0)
    return fmt::format(
        "not enough trials to tell the speed of {} and {} apart ({}): about {} more would tell{}",
        a, b, numbers, count_text(pair.more_trials), few_timed(pair));
  return fmt::format("which of {} and {} is faster {} ({})", a, b,
                     differs ? "differs between regions; more trials would not tell" : "is unclear",
                     numbers);
}

/// a is the one to speak of.
std::string speed_text(const std::string& a, const std::string& b, const PairStatistics& pair,
                       bool differs) {
  const std::string trials =
      fmt::format("{} of {} trials", count_text(pair.timed), count_text(pair.trials));
  switch (pair.finding) {
    case SpeedFinding::faster:
      return fmt::format("{} is {:.3g} times as fast as {} at equal accuracy ({}, {}, {})", a,
                         1.0 / pair.ratio, b, interval_text(pair), p_text(pair.speed_p_holm),
                         trials);
    case SpeedFinding::same:
      return fmt::format("no difference in speed between {} and {} (ratio {:.3g}, {}, {})", a, b,
                         1.0 / pair.ratio, interval_text(pair), trials);
    case SpeedFinding::undecided:
      return undecided_text(
          a, b, pair,
          fmt::format("ratio {:.3g}, {}, {}", 1.0 / pair.ratio, interval_text(pair), trials),
          differs);
    case SpeedFinding::incomparable:
      break;
  }
  return fmt::format("no times of {} and {} to compare: {}", a, b, no_time(pair));
}

std::string arrival_text(const std::string& a, const std::string& b, const PairStatistics& pair) {
  if (pair.arrives == Side::neither) return {};
  const bool first = pair.arrives == Side::a;
  return fmt::format("{} reaches the better fit in {} trials, {} in {} ({})", first ? a : b,
                     count_text(first ? pair.better_a : pair.better_b), first ? b : a,
                     count_text(first ? pair.better_b : pair.better_a),
                     p_text(pair.arrival_p_holm));
}

/// 1 a is the better one, -1 b is, 0 neither or each in its own way.
int preference(const PairStatistics& pair) {
  const auto sign = [](Side side) { return side == Side::a ? 1 : side == Side::b ? -1 : 0; };
  return std::clamp(sign(pair.faster) + sign(pair.arrives), -1, 1);
}

std::string flip_text(const Comparison& comparison, const Region& region,
                      const PairStatistics& pair) {
  const bool first = pair.faster == Side::a;
  const PairStatistics seen = first ? pair : mirrored(pair);
  return fmt::format("{}: {} is {:.3g} times as fast as {} ({}, {})", region_name(region),
                     comparison.solvers[first ? pair.a : pair.b], 1.0 / seen.ratio,
                     comparison.solvers[first ? pair.b : pair.a], interval_text(seen),
                     p_text(pair.speed_p_holm));
}

/// Where a declared winner is another than the declared one overall, or than that of another region
/// of the same axis where overall there is none.
std::vector<std::string> find_flips(const Comparison& comparison) {
  std::vector<std::string> flips;
  const auto& overall = comparison.overall().pairs;
  for (std::size_t p = 0; p < overall.size(); ++p) {
    const auto differs = [&](const Region& region) {
      const Side here = region.pairs[p].faster;
      if (here == Side::neither) return false;
      if (overall[p].faster != Side::neither) return here != overall[p].faster;
      return std::ranges::any_of(comparison.regions, [&](const Region& elsewhere) {
        return elsewhere.scope == region.scope && elsewhere.axis == region.axis &&
               elsewhere.pairs[p].faster == other(here);
      });
    };
    for (const Region& region : comparison.regions)
      if (region.scope == Region::Scope::axis && differs(region))
        flips.push_back(flip_text(comparison, region, region.pairs[p]));
  }
  return flips;
}

std::vector<std::string> find_notes(const Comparison& comparison) {
  std::vector<std::string> notes;
  std::uint64_t left_out = 0, equal = 0;
  bool sampled = false;
  std::string failed;
  std::vector<std::uint64_t> failures(comparison.solvers.size(), 0), tried = failures;
  for (const PairStatistics& pair : comparison.overall().pairs) {
    equal += pair.equal;
    left_out += pair.equal - pair.timed;
    sampled = sampled || pair.sampled;
    // The pair with the most trials tells most of a solver.
    for (const auto& [solver, count] : {std::pair(pair.a, pair.failed_a), {pair.b, pair.failed_b}})
      if (pair.trials > tried[solver]) {
        tried[solver] = pair.trials;
        failures[solver] = count;
      }
  }
  for (std::size_t s = 0; s < failures.size(); ++s)
    if (failures[s] > 0)
      failed += fmt::format("{}{} in {} of {} trials", failed.empty() ? "" : ", ",
                            comparison.solvers[s], count_text(failures[s]), count_text(tried[s]));
  if (!failed.empty()) notes.push_back("failed: " + failed + "; each counts against its solver");
  if (left_out > 0)
    notes.push_back(
        fmt::format("{} of {} comparisons at equal accuracy are in no time: a timing "
                    "was not valid",
                    count_text(left_out), count_text(equal)));
  if (sampled)
    notes.push_back(
        fmt::format("p-values rest on a random sample of {} trials of each "
                    "configuration with more",
                    count_text(most_ranked)));
  const SolverRanks& ranks = comparison.ranks;
  if (!std::isnan(ranks.critical_difference)) {
    std::string text;
    for (std::size_t s = 0; s < ranks.mean_rank.size(); ++s)
      text +=
          fmt::format("{}{} {:.2f}", s == 0 ? "" : ", ", comparison.solvers[s], ranks.mean_rank[s]);
    notes.push_back(fmt::format(
        "mean ranks over {} trials that all took on: {}; further apart than {:.2g} they differ "
        "(Friedman {}, Nemenyi)",
        count_text(ranks.trials), text, ranks.critical_difference, p_text(ranks.friedman_p)));
  }
  return notes;
}

}  // namespace

std::string region_name(const Region& region) {
  if (region.scope == Region::Scope::overall) return "overall";
  if (region.scope == Region::Scope::configuration)
    return fmt::format("configuration {}", region.configuration);
  const bool compared = region.value.starts_with("<=") || region.value.starts_with("> ");
  return fmt::format("{}{}{}", region.axis, compared ? " " : " = ", region.value);
}

PairStatistics mirrored(const PairStatistics& pair) {
  PairStatistics seen = pair;
  std::swap(seen.a, seen.b);
  std::swap(seen.failed_a, seen.failed_b);
  std::swap(seen.better_a, seen.better_b);
  seen.ratio = 1.0 / pair.ratio;
  seen.interval = {1.0 / pair.interval.high, 1.0 / pair.interval.low};
  seen.effect = -pair.effect;
  seen.faster = other(pair.faster);
  seen.arrives = other(pair.arrives);
  return seen;
}

const PairStatistics& pair_of(const Comparison& comparison, const Region& region, std::size_t x,
                              std::size_t y) {
  const std::size_t a = std::min(x, y), b = std::max(x, y);
  return region.pairs.at(a * (2 * comparison.solvers.size() - a - 1) / 2 + b - a - 1);
}

std::string pair_sentence(const Comparison& comparison, const Region& region,
                          const PairStatistics& pair) {
  const bool turned = pair.faster == Side::b || (pair.faster == Side::neither && pair.ratio > 1.0);
  const PairStatistics seen = turned ? mirrored(pair) : pair;
  const std::string &a = comparison.solvers[seen.a], &b = comparison.solvers[seen.b];
  const std::string arrival = arrival_text(a, b, seen);
  const bool against = seen.faster != Side::neither && seen.arrives == Side::b;
  const bool differs = region.scope == Region::Scope::overall && regions_differ(comparison, pair);
  return speed_text(a, b, seen, differs) +
         (arrival.empty() ? "" : (against ? ", but " : "; ") + arrival);
}

Leaders leaders(const Comparison& comparison, const Region& region) {
  const std::size_t solvers = comparison.solvers.size();
  struct Standing {
    int wins = 0;
    double logs = 0.0;
  };
  std::vector<Standing> standings(solvers);
  for (const PairStatistics& pair : region.pairs) {
    standings[pair.a].wins += preference(pair);
    standings[pair.b].wins -= preference(pair);
    if (std::isnan(pair.ratio)) continue;
    standings[pair.a].logs += std::log(pair.ratio);
    standings[pair.b].logs -= std::log(pair.ratio);
  }
  std::vector<std::size_t> order;
  for (std::size_t s = 0; s < solvers; ++s) order.push_back(s);
  std::ranges::stable_sort(order, [&](std::size_t x, std::size_t y) {
    const Standing &l = standings[x], &r = standings[y];
    return l.wins != r.wins ? l.wins > r.wins : l.logs < r.logs;
  });
  return {.best = order.at(0), .second = order.at(1)};
}

std::string Verdict::sentence() const {
  return fmt::format("{}", fmt::join(sentences, "; "));
}

Verdict make_verdict(const Comparison& comparison) {
  if (comparison.solvers.size() < 2)
    return {.sentences = {"no verdict: there is one solver only"}, .flips = {}, .notes = {}};
  const Region& overall = comparison.overall();
  const std::size_t best = leaders(comparison, overall).best;
  std::vector<const PairStatistics*> others;
  for (std::size_t s = 0; s < comparison.solvers.size(); ++s)
    if (s != best) others.push_back(&pair_of(comparison, overall, best, s));
  // The nearest first; where there is no time, last.
  std::ranges::stable_sort(others, {}, [](const PairStatistics* pair) {
    return std::isnan(pair->ratio) ? std::numeric_limits<double>::infinity()
                                   : std::abs(std::log(pair->ratio));
  });
  Verdict verdict{
      .sentences = {}, .flips = find_flips(comparison), .notes = find_notes(comparison)};
  for (const PairStatistics* pair : others)
    verdict.sentences.push_back(pair_sentence(comparison, overall, *pair));
  return verdict;
}

}  // namespace nucreg
