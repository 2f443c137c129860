// Reading tables that came from a file, where a column may be missing or of another type.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/core/table.hpp"

namespace nucreg {

[[nodiscard]] inline const Column* find_column(const Table& table, const std::string& name) {
  const auto at = std::ranges::find(table.columns, name, &Column::name);
  return at == table.columns.end() ? nullptr : &*at;
}

/// The values of a column; throws InputError where it is missing or of another type.
template <class T>
[[nodiscard]] const std::vector<T>& need(const Table& table, const std::string& name) {
  const Column* column = find_column(table, name);
  const std::string key = "/" + table.name + "/" + name;
  if (!column) throw InputError("is missing", {.key = key});
  const auto* values = std::get_if<std::vector<T>>(&column->values);
  if (!values) throw InputError("is of another type than nucreg writes", {.key = key});
  return *values;
}

/// One value as text: numbers in the shortest form that reads back the same.
[[nodiscard]] std::string cell_text(const Column& column, std::size_t row);

/// Names of the columns of /configurations whose values differ between rows, drawn ranges included;
/// without `configuration` and the `_min` and `_max` of drawn keys.
[[nodiscard]] std::vector<std::string> varying_axes(const Table& configurations);

/// The value of an axis in a configuration: a number, a word, or "low..high" where it is drawn.
[[nodiscard]] std::string axis_text(const Table& configurations, const std::string& axis,
                                    std::size_t row);

}  // namespace nucreg
