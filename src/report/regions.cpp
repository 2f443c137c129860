#include "regions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "table_access.hpp"

namespace nucreg {
namespace {

/// The name of the part of an axis that each configuration belongs to, and the names in order;
/// none where the axis has too many values.
struct Parts {
  std::vector<std::string> of_row, names;
};

Parts values_of(const Table& configurations, const std::string& axis) {
  Parts parts;
  for (std::size_t row = 0; row < configurations.rows(); ++row) {
    const std::string value = axis_text(configurations, axis, row);
    parts.of_row.push_back(value);
    if (std::ranges::find(parts.names, value) == parts.names.end()) parts.names.push_back(value);
  }
  return parts;
}

Parts halves_of(const Table& configurations, const std::string& axis) {
  std::vector<double> values;
  const Column& column = *find_column(configurations, axis);
  if (const auto* numbers = std::get_if<std::vector<double>>(&column.values)) values = *numbers;
  if (const auto* counts = std::get_if<std::vector<std::int64_t>>(&column.values))
    values.assign(counts->begin(), counts->end());
  if (values.empty() || std::ranges::any_of(values, [](double v) { return std::isnan(v); }))
    return {};
  std::vector<double> sorted = values;
  std::ranges::sort(sorted);
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  const double limit = sorted[(sorted.size() - 1) / 2];
  Parts parts{.names = {fmt::format("<= {}", limit), fmt::format("> {}", limit)}};
  for (const double value : values) parts.of_row.push_back(parts.names[value <= limit ? 0 : 1]);
  return parts;
}

}  // namespace

RegionMap map_regions(const Table& configurations, std::size_t most_values, std::size_t most_axes) {
  RegionMap map;
  map.regions.push_back({.configurations = configurations.rows()});
  map.of_configuration.assign(configurations.rows(), {0});
  std::vector<std::string> axes = varying_axes(configurations);
  axes.resize(std::min(axes.size(), most_axes));
  for (const std::string& axis : axes) {
    Parts parts = values_of(configurations, axis);
    if (parts.names.size() > most_values) parts = halves_of(configurations, axis);
    const std::size_t first = map.regions.size();
    for (const std::string& name : parts.names)
      map.regions.push_back({.scope = Region::Scope::axis, .axis = axis, .value = name});
    for (std::size_t row = 0; row < parts.of_row.size(); ++row) {
      const auto at = std::ranges::find(parts.names, parts.of_row[row]) - parts.names.begin();
      map.of_configuration[row].push_back(first + static_cast<std::size_t>(at));
      ++map.regions[map.of_configuration[row].back()].configurations;
    }
  }
  return map;
}

}  // namespace nucreg
