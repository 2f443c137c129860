#include "nucreg/report/overview.hpp"

#include <fmt/format.h>

#include <cmath>

#include "table_access.hpp"
#include "trial_stream.hpp"

namespace nucreg {

Overview make_overview(const ResultReader& reader, RowFindings findings) {
  Overview view{.attributes = reader.attributes(),
                .configurations = reader.table("configurations"),
                .solvers = reader.table("solvers"),
                .summary = reader.table("summary"),
                .ranks = reader.table("ranks"),
                .records = reader.trial_rows(),
                .messages = std::move(findings.messages),
                .comparison = std::move(findings.comparison)};
  if (reader.has_table("matches")) {
    view.images = reader.table("images");
    view.matches = reader.table("matches");
  }
  if (reader.has_table("scatter")) {
    view.scatter = reader.table("scatter");
    view.agreement = reader.table("agreement");
  }
  return view;
}

Overview make_overview(const ResultReader& reader) {
  MessageTally messages;
  ComparisonBuilder comparison(need<std::string>(reader.table("solvers"), "name"),
                               reader.table("configurations"));
  // What a comparison and the messages need: a third of the bytes of all columns.
  static constexpr std::string_view columns[] = {"configuration", "trial",        "solver",
                                                 "status",        "pairs",        "objective",
                                                 "wall_s",        "timing_valid", "message"};
  stream_trials(
      reader,
      [&](std::span<const Record> rows) {
        comparison.add(rows);
        messages.add(rows);
      },
      columns);
  return make_overview(reader, {comparison.finish(), messages.commonest(most_messages)});
}

std::string cell_text(const Column& column, std::size_t row) {
  if (const auto* truths = std::get_if<std::vector<bool>>(&column.values))
    return (*truths)[row] ? "true" : "false";
  if (const auto* texts = std::get_if<std::vector<std::string>>(&column.values))
    return (*texts)[row];
  if (const auto* counts = std::get_if<std::vector<std::int64_t>>(&column.values))
    return fmt::format("{}", (*counts)[row]);
  const double number = std::get<std::vector<double>>(column.values)[row];
  return std::isnan(number) ? "nan" : fmt::format("{}", number);  // without the sign of a NaN
}

std::string axis_text(const Table& configurations, const std::string& axis, std::size_t row) {
  const Column& column = *find_column(configurations, axis);
  const Column* low = find_column(configurations, axis + "_min");
  const Column* high = find_column(configurations, axis + "_max");
  const auto* numbers = std::get_if<std::vector<double>>(&column.values);
  if (numbers && std::isnan((*numbers)[row]) && low && high)
    return cell_text(*low, row) + ".." + cell_text(*high, row);
  return cell_text(column, row);
}

std::vector<std::string> varying_axes(const Table& configurations) {
  const auto bound_of_drawn = [&](const std::string& name) {
    for (const std::string suffix : {"_min", "_max"})
      if (name.ends_with(suffix) &&
          find_column(configurations, name.substr(0, name.size() - suffix.size())))
        return true;
    return false;
  };
  std::vector<std::string> axes;
  for (const Column& column : configurations.columns) {
    if (column.name == "configuration" || bound_of_drawn(column.name)) continue;
    for (std::size_t row = 1; row < configurations.rows(); ++row) {
      if (axis_text(configurations, column.name, row) == axis_text(configurations, column.name, 0))
        continue;
      axes.push_back(column.name);
      break;
    }
  }
  return axes;
}

}  // namespace nucreg
