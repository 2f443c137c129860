#include "nucreg/core/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "nucreg/core/error.hpp"

namespace nucreg {

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

const Column* Table::find(std::string_view column) const {
  const auto at = std::ranges::find(columns, column, &Column::name);
  return at == columns.end() ? nullptr : &*at;
}

const Column& Table::at(std::string_view column) const {
  if (const Column* found = find(column)) return *found;
  throw InputError("is missing", {.key = fmt::format("/{}/{}", name, column)});
}

void Table::wrong_type(std::string_view column) const {
  throw InputError("is of another type than nucreg writes",
                   {.key = fmt::format("/{}/{}", name, column)});
}

}  // namespace nucreg
