#include "nucreg/stats/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "nucreg/core/table.hpp"

namespace nucreg {
namespace {

/// The name of the part of an axis that each configuration belongs to, and the names in order;
/// none if the axis has too many values.
struct Parts {
  std::vector<std::string> of_row, names;
};

Parts values_of(const Table& configurations, const std::string& axis, std::size_t most) {
  Parts parts;
  for (std::size_t row = 0; row < configurations.rows(); ++row) {
    const std::string value = axis_text(configurations, axis, row);
    parts.of_row.push_back(value);
    if (std::ranges::find(parts.names, value) == parts.names.end()) parts.names.push_back(value);
    if (parts.names.size() > most) return {};
  }
  return parts;
}

Parts halves_of(const Table& configurations, const std::string& axis) {
  std::vector<double> values;
  const Column& column = configurations.at(axis);
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

bool is_kind_axis(const std::string& axis) {
  return axis == "model" || axis == "loss";
}

/// The kind of each configuration, and the kinds in order: one without a name if there is one only.
Parts kinds_of(const Table& configurations) {
  Parts kinds{.of_row = std::vector<std::string>(configurations.rows()), .names = {}};
  for (const std::string& axis : varying_axes(configurations))
    for (std::size_t row = 0; is_kind_axis(axis) && row < configurations.rows(); ++row)
      kinds.of_row[row] += fmt::format("{}{} = {}", kinds.of_row[row].empty() ? "" : ", ", axis,
                                       axis_text(configurations, axis, row));
  for (const std::string& kind : kinds.of_row)
    if (std::ranges::find(kinds.names, kind) == kinds.names.end()) kinds.names.push_back(kind);
  if (kinds.names.empty()) kinds.names.emplace_back();
  return kinds;
}

}  // namespace

std::string axis_text(const Table& configurations, const std::string& axis, std::size_t row) {
  const Column& column = configurations.at(axis);
  const Column* low = configurations.find(axis + "_min");
  const Column* high = configurations.find(axis + "_max");
  const auto* numbers = std::get_if<std::vector<double>>(&column.values);
  if (numbers && std::isnan((*numbers)[row]) && low && high)
    return cell_text(*low, row) + ".." + cell_text(*high, row);
  return cell_text(column, row);
}

std::vector<std::string> varying_axes(const Table& configurations) {
  const auto bound_of_drawn = [&](const std::string& name) {
    for (const std::string suffix : {"_min", "_max"})
      if (name.ends_with(suffix) &&
          configurations.find(name.substr(0, name.size() - suffix.size())))
        return true;
    return false;
  };
  std::vector<std::string> axes;
  for (const Column& column : configurations.columns) {
    if (column.name == "configuration" || column.name == "problem" || bound_of_drawn(column.name))
      continue;
    for (std::size_t row = 1; row < configurations.rows(); ++row) {
      if (axis_text(configurations, column.name, row) == axis_text(configurations, column.name, 0))
        continue;
      axes.push_back(column.name);
      break;
    }
  }
  return axes;
}

RegionMap map_regions(const Table& configurations, std::size_t max_values, std::size_t max_axes) {
  RegionMap map;
  const Parts kinds = kinds_of(configurations);
  map.of_configuration.resize(configurations.rows());
  // The regions of one axis, per kind; `parts` of the whole has one part without a name.
  const auto add = [&](const std::string& axis, const Parts& parts) {
    for (const std::string& kind : kinds.names)
      for (const std::string& value : parts.names) {
        Region region{.scope = axis.empty() ? Region::Scope::overall : Region::Scope::axis,
                      .kind = kind,
                      .axis = axis,
                      .value = value};
        for (std::size_t row = 0; row < configurations.rows(); ++row) {
          if (kinds.of_row[row] != kind || parts.of_row[row] != value) continue;
          map.of_configuration[row].push_back(map.regions.size());
          ++region.configurations;
        }
        map.regions.push_back(std::move(region));
      }
  };
  add("", {.of_row = std::vector<std::string>(configurations.rows()), .names = {""}});
  std::vector<std::string> axes = varying_axes(configurations);
  std::erase_if(axes, is_kind_axis);
  axes.resize(std::min(axes.size(), max_axes));
  for (const std::string& axis : axes) {
    Parts parts = values_of(configurations, axis, max_values);
    if (parts.names.empty()) parts = halves_of(configurations, axis);
    add(axis, parts);
  }
  return map;
}

bool repeats_its_trials(const Table& configurations) {
  const Column* truth = configurations.find("transform_model");
  if (!truth || !configurations.find("file") || configurations.find("field_width_px")) return false;
  const auto* models = std::get_if<std::vector<std::string>>(&truth->values);
  return models && std::ranges::all_of(*models, &std::string::empty);
}

}  // namespace nucreg
