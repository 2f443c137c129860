#include "nucreg/stats/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "nucreg/core/table.hpp"

namespace nucreg {
namespace {

/// Which part of an axis each configuration belongs to; no parts if the axis has too many values.
struct Parts {
  std::vector<std::size_t> of_row;  // positions in `names`
  std::vector<std::string> names;   // in order
};

Parts parts_of(std::size_t rows, std::size_t most, auto&& value_of_row) {
  Parts parts;
  for (std::size_t row = 0; row < rows; ++row) {
    std::string value = value_of_row(row);
    const auto at = std::ranges::find(parts.names, value);
    parts.of_row.push_back(static_cast<std::size_t>(at - parts.names.begin()));
    if (at == parts.names.end()) parts.names.push_back(std::move(value));
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
  Parts parts{.of_row = {}, .names = {fmt::format("<= {}", limit), fmt::format("> {}", limit)}};
  for (const double value : values) parts.of_row.push_back(value <= limit ? 0 : 1);
  return parts;
}

bool is_kind_axis(const std::string& axis) {
  return axis == "model" || axis == "loss";
}

/// The kind of each configuration, and the kinds in order: one without a name if there is one only.
Parts kinds_of(const Table& configurations) {
  std::vector<std::string> kinds(configurations.rows());
  for (const std::string& axis : varying_axes(configurations))
    for (std::size_t row = 0; is_kind_axis(axis) && row < configurations.rows(); ++row)
      kinds[row] += fmt::format("{}{} = {}", kinds[row].empty() ? "" : ", ", axis,
                                axis_text(configurations, axis, row));
  Parts parts = parts_of(kinds.size(), kinds.size(), [&](std::size_t row) { return kinds[row]; });
  if (parts.names.empty()) parts.names.emplace_back();
  return parts;
}

struct RegionAxis {
  std::string name;
  Parts parts;
};

/// Adds the regions of two axes of each kind, if they are at most `most`, to `map`; returns how
/// many they are. What holds the same configurations as a region of one of the axes is left out.
std::size_t cross(const Parts& kinds, const RegionAxis& first, const RegionAxis& second,
                  std::size_t most, RegionMap& map) {
  const std::size_t as = first.parts.names.size(), bs = second.parts.names.size();
  std::vector<std::vector<std::size_t>> members(kinds.names.size() * as * bs);
  std::vector<std::size_t> of_first(kinds.names.size() * as), of_second(kinds.names.size() * bs);
  for (std::size_t row = 0; row < kinds.of_row.size(); ++row) {
    const std::size_t kind = kinds.of_row[row];
    const std::size_t a = first.parts.of_row[row], b = second.parts.of_row[row];
    members[(kind * as + a) * bs + b].push_back(row);
    ++of_first[kind * as + a];
    ++of_second[kind * bs + b];
  }
  std::vector<std::size_t> cells;
  for (std::size_t cell = 0; cell < members.size(); ++cell) {
    const std::size_t kind = cell / (as * bs), a = cell / bs % as, b = cell % bs;
    const std::size_t count = members[cell].size();
    if (count == 0 || count == of_first[kind * as + a] || count == of_second[kind * bs + b])
      continue;
    cells.push_back(cell);
  }
  const auto region_of = [&](std::size_t cell) {
    return Region{.scope = Region::Scope::two_axes,
                  .kind = kinds.names[cell / (as * bs)],
                  .axis = first.name,
                  .value = first.parts.names[cell / bs % as],
                  .axis_2 = second.name,
                  .value_2 = second.parts.names[cell % bs],
                  .configurations = members[cell].size()};
  };
  const auto alone = [&](std::size_t cell) { return members[cell].size() == 1; };
  const auto count = cells.size() - static_cast<std::size_t>(std::ranges::count_if(cells, alone));
  if (count > most) return 0;
  for (const std::size_t cell : cells) {
    if (alone(cell)) {
      map.alone.try_emplace(members[cell].front(), region_of(cell));
      continue;
    }
    for (const std::size_t row : members[cell])
      map.of_configuration[row].push_back(map.regions.size());
    map.regions.push_back(region_of(cell));
  }
  return count;
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

RegionMap map_regions(const Table& configurations, std::size_t max_two_axes, std::size_t max_values,
                      std::size_t max_axes) {
  RegionMap map;
  const Parts kinds = kinds_of(configurations);
  map.of_configuration.resize(configurations.rows());
  // The regions of one axis, per kind; the whole has one part without a name.
  const auto add = [&](const std::string& axis, const Parts& parts) {
    for (std::size_t kind = 0; kind < kinds.names.size(); ++kind)
      for (std::size_t part = 0; part < parts.names.size(); ++part) {
        Region region{.scope = axis.empty() ? Region::Scope::overall : Region::Scope::axis,
                      .kind = kinds.names[kind],
                      .axis = axis,
                      .value = parts.names[part]};
        for (std::size_t row = 0; row < configurations.rows(); ++row) {
          if (kinds.of_row[row] != kind || parts.of_row[row] != part) continue;
          map.of_configuration[row].push_back(map.regions.size());
          ++region.configurations;
        }
        map.regions.push_back(std::move(region));
      }
  };
  add("", {.of_row = std::vector<std::size_t>(configurations.rows()), .names = {""}});
  std::vector<std::string> names = varying_axes(configurations);
  std::erase_if(names, is_kind_axis);
  names.resize(std::min(names.size(), max_axes));
  std::vector<RegionAxis> axes;
  for (const std::string& name : names) {
    RegionAxis axis{name, parts_of(configurations.rows(), max_values, [&](std::size_t row) {
                      return axis_text(configurations, name, row);
                    })};
    if (axis.parts.names.empty()) axis.parts = halves_of(configurations, name);
    add(name, axis.parts);
    if (!axis.parts.names.empty()) axes.push_back(std::move(axis));
  }
  for (std::size_t a = 0; max_two_axes > 0 && a < axes.size(); ++a)
    for (std::size_t b = a + 1; b < axes.size(); ++b)
      max_two_axes -= cross(kinds, axes[a], axes[b], max_two_axes, map);
  return map;
}

bool repeats_its_trials(const Table& configurations) {
  const Column* truth = configurations.find("transform_model");
  if (!truth || !configurations.find("file") || configurations.find("field_width_px")) return false;
  const auto* models = std::get_if<std::vector<std::string>>(&truth->values);
  return models && std::ranges::all_of(*models, &std::string::empty);
}

}  // namespace nucreg
