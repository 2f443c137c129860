// From a map to pairs and back: one-to-one pairs, how far they may lie apart, refined maps.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "cloud.hpp"
#include "nucreg/fit/model.hpp"
#include "nucreg/fit/points.hpp"
#include "nucreg/match/match.hpp"

namespace nucreg::matching {

/// One-to-one pairs under a map: each nucleus at 40x asks for the one at 10x that is nearest to
/// where it is mapped back, each at 10x takes the nearest that asks. Indices are of the clouds.
struct Claims {
  std::vector<std::uint32_t> ten, forty;  ///< by rising ten
  std::vector<double> residual_px;        ///< 40x px
};
[[nodiscard]] Claims claims(const Cloud& ten, const Cloud& forty, const AffineMap& map);

/// The residual up to which a claim is rather true than false, 40x px. Residuals are taken for a
/// mixture: of true pairs with normal noise in each coordinate, of true pairs with more of it
/// (nuclei cut by a border or taken apart differently), and of false ones with the distance to the
/// nearest of points scattered at `density` per px^2 of 40x. Expectation and maximisation
/// (Dempster, Laird and Rubin 1977). 0 for no residuals.
[[nodiscard]] double match_radius_px(const std::vector<double>& residual_px, double density);

/// The pairs of the claims as points.
[[nodiscard]] PointPairs pairs_of(const Cloud& ten, const Cloud& forty, const Claims& claims);

/// The minimiser of a robust loss by Levenberg-Marquardt from `start`; trs parameters in degrees,
/// affine as they are. Nothing if the pairs do not determine the model.
[[nodiscard]] std::optional<Params> fit_map(const PointPairs& pairs, Model model, Loss loss,
                                            double loss_scale_px, const AffineMap& start);
/// a b tx c d ty of trs or affine parameters.
[[nodiscard]] AffineMap affine_of(Model model, const Params& params);

}  // namespace nucreg::matching
