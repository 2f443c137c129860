// A table that says which 10x file belongs to which 40x file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace nucreg {

struct SheetRow {
  std::string ten, forty;
  std::string sheet;  ///< where it stands
  int line = 0;
};

/// CSV: a header with the columns `ten` and `forty`, a pair of files a row, paths relative to the
/// working directory; cells may be in double quotes. Throws InputError (path, line, what is
/// allowed) on anything else, on a cell without its partner and on a sheet without rows.
[[nodiscard]] std::vector<SheetRow> read_tile_sheet(const std::filesystem::path& file);

}  // namespace nucreg
