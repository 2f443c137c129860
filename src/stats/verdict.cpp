#include "nucreg/stats/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

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

/// Whether one is declared faster in one region of the same kind, the other in another.
bool regions_differ(const Comparison& comparison, const Region& whole, const PairStatistics& pair) {
  const auto declared = [&](Side side) {
    return std::ranges::any_of(comparison.regions, [&](const Region& region) {
      return region.kind == whole.kind && region.scope != Region::Scope::overall &&
             pair_of(comparison, region, pair.a, pair.b).faster == side;
    });
  };
  return declared(Side::a) && declared(Side::b);
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

std::string arrivals(std::uint64_t arrived, std::uint64_t known) {
  return fmt::format("{} of {}", count_text(arrived), count_text(known));
}

/// a is the one to speak of.
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
  return fmt::format("{} and {} arrive alike ({} and {} trials)", a, b, of_a, of_b);
}

/// 1 a is the better one, -1 b is, 0 neither. Who arrives more often is the better one whatever its
/// time.
int preference(const PairStatistics& pair) {
  const Side better = pair.arrives != Side::neither ? pair.arrives : pair.faster;
  return better == Side::a ? 1 : better == Side::b ? -1 : 0;
}

std::string flip_text(const Comparison& comparison, const Region& region,
                      const PairStatistics& pair) {
  const PairStatistics seen = preference(pair) > 0 ? pair : mirrored(pair);
  const std::string& winner = comparison.labels[seen.a];
  const std::string& loser = comparison.labels[seen.b];
  const std::string name = region_name(region);
  if (pair.arrives != Side::neither) return name + ": " + arrival_text(winner, loser, seen);
  return fmt::format("{}: {} is {:.3g} times as fast as {} ({}, {})", name, winner,
                     1.0 / seen.ratio, loser, interval_text(seen), p_text(pair.speed_p_holm));
}

/// Where a declared winner is another than the declared one overall, or than that of another region
/// of the same axis if overall there is none.
std::vector<std::string> find_flips(const Comparison& comparison, const Region& whole) {
  std::vector<std::string> flips;
  for (std::size_t p = 0; p < whole.pairs.size(); ++p) {
    const int overall = preference(whole.pairs[p]);
    const auto differs = [&](const Region& region) {
      const int here = preference(region.pairs[p]);
      if (here == 0) return false;
      if (overall != 0) return here != overall;
      return std::ranges::any_of(comparison.regions, [&](const Region& elsewhere) {
        return elsewhere.scope == region.scope && elsewhere.kind == region.kind &&
               elsewhere.axis == region.axis && preference(elsewhere.pairs[p]) == -here;
      });
    };
    for (const Region& region : comparison.regions)
      if (region.scope == Region::Scope::axis && region.kind == whole.kind && differs(region))
        flips.push_back(flip_text(comparison, region, region.pairs[p]));
  }
  return flips;
}

/// Sums over the kinds of what each solver failed in, judged by its pair with the most trials.
std::string failures_note(const Comparison& comparison) {
  std::vector<std::uint64_t> failures(comparison.solvers.size(), 0), tried = failures;
  for (const Region& whole : comparison.wholes()) {
    std::vector<std::uint64_t> most(comparison.solvers.size(), 0), failed = most;
    for (const PairStatistics& pair : whole.pairs)
      for (const auto& [solver, count] :
           {std::pair(pair.a, pair.failed_a), {pair.b, pair.failed_b}})
        if (pair.trials > most[solver]) {
          most[solver] = pair.trials;
          failed[solver] = count;
        }
    for (std::size_t s = 0; s < most.size(); ++s) {
      tried[s] += most[s];
      failures[s] += failed[s];
    }
  }
  std::string text;
  for (std::size_t s = 0; s < failures.size(); ++s)
    if (failures[s] > 0)
      text += fmt::format("{}{} in {} of {} trials", text.empty() ? "" : ", ", comparison.labels[s],
                          count_text(failures[s]), count_text(tried[s]));
  return text.empty() ? text : "failed: " + text + "; each counts against its solver";
}

std::vector<std::string> find_notes(const Comparison& comparison) {
  std::vector<std::string> notes;
  std::uint64_t left_out = 0, equal = 0, known = 0, uneven = 0;
  bool sampled = false;
  for (const Region& whole : comparison.wholes())
    for (const PairStatistics& pair : whole.pairs) {
      equal += pair.equal;
      left_out += pair.equal - pair.timed;
      known += pair.known;
      uneven += pair.lower_a + pair.lower_b;
      sampled = sampled || pair.sampled;
    }
  if (std::string failed = failures_note(comparison); !failed.empty())
    notes.push_back(std::move(failed));
  if (left_out > 0)
    notes.push_back(fmt::format(
        "{} of {} comparisons {} are left out of the time ratios: a timing "
        "was not valid",
        count_text(left_out), count_text(equal), known > 0 ? "of arrivals" : "at equal accuracy"));
  if (20 * uneven > equal)
    notes.push_back(
        fmt::format("in {} of {} comparisons of arrivals the two fits differ: one "
                    "objective is lower by more than {:g} of it",
                    count_text(uneven), count_text(equal), comparison.options.tolerance));
  if (comparison.repeated > 0)
    notes.push_back(
        fmt::format("{} repeat the fit of another trial on the same points and are not "
                    "counted: repetition is no evidence",
                    counted(comparison.repeated, "trial")));
  if (sampled)
    notes.push_back(
        fmt::format("p-values rest on a random sample of {} trials of each "
                    "configuration with more",
                    count_text(most_ranked)));
  return notes;
}

/// The sentences of one kind: of the best solver against each other one, the nearest first.
void add_sentences(const Comparison& comparison, const Region& whole,
                   std::vector<std::string>& sentences) {
  const std::string prefix = whole.kind.empty() ? "" : whole.kind + ": ";
  const auto& pairs = whole.pairs;
  if (pairs.size() > 1 && std::ranges::all_of(pairs, &PairStatistics::neither_arrives)) {
    std::string text = prefix + "no solver arrives in half of the trials";
    for (std::size_t s = 0; s < comparison.solvers.size(); ++s) {
      PairStatistics pair = pair_of(comparison, whole, s, s == 0 ? 1 : 0);
      if (pair.a != s) pair = mirrored(pair);
      text += fmt::format("{}{} {}", s == 0 ? " (" : ", ", comparison.labels[s],
                          arrivals(pair.arrived_a, pair.known));
    }
    sentences.push_back(text + ")");
    return;
  }
  const std::size_t best = leaders(comparison, whole).best;
  std::vector<const PairStatistics*> others;
  for (std::size_t s = 0; s < comparison.solvers.size(); ++s)
    if (s != best) others.push_back(&pair_of(comparison, whole, best, s));
  std::ranges::stable_sort(others, {}, [](const PairStatistics* pair) {
    return std::isnan(pair->ratio) ? std::numeric_limits<double>::infinity()
                                   : std::abs(std::log(pair->ratio));
  });
  for (const PairStatistics* pair : others)
    sentences.push_back(prefix + pair_sentence(comparison, whole, *pair));
}

/// One line per key, kind and solver: the value that arrives most often against the others.
std::vector<std::string> fit_sentences(const Comparison& comparison) {
  struct Rate {
    std::uint64_t arrived = 0, trials = 0;
  };
  std::vector<std::string> sentences;
  const auto& fits = comparison.fits;
  for (std::size_t i = 0; i < fits.size(); ++i) {
    const auto same = [&](const FitPair& pair) {
      return pair.axis == fits[i].axis && pair.kind == fits[i].kind &&
             pair.solver == fits[i].solver;
    };
    if (std::ranges::find_if(fits, same) != fits.begin() + static_cast<std::ptrdiff_t>(i)) continue;
    std::vector<std::pair<std::string, Rate>> rates;
    const auto note = [&](const std::string& value, Rate rate) {
      if (std::ranges::find(rates, value, &std::pair<std::string, Rate>::first) == rates.end())
        rates.emplace_back(value, rate);
    };
    for (const FitPair& pair : fits) {
      if (!same(pair)) continue;
      note(pair.a, {pair.arrived_a, pair.trials});
      note(pair.b, {pair.arrived_b, pair.trials});
    }
    std::ranges::stable_sort(rates, [](const auto& l, const auto& r) {
      return l.second.arrived * r.second.trials > r.second.arrived * l.second.trials;
    });
    std::string list;
    for (const auto& [value, rate] : rates)
      list += fmt::format("{}{} {}", list.empty() ? "" : ", ", value,
                          arrivals(rate.arrived, rate.trials));
    std::string beaten;
    double p = 0.0;
    for (const FitPair& pair : fits) {
      if (!same(pair)) continue;
      const std::string& best = rates.front().first;
      if (!((pair.a == best && pair.better < 0) || (pair.b == best && pair.better > 0))) continue;
      beaten += fmt::format("{}{}", beaten.empty() ? "" : ", ", pair.a == best ? pair.b : pair.a);
      p = std::max(p, pair.p_holm);
    }
    sentences.push_back(fmt::format("{}{} by {}: arrivals {}; {}", fits[i].axis,
                                    fits[i].kind.empty() ? "" : " (" + fits[i].kind + ")",
                                    comparison.labels[fits[i].solver], list,
                                    beaten.empty()
                                        ? "not told apart"
                                        : fmt::format("{} arrives more often than {} ({})",
                                                      rates.front().first, beaten, p_text(p))));
  }
  return sentences;
}

/// Trials of each configuration that decide all that more trials can decide; 0: nothing.
std::uint64_t trials_that_decide(const Comparison& comparison) {
  std::uint64_t most = 0;
  for (const Region& whole : comparison.wholes())
    for (const PairStatistics& pair : whole.pairs) {
      if (!pair.more_would_tell() || regions_differ(comparison, whole, pair)) continue;
      const std::uint64_t all = pair.trials + pair.more_trials;
      most = std::max(most, (all + whole.configurations - 1) / whole.configurations);
    }
  return most;
}

}  // namespace

std::string region_name(const Region& region) {
  if (region.scope == Region::Scope::configuration)
    return fmt::format("configuration {}", region.configuration);
  if (region.scope == Region::Scope::overall) return region.kind.empty() ? "overall" : region.kind;
  const bool compared = region.value.starts_with("<=") || region.value.starts_with("> ");
  return fmt::format("{}{}{}{}{}", region.kind, region.kind.empty() ? "" : ", ", region.axis,
                     compared ? " " : " = ", region.value);
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

const PairStatistics& pair_of(const Comparison& comparison, const Region& region, std::size_t x,
                              std::size_t y) {
  const std::size_t a = std::min(x, y), b = std::max(x, y);
  return region.pairs.at(a * (2 * comparison.solvers.size() - a - 1) / 2 + b - a - 1);
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
  Verdict verdict;
  verdict.fits = fit_sentences(comparison);
  if (comparison.solvers.size() < 2) {
    verdict.sentences = {"no verdict on solvers: there is one solver only"};
    return verdict;
  }
  bool first = true;
  for (const Region& whole : comparison.wholes()) {
    add_sentences(comparison, whole, verdict.sentences);
    for (std::string& flip : find_flips(comparison, whole))
      verdict.flips.push_back(std::move(flip));
    const std::string& best = comparison.solvers[leaders(comparison, whole).best];
    verdict.best = first || verdict.best == best ? best : "";
    first = false;
  }
  verdict.notes = find_notes(comparison);
  if (const std::uint64_t trials = trials_that_decide(comparison); trials > 0)
    verdict.more = fmt::format("--set job.trials={}", trials);
  return verdict;
}

namespace {

const char* scope_name(Region::Scope scope) {
  switch (scope) {
    case Region::Scope::overall:
      return "overall";
    case Region::Scope::axis:
      return "axis";
    case Region::Scope::configuration:
      return "configuration";
  }
  return "";
}

const char* finding_name(SpeedFinding finding) {
  switch (finding) {
    case SpeedFinding::faster:
      return "faster";
    case SpeedFinding::same:
      return "no difference";
    case SpeedFinding::undecided:
      return "not enough trials";
    case SpeedFinding::mixed:
      return "faster, but costs more";
    case SpeedFinding::neither:
      return "neither arrives";
    case SpeedFinding::incomparable:
      return "no times to compare";
  }
  return "";
}

}  // namespace

bool is_verdict_scope(std::string_view name) {
  using enum Region::Scope;
  return std::ranges::any_of(std::array{overall, axis, configuration},
                             [&](Region::Scope scope) { return scope_name(scope) == name; });
}

bool is_verdict_finding(std::string_view name) {
  using enum SpeedFinding;
  return std::ranges::any_of(std::array{faster, same, undecided, mixed, neither, incomparable},
                             [&](SpeedFinding finding) { return finding_name(finding) == name; });
}

Table verdict_table(const Comparison& comparison) {
  Table table{.name = "verdict"};
  struct Row {
    const Region* region;
    const PairStatistics* pair;
  };
  std::vector<Row> rows;
  for (const Region& region : comparison.regions)
    for (const PairStatistics& pair : region.pairs) rows.push_back({&region, &pair});

  const auto add = [&](const char* name, auto&& value) {
    table.add(name, "1", rows, [&](const Row& row) { return value(*row.region, *row.pair); });
  };
  using R = Region;
  using P = PairStatistics;
  const auto name_of_side = [&](const P& pair, Side side) -> std::string {
    if (side == Side::neither) return "";
    return comparison.solvers[side == Side::a ? pair.a : pair.b];
  };
  add("scope", [](const R& r, const P&) { return scope_name(r.scope); });
  add("kind", [](const R& r, const P&) { return r.kind; });
  add("axis", [](const R& r, const P&) { return r.axis; });
  add("value", [](const R& r, const P&) { return r.value; });
  add("configuration", [](const R& r, const P&) { return r.configuration; });
  add("configurations", [](const R& r, const P&) { return r.configurations; });
  add("solver_a", [&](const R&, const P& p) { return comparison.solvers[p.a]; });
  add("solver_b", [&](const R&, const P& p) { return comparison.solvers[p.b]; });
  add("trials", [](const R&, const P& p) { return p.trials; });
  add("failed_a", [](const R&, const P& p) { return p.failed_a; });
  add("failed_b", [](const R&, const P& p) { return p.failed_b; });
  add("arrival_known", [](const R&, const P& p) { return p.known; });
  add("arrived_a", [](const R&, const P& p) { return p.arrived_a; });
  add("arrived_b", [](const R&, const P& p) { return p.arrived_b; });
  add("equal", [](const R&, const P& p) { return p.equal; });
  add("better_a", [](const R&, const P& p) { return p.better_a; });
  add("better_b", [](const R&, const P& p) { return p.better_b; });
  add("timed", [](const R&, const P& p) { return p.timed; });
  add("left_out", [](const R&, const P& p) { return p.equal - p.timed; });
  add("time_ratio", [](const R&, const P& p) { return p.ratio; });
  add("time_ratio_low", [](const R&, const P& p) { return p.interval.low; });
  add("time_ratio_high", [](const R&, const P& p) { return p.interval.high; });
  add("total_ratio", [](const R&, const P& p) { return p.total_ratio; });
  add("total_ratio_low", [](const R&, const P& p) { return p.total_interval.low; });
  add("total_ratio_high", [](const R&, const P& p) { return p.total_interval.high; });
  add("evaluations_a", [](const R&, const P& p) { return p.evaluations_a; });
  add("evaluations_b", [](const R&, const P& p) { return p.evaluations_b; });
  add("log_ratio_std", [](const R&, const P& p) { return p.spread; });
  add("effect", [](const R&, const P& p) { return p.effect; });
  add("speed_p", [](const R&, const P& p) { return p.speed_p; });
  add("speed_p_holm", [](const R&, const P& p) { return p.speed_p_holm; });
  add("arrival_p", [](const R&, const P& p) { return p.arrival_p; });
  add("arrival_p_holm", [](const R&, const P& p) { return p.arrival_p_holm; });
  add("sampled", [](const R&, const P& p) { return p.sampled; });
  add("finding", [](const R&, const P& p) { return finding_name(p.finding); });
  add("faster", [&](const R&, const P& p) { return name_of_side(p, p.faster); });
  add("arrives", [&](const R&, const P& p) { return name_of_side(p, p.arrives); });
  add("more_trials", [](const R&, const P& p) { return p.more_trials; });
  add("sentence", [&](const R& r, const P& p) { return pair_sentence(comparison, r, p); });
  return table;
}

Table fit_verdict_table(const Comparison& comparison) {
  Table table{.name = "fit_verdict"};
  using F = FitPair;
  const auto add = [&](const char* name, auto&& value) {
    table.add(name, "1", comparison.fits, value);
  };
  add("axis", [](const F& f) { return f.axis; });
  add("value_a", [](const F& f) { return f.a; });
  add("value_b", [](const F& f) { return f.b; });
  add("kind", [](const F& f) { return f.kind; });
  add("solver", [&](const F& f) { return comparison.solvers.at(f.solver); });
  add("trials", [](const F& f) { return f.trials; });
  add("arrived_a", [](const F& f) { return f.arrived_a; });
  add("arrived_b", [](const F& f) { return f.arrived_b; });
  add("only_a", [](const F& f) { return f.only_a; });
  add("only_b", [](const F& f) { return f.only_b; });
  add("p", [](const F& f) { return f.p; });
  add("p_holm", [](const F& f) { return f.p_holm; });
  add("arrives", [](const F& f) {
    return f.better < 0 ? f.a : f.better > 0 ? f.b : std::string();
  });
  return table;
}

}  // namespace nucreg
