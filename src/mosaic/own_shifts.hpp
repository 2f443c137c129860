// How like itself the pattern of the nuclei of a tile is, shifted by a few spacings.
#pragma once

#include <array>

#include "placer_state.hpp"

namespace nucreg::mosaic {

/// For each of own_gates, which are in `spacing_px`: the part of the nuclei that lie upon another
/// at the best shift by half a spacing to three. On a lattice it is nearly all of them; where
/// nuclei are scattered at random it is what chance gives. 0 if there are too few nuclei.
[[nodiscard]] std::array<double, own_gates.size()> own_parts(const TileNuclei& nuclei,
                                                             double spacing_px);

}  // namespace nucreg::mosaic
