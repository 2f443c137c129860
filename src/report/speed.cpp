#include "nucreg/report/speed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "nucreg/core/error.hpp"

namespace nucreg {
namespace {

bool finished(const Record& row) {
  return row.status != SolveStatus::failed && std::isfinite(row.objective);
}

bool timed(const Record& row) {
  return row.timing_valid && std::isfinite(row.wall_seconds) && row.wall_seconds > 0.0;
}

/// The same comparison seen from its other side.
SpeedRatio mirrored(const SpeedRatio& r) {
  return {.a = r.b,
          .b = r.a,
          .trials = r.trials,
          .equal = r.equal,
          .a_better = r.b_better,
          .b_better = r.a_better,
          .timed = r.timed,
          .ratio = 1.0 / r.ratio,
          .low = 1.0 / r.high,
          .high = 1.0 / r.low};
}

std::string elsewhere(const SpeedRatio& r) {
  if (r.a_better == 0 && r.b_better == 0) return {};
  return fmt::format(" (lower objective elsewhere: {} {}, {} {})", r.a, r.a_better, r.b,
                     r.b_better);
}

/// a is the faster one.
std::string describe(const SpeedRatio& r) {
  const double factor = 1.0 / r.ratio;
  const std::string interval =
      std::isnan(r.low) ? "one trial, no interval"
                        : fmt::format("95 % interval {:.3g} to {:.3g}", 1.0 / r.high, 1.0 / r.low);
  const std::string how = r.low <= 1.0 && r.high >= 1.0
                              ? fmt::format("no faster and no slower than {} within the error", r.b)
                              : fmt::format("{:.3g} times as fast as {}", factor, r.b);
  const std::string value =
      r.low <= 1.0 && r.high >= 1.0 ? fmt::format("ratio {:.3g}, ", factor) : std::string();
  return fmt::format("{} ({}{}) at equal objective in {} of {} trials{}", how, value, interval,
                     r.equal, r.trials, elsewhere(r));
}

std::string no_verdict(const std::vector<SpeedRatio>& ratios) {
  std::uint64_t trials = 0, equal = 0;
  for (const SpeedRatio& r : ratios) {
    trials += r.trials;
    equal += r.equal;
  }
  if (trials == 0) return "no verdict on speed: no trial was taken on by two solvers";
  if (equal > 0)
    return "no verdict on speed: where objectives agree no timing is valid (more ranks than "
           "processors, or solves that were interrupted)";
  if (ratios.size() > 1) return "no verdict on speed: no two solvers reached equal objectives";
  return fmt::format("no verdict on speed: {} and {} reached equal objectives in 0 of {} trials{}",
                     ratios[0].a, ratios[0].b, trials, elsewhere(ratios[0]));
}

}  // namespace

SpeedComparison::SpeedComparison(std::vector<std::string> solver_names, double tolerance)
    : names_(std::move(solver_names)),
      tolerance_(tolerance),
      tallies_(names_.size() * names_.size()) {}

void SpeedComparison::add(std::span<const Record> rows) {
  for (const Record& row : rows) {
    if (row.solver >= names_.size())
      throw InputError(fmt::format("solver {} is not in /solvers", row.solver),
                       {.key = "/trials/solver"});
    if (!trial_.empty() &&
        (trial_.front().configuration != row.configuration || trial_.front().trial != row.trial)) {
      close_trial(tallies_);
      trial_.clear();
    }
    trial_.push_back(row);
  }
}

void SpeedComparison::close_trial(std::vector<Tally>& tallies) const {
  for (const Record& a : trial_)
    for (const Record& b : trial_)
      if (a.solver < b.solver && a.status != SolveStatus::not_applicable &&
          b.status != SolveStatus::not_applicable)
        compare(a, b, tallies[a.solver * names_.size() + b.solver]);
}

void SpeedComparison::compare(const Record& a, const Record& b, Tally& tally) const {
  ++tally.trials;
  if (!finished(a) || !finished(b)) return;
  const double lower = std::min(a.objective, b.objective);
  const double floor = 1e-18 * static_cast<double>(a.pairs);
  if (std::abs(a.objective - b.objective) > tolerance_ * lower + floor) {
    ++(a.objective < b.objective ? tally.a_better : tally.b_better);
    return;
  }
  ++tally.equal;
  if (!timed(a) || !timed(b)) return;
  ++tally.timed;
  const double value = std::log(a.wall_seconds / b.wall_seconds);
  const double step = value - tally.mean_log;
  tally.mean_log += step / static_cast<double>(tally.timed);
  tally.squares_log += step * (value - tally.mean_log);
}

std::vector<SpeedRatio> SpeedComparison::ratios() const {
  std::vector<Tally> tallies = tallies_;
  close_trial(tallies);
  std::vector<SpeedRatio> all;
  for (std::size_t a = 0; a < names_.size(); ++a) {
    for (std::size_t b = a + 1; b < names_.size(); ++b) {
      const Tally& t = tallies[a * names_.size() + b];
      SpeedRatio& r = all.emplace_back(SpeedRatio{.a = names_[a],
                                                  .b = names_[b],
                                                  .trials = t.trials,
                                                  .equal = t.equal,
                                                  .a_better = t.a_better,
                                                  .b_better = t.b_better,
                                                  .timed = t.timed});
      if (t.timed == 0) continue;
      r.ratio = std::exp(t.mean_log);
      if (t.timed == 1) continue;
      const auto n = static_cast<double>(t.timed);
      const double error = std::sqrt(t.squares_log / (n - 1.0) / n);
      const double reach = error * boost::math::quantile(boost::math::students_t(n - 1.0), 0.975);
      r.low = std::exp(t.mean_log - reach);
      r.high = std::exp(t.mean_log + reach);
    }
  }
  return all;
}

std::string SpeedComparison::sentence() const {
  if (names_.size() < 2) return "no verdict on speed: there is one solver only";
  const std::vector<SpeedRatio> all = ratios();
  // The fastest: faster than the most of the others.
  std::vector<SpeedRatio> best;
  for (const std::string& name : names_) {
    std::vector<SpeedRatio> won;
    for (const SpeedRatio& r : all) {
      if (r.timed == 0 || (r.a != name && r.b != name)) continue;
      SpeedRatio mine = r.a == name ? r : mirrored(r);
      if (mine.ratio <= 1.0) won.push_back(std::move(mine));
    }
    if (won.size() > best.size()) best = std::move(won);
  }
  if (best.empty()) return no_verdict(all);
  std::ranges::sort(best, std::greater<>(), &SpeedRatio::ratio);
  std::string text = best.front().a + " was ";
  for (std::size_t i = 0; i < best.size(); ++i) text += (i == 0 ? "" : "; ") + describe(best[i]);
  return text;
}

}  // namespace nucreg
