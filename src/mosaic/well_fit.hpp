// From links to the places of tiles: the global fit made, its deformation
// chosen, and solved.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "laid.hpp"
#include "link.hpp"
#include "nucreg/mosaic/global_fit.hpp"
#include "nucreg/mosaic/placement.hpp"

namespace nucreg::mosaic {

/// What is believed of a well while it is put together. Both visits are turned
/// as the well is.
struct WellModel {
  std::vector<Side> side;
  std::vector<Point> middle_px;
  std::array<Matrix2, 2> camera{};
  std::array<double, 2> k1{};
  /// What each tile's camera is beside that of its side; empty: all of a side are alike.
  std::vector<Matrix2> own;
  std::vector<Point> centre_um;  ///< in its visit
  std::vector<bool> placed;
  Deformation deformation;
  /// Deviation of a coordinate of the differences of pairs: 10x-10x, 40x-40x,
  /// across.
  std::array<double, 3> noise_um{};

  [[nodiscard]] std::size_t index(std::uint32_t tile) const {
    return side[tile] == Side::ten ? 0 : 1;
  }
  [[nodiscard]] Matrix2 camera_of(std::uint32_t tile) const {
    return own.empty() ? camera[index(tile)] : times(own[tile], camera[index(tile)]);
  }
  [[nodiscard]] std::size_t kind(std::uint32_t a, std::uint32_t b) const {
    return side[a] != side[b] ? 2 : index(a);
  }
  /// The tile in the frame that it shares with tiles of the other side, or of
  /// its own.
  [[nodiscard]] Laid laid(std::uint32_t tile, bool in_well) const;
};

/// What a link wants under the model: shift that would be added to b, um; and
/// its deviation.
struct LinkError {
  Point shift_um{};
  double residual_um = 0.0;  ///< root mean square per coordinate of its pairs
};
[[nodiscard]] LinkError error_of(const WellModel& model, const LinkResult& link);

/// Noise of pairs by kind of link, weighted medians of the links' scatter.
void measure_noise(WellModel& model, const std::vector<LinkResult>& links);

/// What the model may be wrong by beside noise, um: across it lacks the deformation at first.
struct Floors {
  double within_um = 0.0, across_um = 0.0;
};

struct WellFit {
  std::shared_ptr<const GlobalFit> problem;
  FitSolution solution;
  std::vector<double> link_weight;  ///< mean over the parts of each link
  FitFacts facts;
};

/// Fits all places, lenses and the deformation of the model's kind and grid, from what the model
/// has; `inflation` is how many times wider than in the end the loss is at first, `by` names solver
/// and loss; `max_iterations` are those of irls.
[[nodiscard]] WellFit fit_well(WellModel& model, const std::vector<LinkResult>& links,
                               const Floors& floors, double inflation, const MapFit& by = {},
                               int max_iterations = FitOptions().max_iterations);

/// What is added to the deviation of a coordinate of each tile's centre, um, since its own camera
/// is known by its parts alone: much where these lie on one side of it. 0 without own cameras.
[[nodiscard]] std::vector<double> own_camera_deviations(const WellModel& model, const WellFit& fit);

/// The tiles put together from nothing: what links within a side tie is fitted by itself, then
/// these mosaics are joined and fitted by the links across, without deformation.
struct Assembly {
  std::vector<std::int32_t> component;  ///< of each tile, 0 the largest; -1: no link
  WellFit fit;
};
[[nodiscard]] Assembly assemble(WellModel& model, const std::vector<LinkResult>& links,
                                const Floors& floors);

/// None, affine or a spline with the knots that predict parts of links best
/// that were left out; then, whether each 40x tile has a camera of its own.
void choose_deformation(WellModel& model, const std::vector<LinkResult>& links,
                        const Floors& floors, FitFacts& facts);

}  // namespace nucreg::mosaic
