#include "spread_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "nucreg/core/text.hpp"
#include "table_access.hpp"
#include "text_table.hpp"

namespace nucreg {
namespace {

using Cell = std::pair<std::int64_t, std::int64_t>;  // configuration, solver

// The largest distance to any other solver.
std::map<Cell, double> most_apart(const Table& agreement) {
  const auto& configuration = need<std::int64_t>(agreement, "configuration");
  const auto& solver = need<std::int64_t>(agreement, "solver");
  const auto& other = need<std::int64_t>(agreement, "other");
  const auto& most = need<double>(agreement, "max_px");
  std::map<Cell, double> apart;
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
  const auto& names = need<std::string>(view.solvers, "name");
  const auto& configuration = need<std::int64_t>(view.scatter, "configuration");
  const auto& solver = need<std::int64_t>(view.scatter, "solver");
  const auto& scatter = need<double>(view.scatter, "map_scatter_px");
  const std::map<Cell, double> apart = most_apart(view.agreement);
  std::map<Cell, double> heldout;
  const auto& summary_configuration = need<std::int64_t>(view.summary, "configuration");
  const auto& summary_solver = need<std::int64_t>(view.summary, "solver");
  const auto& median = need<double>(view.summary, "heldout_rmsd_px_median");
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
    const Cell cell{configuration[shown], solver[shown]};
    const auto c = static_cast<std::size_t>(cell.first);
    if (c >= options.most_configurations) break;
    if (c >= view.configurations.rows() || static_cast<std::size_t>(cell.second) >= names.size())
      throw InputError(fmt::format("row {} names what is not in the file", shown),
                       {.key = "/scatter"});
    const auto number = [&](const std::map<Cell, double>& of) {
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
