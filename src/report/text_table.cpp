#include "text_table.hpp"

#include <fmt/format.h>

#include <algorithm>

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

}  // namespace nucreg
