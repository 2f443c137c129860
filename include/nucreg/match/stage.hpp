// Where tiles were taken, by the stage, and what follows for a match.
#pragma once

#include <cstddef>
#include <optional>

#include "nucreg/match/match.hpp"

namespace nucreg {

/// A tile and where the stage stood. What a file does not tell is missing.
struct TilePlace {
  std::size_t width_px = 0, height_px = 0;
  std::optional<double> pixel_size_um;    ///< > 0
  std::optional<double> pixel_height_um;  ///< where pixels are not square
  std::optional<double> stage_x_um, stage_y_um;
};

/// Whether stage positions say that two tiles cannot overlap, whatever the directions of the stage
/// and of the camera: they are further apart than half their diagonals and `stage_error_um`.
[[nodiscard]] bool far_apart(const TilePlace& ten, const TilePlace& forty, double stage_error_um);

/// Where the middle of the 40x tile is at 10x by their stage positions, which may be off by
/// `stage_error_um`. Cameras stand parallel to the stage but turned and mirrored in a way that no
/// file tells, so that there are up to eight places. Nothing where a position, the pixel size at
/// 10x or the error is missing.
[[nodiscard]] std::optional<StagePrior> stage_prior(const TilePlace& ten, const TilePlace& forty,
                                                    double stage_error_um);

}  // namespace nucreg
