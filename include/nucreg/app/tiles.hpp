// The tiles of a job of images, and which of them can overlap.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/job/job.hpp"
#include "nucreg/match/stage.hpp"

namespace nucreg {

struct ImageInfo;

/// One frame of an image file.
struct Tile {
  std::string file;  ///< as the job names it
  std::string name;  ///< the file, with `#frame` where it has several
  bool is_ten = true;
  std::size_t frame = 0, channel = 0;
  TilePlace place;
  /// The number after `Well` at the start of the laboratory's file names
  /// (Well1_Point1_0034_ChannelDAPI,..._Seq0034.nd2); -1 where there is none.
  std::int64_t well = -1;
};

/// Of one frame, at 10x or 40x.
[[nodiscard]] Tile tile_of(const std::string& file, const ImageInfo& info, std::size_t frame,
                           std::size_t channel, bool is_ten);

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
/// names. Likely are: the pairs that the job
/// names; else the rows of its sheets; else all pairs of one well, without those whose stage
/// positions are further apart than half their diagonals and stage_error_um. Throws InputError
/// where a glob matches nothing, a file cannot be read or lacks the channel, and a sheet is no
/// pairing; JobError where the job names pairs of tiles that are not there.
[[nodiscard]] Tiles list_tiles(const Job& job);

/// The job with these pairs of tiles.
[[nodiscard]] Job with_pairs(Job job, std::vector<std::string> pairs);
/// What is wrong where tiles have no pair that can overlap.
[[nodiscard]] InputError no_tiles_overlap(const Job& job);

}  // namespace nucreg
