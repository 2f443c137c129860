#include "verdict_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "nucreg/core/text.hpp"
#include "nucreg/report/verdict.hpp"
#include "text_table.hpp"

namespace nucreg {
namespace {

std::string said(const PairStatistics& pair) {
  std::string text;
  switch (pair.finding) {
    case SpeedFinding::faster:
      text = pair.faster == Side::a ? "faster" : "slower";
      break;
    case SpeedFinding::same:
      text = "no difference";
      break;
    case SpeedFinding::undecided:
      text = pair.more_trials == 0
                 ? "unclear"
                 : fmt::format("{} more would tell", count_text(pair.more_trials));
      break;
    case SpeedFinding::incomparable:
      text = "no times";
      break;
  }
  if (pair.arrives != Side::neither)
    text += pair.arrives == Side::a ? ", better fits" : ", worse fits";
  return text;
}

}  // namespace

std::string verdict_text(const Overview& view, const TextOptions& options) {
  std::string text = "verdict\n";
  const Verdict verdict = make_verdict(view.comparison);
  text += wrapped(verdict.sentence(), options.width) + "\n";
  for (const std::string& flip : verdict.flips)
    text += wrapped("flips where " + flip, options.width) + "\n";
  for (const std::string& note : verdict.notes)
    text += wrapped("(" + note + ")", options.width) + "\n";
  if (view.comparison.solvers.size() < 2) return text;

  constexpr std::size_t bar_width = 8;
  std::vector<TextColumn> columns{
      {"where", false, 10},  {"best", false, 9},  {"against", false, 8},
      {"x faster", true, 8}, {"95 %", true, 6},   {"", false, 5},
      {"p", true, 4},        {"trials", true, 2}, {"finding", false, 7}};
  std::vector<PairStatistics> shown;
  double largest = 0.0;  // logarithm of a factor
  for (const Region& region : view.comparison.regions) {
    if (region.scope == Region::Scope::configuration) continue;
    const Leaders lead = leaders(view.comparison, region);
    PairStatistics pair = pair_of(view.comparison, region, lead.best, lead.second);
    if (pair.a != lead.best) pair = mirrored(pair);
    columns[0].cells.push_back(region_name(region));
    columns[1].cells.push_back(view.comparison.solvers[lead.best]);
    columns[2].cells.push_back(view.comparison.solvers[lead.second]);
    if (!std::isnan(pair.ratio)) largest = std::max(largest, -std::log(pair.ratio));
    shown.push_back(pair);
  }
  for (const PairStatistics& pair : shown) {
    columns[3].cells.push_back(number_text(1.0 / pair.ratio));
    columns[4].cells.push_back(
        std::isnan(pair.interval.low)
            ? "-"
            : fmt::format("{:.3g} to {:.3g}", 1.0 / pair.interval.high, 1.0 / pair.interval.low));
    columns[5].cells.push_back(
        largest > 0.0 ? bar(-std::log(pair.ratio) / largest, bar_width, options.unicode) : "");
    columns[6].cells.push_back(
        std::isnan(pair.speed_p_holm) ? "-" : fmt::format("{:.1g}", pair.speed_p_holm));
    columns[7].cells.push_back(count_text(pair.timed));
    columns[8].cells.push_back(said(pair));
  }
  return text + "\n" + render(std::move(columns), options.width);
}

}  // namespace nucreg
