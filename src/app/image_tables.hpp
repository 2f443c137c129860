// What was found in images, as tables of the result file.
#pragma once

#include <vector>

#include "image_tasks.hpp"
#include "nucreg/core/table.hpp"

namespace nucreg {

struct TileMatch {
  TilePair tiles;
  MatchResult result;
};

/// images: a row per tile. nuclei: a row per nucleus, those of image i are offsets[i] to
/// offsets[i + 1] - 1. matches: a row per pair of tiles that was tried; its ten and forty are rows
/// of images; stage_error_um is how far the middle of the 40x tile was found from where the stage
/// says (stage_prior), NaN where it says nothing. pairs: a row per pair of nuclei, those of match i
/// likewise; its ten and forty count within their images.
[[nodiscard]] std::vector<Table> image_tables(const Tiles& tiles,
                                              const std::vector<TileNuclei>& nuclei,
                                              const std::vector<TileMatch>& matches);

}  // namespace nucreg
