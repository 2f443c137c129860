#include "nucreg/report/overview.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <map>

#include "nucreg/core/text.hpp"
#include "nucreg/stats/comparison.hpp"
#include "text_table.hpp"

namespace nucreg {
namespace {

std::string percent_text(double part) {
  return std::isnan(part) ? "-" : fmt::format("{:.1f}", 100.0 * part);
}

}  // namespace

std::string tiles_text(const Overview& view, const TextOptions& options) {
  if (view.matches.columns.empty()) return {};
  const auto& file = view.images.get<std::string>("file");
  const auto& nuclei = view.images.get<std::int64_t>("nuclei");
  const auto& matched = view.matches.get<bool>("matched");
  std::int64_t all = 0;
  for (const std::int64_t count : nuclei) all += count;
  const auto matches = static_cast<std::uint64_t>(std::ranges::count(matched, true));
  std::string text =
      fmt::format("images: {} with {} nuclei; {} of {} tried match\n", counted(file.size(), "tile"),
                  count_text(static_cast<std::uint64_t>(all)), count_text(matches),
                  counted(matched.size(), "pair"));

  const auto tile = [&](const char* side, std::size_t row) {
    const auto at = static_cast<std::size_t>(view.matches.get<std::int64_t>(side)[row]);
    if (at >= file.size())
      throw InputError(fmt::format("row {} names what is not in the file", row),
                       {.key = "/matches"});
    return at;
  };
  constexpr int always = 100;
  std::vector<TextColumn> columns{
      {"10x", false, 7},     {"40x", false, always},   {"at 10x", true, 5},
      {"at 40x", true, 5},   {"pairs", true, always},  {"rate %", true, 9},
      {"chance %", true, 8}, {"held-out px", true, 9}, {"stage off um", true, 6}};
  std::size_t shown = 0;
  for (std::size_t row = 0; row < matched.size() && shown < options.max_configurations; ++row) {
    if (!matched[row]) continue;
    ++shown;
    const auto number = [&](const char* name) { return view.matches.get<double>(name)[row]; };
    const std::size_t ten = tile("ten", row), forty = tile("forty", row);
    const std::vector<std::string> cells{
        file[ten],
        file[forty],
        fmt::format("{}", nuclei.at(ten)),
        fmt::format("{}", nuclei.at(forty)),
        fmt::format("{}", view.matches.get<std::int64_t>("pairs")[row]),
        percent_text(number("match_rate")),
        percent_text(number("chance_rate")),
        number_text(number("heldout_rmsd_px")),
        view.matches.find("stage_error_um") ? number_text(number("stage_error_um")) : "-"};
    for (std::size_t i = 0; i < cells.size(); ++i) columns[i].cells.push_back(cells[i]);
  }
  text += render(std::move(columns), options.width);
  if (shown < matches)
    text += fmt::format("({} more; all of them: /matches of the file)\n", matches - shown);
  return text + "\n";
}

namespace {

using SpreadKey = std::pair<std::int64_t, std::int64_t>;  // configuration, solver

// The largest distance to any other solver.
std::map<SpreadKey, double> max_distance_px(const Table& agreement) {
  const auto& configuration = agreement.get<std::int64_t>("configuration");
  const auto& solver = agreement.get<std::int64_t>("solver");
  const auto& other = agreement.get<std::int64_t>("other");
  const auto& most = agreement.get<double>("max_px");
  std::map<SpreadKey, double> apart;
  for (std::size_t row = 0; row < agreement.rows(); ++row)
    for (const std::int64_t one : {solver[row], other[row]})
      if (!std::isnan(most[row])) {
        double& value = apart[{configuration[row], one}];
        value = std::max(value, most[row]);
      }
  return apart;
}

}  // namespace

std::string spread_text(const Overview& view, const TextOptions& options) {
  if (view.scatter.columns.empty()) return {};
  const auto& names = view.solvers.get<std::string>("name");
  const auto& configuration = view.scatter.get<std::int64_t>("configuration");
  const auto& solver = view.scatter.get<std::int64_t>("solver");
  const auto& scatter = view.scatter.get<double>("map_scatter_px");
  const std::map<SpreadKey, double> apart = max_distance_px(view.agreement);
  std::map<SpreadKey, double> heldout;
  const auto& summary_configuration = view.summary.get<std::int64_t>("configuration");
  const auto& summary_solver = view.summary.get<std::int64_t>("solver");
  const auto& median = view.summary.get<double>("heldout_rmsd_px_median");
  for (std::size_t row = 0; row < view.summary.rows(); ++row)
    heldout[{summary_configuration[row], summary_solver[row]}] = median[row];

  const std::vector<std::string> axes = varying_axes(view.configurations);
  constexpr int always = 100;
  std::vector<TextColumn> columns;
  for (const std::string& axis : axes) columns.push_back({axis, true, 8});
  columns.push_back({"solver", false, always});
  columns.push_back({"held-out px", true, always});
  columns.push_back({"scatter px", true, always});
  columns.push_back({"apart px", true, always});
  std::size_t shown = 0;
  for (; shown < view.scatter.rows(); ++shown) {
    const SpreadKey cell{configuration[shown], solver[shown]};
    const auto c = static_cast<std::size_t>(cell.first);
    if (c >= options.max_configurations) break;
    if (c >= view.configurations.rows() || static_cast<std::size_t>(cell.second) >= names.size())
      throw InputError(fmt::format("row {} names what is not in the file", shown),
                       {.key = "/scatter"});
    const auto number = [&](const std::map<SpreadKey, double>& of) {
      const auto at = of.find(cell);
      return number_text(at == of.end() ? std::nan("") : at->second);
    };
    std::size_t at = 0;
    for (const std::string& axis : axes)
      columns[at++].cells.push_back(axis_text(view.configurations, axis, c));
    for (std::string text : {names[static_cast<std::size_t>(cell.second)], number(heldout),
                             number_text(scatter[shown]), number(apart)})
      columns[at++].cells.push_back(std::move(text));
  }
  std::string text =
      wrapped(
          "without truth: RMSD of nuclei held out of the fit (median), scatter of the map over "
          "resamples, largest distance to another solver's map; 40x px at corners and centre of "
          "the 10x tile",
          options.width) +
      "\n" + render(std::move(columns), options.width);
  if (shown < view.scatter.rows())
    text += wrapped(fmt::format("({} more rows; all of them: /scatter, /agreement of the file)",
                                view.scatter.rows() - shown),
                    options.width) +
            "\n";
  return text + "\n";
}

}  // namespace nucreg
