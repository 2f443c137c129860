#include "text_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace nucreg {
namespace {

constexpr std::size_t widest_cell = 28;

/// Characters of UTF-8, each taken as one place wide.
std::size_t places(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

/// Byte where the `index`-th character begins.
std::size_t byte_of(const std::string& text, std::size_t index) {
  std::size_t at = 0;
  for (; at < text.size(); ++at)
    if ((text[at] & 0xC0) != 0x80 && index-- == 0) break;
  return at;
}

std::string shortened(const std::string& text) {
  const std::size_t length = places(text);
  if (length <= widest_cell) return text;
  const std::size_t side = (widest_cell - 2) / 2;
  return text.substr(0, byte_of(text, side)) + ".." + text.substr(byte_of(text, length - side));
}

std::size_t width_of(const TextColumn& column) {
  std::size_t width = places(column.title);
  for (const std::string& cell : column.cells) width = std::max(width, places(cell));
  return width;
}

std::string line_of(const std::vector<TextColumn>& columns, auto&& cell_of) {
  std::string line;
  for (const TextColumn& column : columns) {
    const std::string& cell = cell_of(column);
    const std::string padding(width_of(column) - places(cell), ' ');
    if (&column != &columns.front()) line += "  ";
    line += column.numbers ? padding + cell : cell + padding;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

/// Three significant digits without an exponent, for 1 <= value < 1000 or so.
std::string three_digits(double value) {
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f}", value, decimals);
}

}  // namespace

std::string render(std::vector<TextColumn> columns, std::size_t width) {
  for (TextColumn& column : columns)
    for (std::string& cell : column.cells) cell = shortened(cell);
  const auto total = [&] {
    std::size_t sum = 0;
    for (const TextColumn& column : columns) sum += width_of(column) + 2;
    return sum - 2;
  };
  std::string left_out;
  while (columns.size() > 1 && total() > width) {
    const auto least = std::ranges::min_element(columns, {}, &TextColumn::keep);
    left_out += (left_out.empty() ? "" : ", ") + least->title;
    columns.erase(least);
  }
  std::string text = line_of(columns, [](const TextColumn& c) { return c.title; });
  for (std::size_t row = 0; row < columns.front().cells.size(); ++row)
    text += line_of(columns, [row](const TextColumn& c) { return c.cells[row]; });
  if (!left_out.empty()) text += wrapped("(too narrow for: " + left_out + ")", width) + "\n";
  return text;
}

std::string wrapped(std::string line, std::size_t width) {
  for (std::size_t begin = 0; line.size() - begin > width;) {
    std::size_t space = line.rfind(' ', begin + width);
    if (space == std::string::npos || space <= begin) space = line.find(' ', begin + width);
    if (space == std::string::npos) break;
    line[space] = '\n';
    begin = space + 1;
  }
  return line;
}

std::string seconds_text(double seconds) {
  if (std::isnan(seconds)) return "-";
  if (seconds == 0.0) return "0 s";
  if (seconds < 0.9995e-6) return three_digits(seconds * 1e9) + " ns";
  if (seconds < 0.9995e-3) return three_digits(seconds * 1e6) + " us";
  if (seconds < 0.9995) return three_digits(seconds * 1e3) + " ms";
  return three_digits(seconds) + " s";
}

std::string bytes_text(double bytes) {
  if (std::isnan(bytes)) return "-";
  constexpr std::array units{"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024.0) return fmt::format("{:.0f} B", bytes);
  std::size_t unit = 0;
  for (bytes /= 1024.0; bytes >= 1023.95 && unit + 1 < units.size(); ++unit) bytes /= 1024.0;
  return fmt::format("{:.1f} {}", bytes, units[unit]);
}

std::string number_text(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:.3g}", value);
}

}  // namespace nucreg
