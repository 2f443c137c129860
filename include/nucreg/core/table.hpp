// A small table as a value: what rooms exchange about configurations, ranks and summaries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace nucreg {

/// One column: a name, a unit ("px", "s", "1", "B", "deg"; empty: none, "1" in a file) and one
/// value per row. Truth values are std::vector<bool>; missing doubles are NaN, missing strings
/// empty.
struct Column {
  using Values = std::variant<std::vector<double>, std::vector<std::int64_t>,
                              std::vector<std::string>, std::vector<bool>>;
  std::string name;
  std::string units;
  Values values;

  [[nodiscard]] std::size_t rows() const {
    return std::visit([](const auto& v) { return v.size(); }, values);
  }
};

/// Columns of equal length under one name; the name is its group in the result file.
struct Table {
  std::string name;
  std::vector<Column> columns;

  [[nodiscard]] std::size_t rows() const { return columns.empty() ? 0 : columns.front().rows(); }
  /// The column of that name; throws std::out_of_range naming table and column.
  [[nodiscard]] const Column& at(const std::string& column) const;
  /// The values of that column; throws std::out_of_range also where the type is another.
  template <class T>
  [[nodiscard]] const std::vector<T>& get(const std::string& column) const {
    const auto* values = std::get_if<std::vector<T>>(&at(column).values);
    if (!values) wrong_type(column);
    return *values;
  }

 private:
  [[noreturn]] void wrong_type(const std::string& column) const;
};

}  // namespace nucreg
