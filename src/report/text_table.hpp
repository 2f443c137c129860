// A table of text that fits into a width.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace nucreg {

struct TextColumn {
  std::string title;
  bool numbers = true;  ///< aligned to the right
  int keep = 0;         ///< where the width is short, the column with the smallest goes first
  std::vector<std::string> cells{};
};

/// Lines with an end each. Long cells are cut in their middle; columns that do not fit are left out
/// and named below.
[[nodiscard]] std::string render(std::vector<TextColumn> columns, std::size_t width);

/// Breaks a line at spaces so that it fits; words longer than the width stay whole.
[[nodiscard]] std::string wrapped(std::string line, std::size_t width);

}  // namespace nucreg
