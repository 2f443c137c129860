// What recorded positions mean, found out from tiles whose places are known.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nucreg/core/affine.hpp"

namespace nucreg::mosaic {

struct StageFit {
  bool found = false;
  AffineMap map = identity_map;  ///< recorded position to place, um
  double scatter_um = 0.0;       ///< robust deviation of a coordinate
  std::vector<bool> follows;     ///< of the points given
};

/// The affine map that most points follow, however the axes are swapped,
/// flipped and scaled: pairs of points propose similarities, mirrored or not,
/// and the one that most points follow is fitted to them. Not found if fewer
/// than three points or less than half of them follow.
[[nodiscard]] StageFit fit_stage(std::span<const Point> recorded, std::span<const Point> place,
                                 double tolerance_um);

}  // namespace nucreg::mosaic
