// Weighted least squares in closed form, with weights that follow from the residuals of a map.
#pragma once

#include <optional>

#include "nucreg/core/affine.hpp"
#include "nucreg/fit/model.hpp"
#include "nucreg/fit/points.hpp"

namespace nucreg {

/// How the squared residual length s of a pair becomes its weight; c is the loss scale, mu the
/// control of graduated non-convexity.
///     loss   rho'(s) of the fit's loss at scale c
///     gm     (mu c^2 / (s + mu c^2))^2: Geman and McClure; from mu = infinity (convex) down to 1
///     tls    truncated least squares: 1 within mu / (mu + 1) c^2, 0 beyond (mu + 1) / mu c^2, and
///            c sqrt(mu (mu + 1) / s) - mu between; from mu = 0 (convex) up
/// gm and tls: Yang, Antonante, Tzoumas, Carlone, "Graduated non-convexity for robust spatial
/// perception", IEEE RA-L 2020, equations 12 and 14.
enum class Weighting { loss, gm, tls };

struct WeightRule {
  Weighting weighting = Weighting::loss;
  Loss loss = Loss::squared;  ///< of Weighting::loss
  double scale = 1.0;         ///< c
  double mu = 1.0;
};

/// Sums over the pairs, weighted, of a pass at some map.
struct WeightedSums {
  double rho = 0.0;         ///< sum of the loss's rho (Weighting::loss), else of min(s, c^2)
  double largest = 0.0;     ///< max s
  std::size_t inliers = 0;  ///< pairs with s <= c^2
  double w = 0.0, x = 0.0, y = 0.0, x40 = 0.0, y40 = 0.0;  ///< sums of w times 1, x, ...
  double xx = 0.0, xy = 0.0, yy = 0.0;                     ///< of w times products
  double x_x40 = 0.0, y_x40 = 0.0, x_y40 = 0.0, y_y40 = 0.0;
};

/// One pass: weights of the residuals of `map` (6 entries), then the sums. A residual of NaN makes
/// rho and the weighted sums NaN. An infinite one has no weight under a robust rule, and its rho is
/// infinite under squared, huber and cauchy only; where a coordinate itself is infinite, the sums
/// that hold it are NaN.
[[nodiscard]] WeightedSums weighted_pass(const PairsView& pairs, const AffineMap& map,
                                         const WeightRule& rule);
/// The same with every weight 1.
[[nodiscard]] WeightedSums unweighted_pass(const PairsView& pairs);

/// The map of least weighted squares by its 6 entries: rigid (at the scale `magnification`) and
/// similarity after Umeyama 1991, else affine. Nothing if the pairs with weight do not determine
/// it.
[[nodiscard]] std::optional<AffineMap> weighted_closed_form(const WeightedSums& sums, Model model,
                                                            double magnification);

/// The map of a model nearest to an affine one, by its parameters in radians: of a rotation with
/// scales, the direction and lengths of its rows. Shifts in `form`. rigid, similarity, trs, affine
/// and projective.
[[nodiscard]] Params nearest_params(Model model, const AffineMap& map, ShiftForm form,
                                    double magnification);

}  // namespace nucreg
