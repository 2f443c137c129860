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

/// 12.3 us, 4.56 ms, 7.89 s; "-" for NaN.
[[nodiscard]] std::string seconds_text(double seconds);
/// 512 B, 1.5 MiB.
[[nodiscard]] std::string bytes_text(double bytes);
/// Three significant digits; "-" for NaN.
[[nodiscard]] std::string number_text(double value);

}  // namespace nucreg
