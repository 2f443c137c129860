// The tiles of wells, as the user named them: sheets, folders that `segment` wrote, files, globs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nucreg/core/bytes.hpp"
#include "nucreg/job/map.hpp"
#include "nucreg/mosaic/well.hpp"

namespace nucreg {

/// "10x" or "40x".
[[nodiscard]] const char* magnification_of(mosaic::Side side);

/// One tile before anybody has looked at its nuclei.
struct TileInput {
  mosaic::Side side = mosaic::Side::ten;
  std::string file;                  ///< can be opened from the working directory
  std::string tile;                  ///< name within its well and side
  std::string well;                  ///< empty if nothing names one
  std::optional<std::size_t> frame;  ///< of an image that is known to have several
  std::string channel;               ///< of an image: name or number
  double diameter_px = 0.0;          ///< of a nucleus in an image; 0: estimated
  std::optional<double> x_um, y_um;  ///< stage position of the centre; both or none
  std::optional<double> pixel_um, width_px, height_px;
  std::optional<std::int64_t> row, column;  ///< in a grid of tiles; both or none
  bool part_of_table = false;  ///< the file is a table of several tiles, of which this is one
  std::string sheet;           ///< that lists it; empty: none does
  int line = 0;                ///< of the sheet
  std::string unreadable;      ///< why the file cannot be opened; empty: it can, or was not tried

  /// For messages: well, side and name.
  [[nodiscard]] std::string title() const;
};

void fields(auto& archive, MaybeConst<TileInput> auto& t) {
  archive(t.side, t.file, t.tile, t.well, t.frame, t.channel, t.diameter_px, t.x_um, t.y_um,
          t.pixel_um, t.width_px, t.height_px, t.row, t.column, t.part_of_table, t.sheet, t.line,
          t.unreadable);
}

struct WellInputs {
  std::string well;              ///< empty if there is one that nothing names
  std::vector<TileInput> tiles;  ///< all at 10x, then all at 40x, each in the order given
};

struct ListedWells {
  std::vector<WellInputs> wells;   ///< those that have tiles at both sides, in the order of 10x
  std::vector<std::string> notes;  ///< how the inputs were read, a sentence each
};

/// Lists the tiles of all inputs of a map. Images are opened without their pixels, for frames,
/// sizes and stage positions; one that cannot be opened is a tile that is `unreadable`. Throws
/// InputError (file, line, what is allowed) for inputs that do not exist, sheets with mistakes, a
/// side without tiles, a tile that is named twice, and if no well has tiles at both sides;
/// JobError if `map.wells` names wells that are not there.
[[nodiscard]] ListedWells list_wells(const MapJob& map);

}  // namespace nucreg
