#include "tile_sheet.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nucreg/core/error.hpp"
#include "nucreg/core/table_text.hpp"
#include "nucreg/core/text.hpp"

namespace nucreg {

std::vector<SheetRow> read_tile_sheet(const std::filesystem::path& file) {
  const auto fail = [&](const std::string& problem, int line, const char* allowed) {
    throw InputError(problem, {.file = file.string(), .line = line, .allowed = allowed});
  };
  const std::string text = read_whole(file);
  std::size_t columns = 0, ten = 0, forty = 0;
  std::vector<SheetRow> rows;
  for (const TextLine& line : lines_of(text)) {
    const std::vector<std::string_view> cells = cells_of(line.text, ',');
    if (columns == 0) {
      const auto column = [&](const char* name) {
        const auto at = std::ranges::find(cells, name);
        if (at == cells.end())
          fail(fmt::format("has no column {}", name), line.number, "a header with ten and forty");
        return static_cast<std::size_t>(at - cells.begin());
      };
      ten = column("ten");
      forty = column("forty");
      columns = cells.size();
      continue;
    }
    if (cells.size() != columns)
      fail(fmt::format("{} under {}", counted(cells.size(), "cell"), counted(columns, "column")),
           line.number, "a 10x and a 40x file in each row; names with commas in double quotes");
    if (cells[ten].empty() || cells[forty].empty())
      fail(fmt::format("a {} file without a {} file", cells[ten].empty() ? "40x" : "10x",
                       cells[ten].empty() ? "10x" : "40x"),
           line.number, "a 10x and a 40x file in each row");
    rows.push_back({text_in(cells[ten]), text_in(cells[forty]), file.string(), line.number});
  }
  if (rows.empty()) fail("names no files", 0, "a header with ten and forty, and rows");
  return rows;
}

}  // namespace nucreg
