#include "text_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "nucreg/core/text.hpp"

namespace nucreg {
namespace {

constexpr std::size_t max_cell_width = 28;

std::string shortened(const std::string& text, std::size_t widest) {
  const std::size_t length = places(text);
  if (length <= widest) return text;
  const std::size_t side = (widest - 2) / 2;
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
    for (std::string& cell : column.cells) cell = shortened(cell, std::min(max_cell_width, width));
  const auto total = [&] {
    std::size_t sum = 0;
    for (const TextColumn& column : columns) sum += width_of(column) + 2;
    return sum - 2;
  };
  std::string left_out;
  while (columns.size() > 1 && total() > width) {
    const auto least = std::ranges::min_element(columns, {}, &TextColumn::keep);
    if (!least->title.empty()) left_out += (left_out.empty() ? "" : ", ") + least->title;
    columns.erase(least);
  }
  std::string text = line_of(columns, [](const TextColumn& c) { return c.title; });
  for (std::size_t row = 0; row < columns.front().cells.size(); ++row)
    text += line_of(columns, [row](const TextColumn& c) { return c.cells[row]; });
  if (!left_out.empty()) text += wrapped("(too narrow for: " + left_out + ")", width) + "\n";
  return text;
}

std::string warnings_text(const std::string& warnings, std::size_t width) {
  constexpr std::size_t most = 20;
  std::string text;
  const std::vector<std::string> lines = split_lines(warnings);
  for (const std::string& line : std::span(lines).first(std::min(most, lines.size())))
    text += wrapped("warning: " + line, width) + "\n";
  if (lines.size() > most)
    text += wrapped(fmt::format("warning: and {} more, in the attribute `warnings` of the file",
                                lines.size() - most),
                    width) +
            "\n";
  return text;
}

std::string bar(double fraction, std::size_t width, bool unicode) {
  if (!(fraction > 0.0)) return {};
  const double full = std::min(fraction, 1.0) * static_cast<double>(width);
  if (!unicode) return std::string(std::max<std::size_t>(1, std::lround(full)), '#');
  constexpr std::array eighths{"",       "\u258f", "\u258e", "\u258d",
                               "\u258c", "\u258b", "\u258a", "\u2589"};
  const auto parts = std::max<std::size_t>(1, std::lround(8.0 * full));
  std::string text;
  for (std::size_t i = 0; i < parts / 8; ++i) text += "\u2588";
  return text + eighths[parts % 8];
}

}  // namespace nucreg
