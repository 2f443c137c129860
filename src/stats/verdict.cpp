#include "nucreg/stats/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "nucreg/core/text.hpp"
#include "pair_text.hpp"

namespace nucreg {
namespace {

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
/// of the same axis if overall there is none; and where two axes together have one that neither has
/// alone.
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
    const auto news_of_two = [&](const Region& region) {
      const int here = preference(region.pairs[p]);
      const auto says_it = [&](const Region& wider) {
        return preference(wider.pairs[p]) == here && wider.scope == Region::Scope::axis &&
               wider.kind == region.kind &&
               ((wider.axis == region.axis && wider.value == region.value) ||
                (wider.axis == region.axis_2 && wider.value == region.value_2));
      };
      return here != 0 && here != overall && std::ranges::none_of(comparison.regions, says_it);
    };
    for (const Region& region : comparison.regions) {
      if (region.kind != whole.kind || region.axis.empty()) continue;
      if (region.axis_2.empty() ? differs(region) : news_of_two(region))
        flips.push_back(flip_text(comparison, region, region.pairs[p]));
    }
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
                    count_text(max_ranked)));
  return notes;
}

/// The sentences of one kind: of the best solver against each other one, the nearest first; then of
/// the two nearest, since the best may not be what was asked about.
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
  if (others.size() < 2) return;
  const auto solver = [best](const PairStatistics* pair) {
    return pair->a == best ? pair->b : pair->a;
  };
  const PairStatistics& next = pair_of(comparison, whole, solver(others[0]), solver(others[1]));
  sentences.push_back(prefix + pair_sentence(comparison, whole, next));
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
      const bool of_speed = pair.more_would_tell() && !regions_differ(comparison, whole, pair);
      const std::uint64_t more =
          std::max(pair.more_arrival_trials, of_speed ? pair.more_trials : 0);
      if (more == 0) continue;
      const std::uint64_t all = pair.trials + more;
      most = std::max(most, (all + whole.configurations - 1) / whole.configurations);
    }
  return most;
}

}  // namespace

std::string region_name(const Region& region) {
  if (region.scope == Region::Scope::configuration && region.axis.empty())
    return fmt::format("configuration {}", region.configuration);
  std::string name = region.kind;
  for (const auto& [axis, value] :
       {std::tie(region.axis, region.value), std::tie(region.axis_2, region.value_2)}) {
    if (axis.empty()) continue;
    const bool compared = value.starts_with("<=") || value.starts_with("> ");
    name += fmt::format("{}{}{}{}", name.empty() ? "" : ", ", axis, compared ? " " : " = ", value);
  }
  return name.empty() ? "overall" : name;
}

const PairStatistics& pair_of(const Comparison& comparison, const Region& region, std::size_t x,
                              std::size_t y) {
  const std::size_t a = std::min(x, y), b = std::max(x, y);
  return region.pairs.at(a * (2 * comparison.solvers.size() - a - 1) / 2 + b - a - 1);
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

}  // namespace nucreg
