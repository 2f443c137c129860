// A small table as a value: what rooms exchange about configurations, ranks and summaries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
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

/// One value as text: numbers in the shortest form that reads back the same, "nan" for any NaN.
[[nodiscard]] std::string cell_text(const Column& column, std::size_t row);

/// A column of `value(row)` for each of `rows`. Whole numbers of any type become std::int64_t,
/// whatever converts to a string a std::string; numbers and truth values stay.
template <class Rows, class F>
[[nodiscard]] Column make_column(std::string name, std::string units, const Rows& rows, F&& value) {
  using Value = std::remove_cvref_t<std::invoke_result_t<F&, decltype(*std::begin(rows))>>;
  constexpr bool text = std::is_convertible_v<Value, std::string_view>;
  using Whole = std::conditional_t<std::is_same_v<Value, bool>, bool, std::int64_t>;
  using Number = std::conditional_t<std::is_integral_v<Value>, Whole, double>;
  using Stored = std::conditional_t<text, std::string, Number>;
  std::vector<Stored> values;
  values.reserve(std::size(rows));
  for (const auto& row : rows) values.push_back(static_cast<Stored>(value(row)));
  return {std::move(name), std::move(units), std::move(values)};
}

/// Columns of equal length under one name; the name is its group in the result file.
struct Table {
  std::string name;
  std::vector<Column> columns;

  [[nodiscard]] std::size_t rows() const { return columns.empty() ? 0 : columns.front().rows(); }
  /// The column of that name; nothing if there is none.
  [[nodiscard]] const Column* find(std::string_view column) const;
  /// The same; throws InputError (key "/table/column") if there is none, since tables come from
  /// files.
  [[nodiscard]] const Column& at(std::string_view column) const;
  /// The values of that column; throws InputError also if it is of another type.
  template <class T>
  [[nodiscard]] const std::vector<T>& get(std::string_view column) const {
    const auto* values = std::get_if<std::vector<T>>(&at(column).values);
    if (!values) wrong_type(column);
    return *values;
  }
  /// Appends make_column(...).
  template <class Rows, class F>
  void add(std::string column, std::string units, const Rows& rows, F&& value) {
    columns.push_back(
        make_column(std::move(column), std::move(units), rows, std::forward<F>(value)));
  }

 private:
  [[noreturn]] void wrong_type(std::string_view column) const;
};

}  // namespace nucreg
