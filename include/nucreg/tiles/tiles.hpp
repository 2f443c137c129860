// The tiles of a job of images, and which of them can overlap.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <new>
#include <string>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/image/image.hpp"
#include "nucreg/job/job.hpp"
#include "nucreg/match/match.hpp"

namespace nucreg {

/// One frame of an image file.
struct Tile {
  std::string file;  ///< as the job names it
  std::string name;  ///< the file, with `#frame` where it has several
  bool is_ten = true;
  std::size_t frame = 0, channel = 0;
  TilePlace place;
  std::int64_t well = -1;  ///< of well_in_name; -1 if there is none
};

/// Of one frame, at 10x or 40x.
[[nodiscard]] Tile tile_of(const std::string& file, const ImageInfo& info, std::size_t frame,
                           std::size_t channel, bool is_ten);

/// The digits after `Well` in the laboratory's file names:
/// Well1_Point1_0034_ChannelDAPI,..._Seq0034.nd2; empty if there are none.
[[nodiscard]] std::string well_in_name(const std::string& file);

/// Positions of two tiles in the list.
struct TilePair {
  std::size_t ten = 0, forty = 0;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the zero within for a pointer
  friend auto operator<=>(const TilePair&, const TilePair&) = default;
};

struct Tiles {
  std::vector<Tile> list;        ///< all at 10x, then all at 40x, each in the order of the job
  std::vector<TilePair> likely;  ///< that can overlap as far as is known
  std::vector<TilePair> others;  ///< that stage positions, which may be wrong, exclude

  [[nodiscard]] std::string name(const TilePair& pair) const {
    return list[pair.ten].name + " + " + list[pair.forty].name;
  }
};

/// Opens every file of `job.problem.images` without its pixels; a file is one tile under all its
/// names. Likely are: the pairs that the job names; else the rows of its sheets; else all pairs of
/// one well, without those whose stage positions are further apart than half their diagonals and
/// stage_error_um. Throws InputError if a glob matches nothing, a file cannot be read or lacks the
/// channel, a sheet is no pairing, or no two tiles can overlap; JobError if the job names pairs of
/// tiles that do not exist, and, before a file is opened, if it has no plan.
[[nodiscard]] Tiles list_tiles(const Job& job);

/// The job with these pairs of tiles.
[[nodiscard]] Job with_pairs(Job job, std::vector<std::string> pairs);

/// One row of a sheet that says which 10x file belongs to which 40x file.
struct SheetRow {
  std::string ten, forty;
  std::string sheet;  ///< the file
  int line = 0;
};
/// CSV: a header with the columns `ten` and `forty`, a pair of files a row, paths relative to the
/// working directory; cells may be in double quotes. Throws InputError (path, line, what is
/// allowed) on anything else, on a cell without its partner and on a sheet without rows.
[[nodiscard]] std::vector<SheetRow> read_tile_sheet(const std::filesystem::path& file);

/// Does `act` to a picture of `file`; if memory does not suffice, InputError says for what.
template <class Act>
auto within_memory(const ImageInfo& info, const std::string& file, Act&& act) {
  try {
    return act();
  } catch (const std::bad_alloc&) {
    throw InputError("not enough memory for " + std::to_string(info.width_px) + " x " +
                         std::to_string(info.height_px) + " pixels of " +
                         std::string(name_of(info.type)),
                     {.file = file});
  }
}

}  // namespace nucreg
