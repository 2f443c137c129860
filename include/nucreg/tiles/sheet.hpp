// Sheets: tables that list the tiles of one side of a well.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace nucreg {

/// A row of a sheet. What the sheet does not say is missing or empty.
struct SheetTile {
  std::string file;                  ///< can be opened from the working directory
  std::optional<std::size_t> frame;  ///< of an image of several: `file#frame` in the sheet
  std::string tile;                  ///< name within its well
  std::string well;
  std::optional<double> x_um, y_um;  ///< stage position of the tile's centre; both or none
  std::optional<double> pixel_um, width_px, height_px;
  std::optional<std::int64_t> row, column;  ///< of a grid of tiles; both or none
  int line = 0;                             ///< of the sheet, from 1
};

struct Sheet {
  std::vector<SheetTile> tiles;
  std::vector<std::string> notes;  ///< how it was read, a sentence each
};

/// Whether a file is a sheet: a text table whose header has a column `file`. Throws InputError if
/// it cannot be read.
[[nodiscard]] bool is_sheet(const std::filesystem::path& file);

/// Reads a sheet: a header with `file` and any of tile, well, x_um, y_um (or x_mm, y_mm), pixel_um,
/// width_px, height_px, row, column, capitals or not, in any order; cells separated by commas,
/// semicolons or tabs. Other columns are ignored with a note; one that looks like a misspelt known
/// one is an error. Files are relative to the folder of the sheet. Throws InputError (path, line,
/// column, what is allowed) for a cell without meaning, a tile that is listed twice, a file that is
/// listed twice without naming its tiles, a file that does not exist, and a sheet without rows.
[[nodiscard]] Sheet read_sheet(const std::filesystem::path& file);

}  // namespace nucreg
