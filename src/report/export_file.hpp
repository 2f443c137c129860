// What exports share: where they go, and lines of CSV (RFC 4180).
#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nucreg/core/text.hpp"
#include "nucreg/disk/files.hpp"

namespace nucreg {

/// Makes the folder and returns the paths of the files to be. Throws OutputError, also if one
/// exists and may not be overwritten.
[[nodiscard]] inline std::vector<std::filesystem::path> export_paths(
    const std::filesystem::path& directory, const std::vector<const char*>& names, bool overwrite) {
  make_folder(directory);
  std::vector<std::filesystem::path> paths;
  for (const char* name : names) {
    paths.push_back(directory / name);
    check_output(paths.back(), overwrite, "--force to overwrite it, or another folder");
  }
  return paths;
}

/// Whether a spreadsheet would take a text for a formula (CSV injection, OWASP): it begins as one
/// and is no number.
[[nodiscard]] inline bool is_formula(std::string_view text) {
  if (text.empty() || std::string_view("=+-@\t\r").find(text.front()) == std::string_view::npos)
    return false;
  return !parse_number<double>(text.substr(text.front() == '+' ? 1 : 0));
}

/// A text as a field (RFC 4180): quotes around what would break the line apart. A formula becomes a
/// text by the apostrophe before it.
[[nodiscard]] inline std::string csv_field(std::string_view text) {
  const std::string_view mark = is_formula(text) ? "'" : "";
  if (text.find_first_of(",\"\r\n") == std::string_view::npos)
    return std::string(mark).append(text);
  std::string field = "\"";
  field += mark;
  for (const char c : text) {
    if (c == '"') field += '"';
    field += c;
  }
  return field + '"';
}

/// Fields of a line; numbers in the shortest form that reads back the same, NaN as "nan".
class CsvLine {
 public:
  CsvLine& operator<<(std::string_view text) {
    separate();
    line_ += csv_field(text);
    return *this;
  }
  CsvLine& operator<<(const char* text) { return *this << std::string_view(text); }
  CsvLine& operator<<(const std::string& text) { return *this << std::string_view(text); }
  CsvLine& operator<<(double number) {
    if (std::isnan(number)) return *this << std::string_view("nan");  // without the sign of a NaN
    return digits(number);
  }
  CsvLine& operator<<(bool truth) { return *this << std::string_view(truth ? "true" : "false"); }
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
