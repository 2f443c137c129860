#include "tile_sheet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "nucreg/core/error.hpp"

namespace nucreg {
namespace {

// Names of the laboratory have commas, so cells may be quoted; "" is a quote within (RFC 4180).
std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"')
      cells.back() += line[++i];
    else if (c == '"')
      quoted = !quoted;
    else if (c == ',' && !quoted)
      cells.emplace_back();
    else
      cells.back() += c;
  }
  return cells;
}

}  // namespace

std::vector<SheetRow> read_tile_sheet(const std::filesystem::path& file) {
  const auto fail = [&](const std::string& problem, int line, const char* allowed) {
    throw InputError(problem, {.file = file.string(), .line = line, .allowed = allowed});
  };
  std::ifstream stream(file);
  if (!stream || std::filesystem::is_directory(file))
    fail(fmt::format("cannot be read: {}", std::strerror(stream ? EISDIR : errno)), 0, "");
  std::vector<std::string> header;
  std::size_t ten = 0, forty = 0;
  std::vector<SheetRow> rows;
  int number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (number == 1 && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);  // mark of UTF-8
    if (line.empty()) continue;
    const std::vector<std::string> cells = cells_of(line);
    if (header.empty()) {
      header = cells;
      const auto column = [&](const char* name) {
        const auto at = std::ranges::find(header, name);
        if (at == header.end())
          fail(fmt::format("has no column {}", name), number, "a header with ten and forty");
        return static_cast<std::size_t>(at - header.begin());
      };
      ten = column("ten");
      forty = column("forty");
      continue;
    }
    if (cells.size() != header.size())
      fail(fmt::format("{} cells under {} columns", cells.size(), header.size()), number,
           "a 10x and a 40x file in each row; names with commas in double quotes");
    if (cells[ten].empty() || cells[forty].empty())
      fail(fmt::format("a {} file without a {} file", cells[ten].empty() ? "40x" : "10x",
                       cells[ten].empty() ? "10x" : "40x"),
           number, "a 10x and a 40x file in each row");
    rows.push_back({cells[ten], cells[forty], file.string(), number});
  }
  if (rows.empty()) fail("names no files", number, "a header with ten and forty, and rows");
  return rows;
}

}  // namespace nucreg
