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

/// A result's attribute `warnings`, each on lines of its own; of very many the first.
[[nodiscard]] std::string warnings_text(const std::string& warnings, std::size_t width);

/// A bar of `fraction` (clamped to 0 to 1; NaN is 0) of `width` places: eighths of blocks, or '#'.
/// What is not 0 is at least the least mark.
[[nodiscard]] std::string bar(double fraction, std::size_t width, bool unicode);

}  // namespace nucreg
