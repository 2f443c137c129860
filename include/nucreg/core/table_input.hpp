// Tables that others wrote: text (CSV) of spreadsheets and scripts, arrays that NumPy has saved.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nucreg {

/// The bytes of a table that a spreadsheet or a script wrote, as text: UTF-16 with a byte order
/// mark becomes UTF-8, other bytes stay. Throws InputError on what is no text, by its name (.xls,
/// .xlsx, gzip, HDF5, ...), or that has more than 100,000 columns.
[[nodiscard]] std::string table_text(std::string bytes, const std::string& file);

struct TextLine {
  int number = 0;         ///< in the file, from 1
  std::string_view text;  ///< into what it was taken from
};

/// Lines that are not blank, whether they end with LF, CR LF or CR; a byte order mark in front is
/// no part of the first.
[[nodiscard]] std::vector<TextLine> lines_of(std::string_view text);
/// Without the blanks and quotation marks around them. A separator between those is none; a blank
/// as separator may be several.
[[nodiscard]] std::vector<std::string_view> cells_of(std::string_view line, char separator);
/// A cell as text: two quotation marks there are one.
[[nodiscard]] std::string text_in(std::string_view cell);
/// The number of a cell, with a decimal point or a decimal comma.
[[nodiscard]] std::optional<double> number_in(std::string_view cell);

/// Distinguishes decimal commas from commas between thousands, by all numbers of a table, and
/// decimal points from points between thousands, by the numbers of each column.
class NumberForms {
 public:
  void add(std::string_view cell, std::size_t column);
  /// Why commas or points cannot be read as decimal ones, in words; empty if they can.
  [[nodiscard]] std::string doubt() const;

 private:
  struct Column {
    std::size_t grouped = 0, hundreds = 0;  // "1.234", "567"
    bool ordinary = false;  // holds a number that a table with points between thousands does not
    std::string cell;
  };
  std::size_t grouped_ = 0, commas_ = 0, points_ = 0, whole_ = 0;
  std::string grouped_cell_, comma_cell_, point_cell_;
  std::map<std::size_t, Column> columns_;
};

/// A view of the bytes of a .npy file with two dimensions of numbers.
class NpyArray {
 public:
  /// Whole numbers of 1 to 8 bytes, real ones of 4 or 8, or truth values (0, 1). Throws InputError
  /// naming `file` and what is `allowed` of such arrays.
  NpyArray(std::string_view bytes, std::string file, std::string allowed);

  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::size_t columns() const { return columns_; }
  /// As the file has it: "'<f8'".
  [[nodiscard]] std::string_view type() const { return type_; }
  [[nodiscard]] bool whole_numbers() const { return kind_ != 'f'; }
  [[nodiscard]] double at(std::size_t row, std::size_t column) const;
  /// Where that element is in the file.
  [[nodiscard]] std::size_t offset(std::size_t row, std::size_t column) const;

  [[noreturn]] void fail(const std::string& problem, std::size_t offset) const;
  /// Fails if that element, which the reader calls so, is infinite or NaN.
  void check_finite(std::size_t row, std::size_t column, std::string_view name) const;

 private:
  std::string_view bytes_, type_;
  std::string file_, allowed_;
  std::size_t start_ = 0, rows_ = 0, columns_ = 0, element_bytes_ = 0;
  char kind_ = 'f';  // f, i, u; of truth values u
  bool by_column_ = false, big_endian_ = false;
};

}  // namespace nucreg
