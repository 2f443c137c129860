// From images to matched pairs on all ranks: nuclei of each tile, then matches of tiles.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "nucreg/core/table.hpp"
#include "nucreg/fit/generate.hpp"
#include "nucreg/job/job.hpp"
#include "nucreg/run/stage.hpp"
#include "nucreg/tiles/stages.hpp"
#include "nucreg/tiles/tiles.hpp"

namespace nucreg {

struct TileMatch {
  TilePair tiles;
  MatchResult result;
};

struct FoundImages {
  std::vector<std::string> pairs;  ///< of tiles that match, in the order of the tiles
  std::vector<InputFile> inputs;   ///< of these, their matched nuclei
  std::vector<Table> tables;       ///< image_tables
};

/// Two stages or three: the nuclei of each tile, then matches of pairs of tiles, then, for 40x
/// tiles without a match, of those pairs that stage positions exclude. Results are kept in `cache`
/// and taken from there; `report` is given a line after each stage. Throws InputError naming every
/// image that cannot be read or has fewer than two nuclei, if no pair of tiles matches, and if one
/// that the job names does not; Error with status `stopped`; OutputError.
[[nodiscard]] FoundImages find_images(Stages& stages, const Job& job, const Tiles& tiles,
                                      const std::filesystem::path& cache,
                                      const std::function<void(const std::string&)>& report);

/// images: a row per tile. nuclei: a row per nucleus, those of image i are offsets[i] to
/// offsets[i + 1] - 1. matches: a row per pair of tiles that was tried; its ten and forty are rows
/// of images; stage_error_um is how far the middle of the 40x tile was found from where the stage
/// says (stage_prior), NaN if it says nothing. pairs: a row per pair of nuclei, those of match i
/// the same; its ten and forty count within their images.
[[nodiscard]] std::vector<Table> image_tables(const Tiles& tiles,
                                              const std::vector<TileNuclei>& nuclei,
                                              const std::vector<TileMatch>& matches);

}  // namespace nucreg
