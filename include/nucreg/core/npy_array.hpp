// Arrays that NumPy has saved.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace nucreg {

/// A view of the bytes of a .npy file with two dimensions of numbers.
class NpyArray {
 public:
  /// Little-endian whole or real numbers of 1 to 8 bytes. Throws InputError naming `file` and what
  /// is `allowed` of such arrays.
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
  /// Fails where that element, which the reader calls so, is infinite or NaN.
  void check_finite(std::size_t row, std::size_t column, std::string_view name) const;

 private:
  std::string_view bytes_, type_;
  std::string file_, allowed_;
  std::size_t start_ = 0, rows_ = 0, columns_ = 0, element_bytes_ = 0;
  char kind_ = 'f';  // f, i, u
  bool by_column_ = false;
};

}  // namespace nucreg
