// One line of CSV (RFC 4180).
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <string>
#include <string_view>
#include <utility>

namespace nucreg {

/// Fields of a line; numbers in the shortest form that reads back the same, NaN as "nan".
class CsvLine {
 public:
  CsvLine& operator<<(std::string_view text) {
    separate();
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
      line_ += text;
      return *this;
    }
    line_ += '"';
    for (const char c : text) {
      if (c == '"') line_ += '"';
      line_ += c;
    }
    line_ += '"';
    return *this;
  }
  CsvLine& operator<<(const char* text) { return *this << std::string_view(text); }
  CsvLine& operator<<(const std::string& text) { return *this << std::string_view(text); }
  CsvLine& operator<<(double number) {
    if (std::isnan(number)) return *this << std::string_view("nan");  // without the sign of a NaN
    return digits(number);
  }
  CsvLine& operator<<(std::integral auto number) { return digits(number); }

  /// The line with its end; starts the next.
  [[nodiscard]] std::string take() {
    empty_ = true;
    return std::exchange(line_, {}) + '\n';
  }

 private:
  void separate() {
    if (!std::exchange(empty_, false)) line_ += ',';
  }
  CsvLine& digits(auto number) {
    separate();
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    line_.append(text.data(), end);
    return *this;
  }

  std::string line_;
  bool empty_ = true;
};

}  // namespace nucreg
