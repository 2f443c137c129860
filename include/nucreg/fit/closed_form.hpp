// The minimiser of squared loss where it can be written down.
#pragma once

#include <optional>

#include "nucreg/fit/model.hpp"
#include "nucreg/fit/points.hpp"

namespace nucreg {

/// Whether closed_form has an answer for this model and loss.
[[nodiscard]] bool has_closed_form(Model model, Loss loss);

/// rigid, similarity: Umeyama, "Least-squares estimation of transformation parameters between two
/// point patterns", 1991, equations 40 to 42, in two dimensions, the scale fixed at `magnification`
/// for rigid. affine: linear least squares by centred normal equations, refined once.
/// Parameters in radians, in the coordinates of `pairs`; nothing where the points do not determine
/// the map (too few, coincident, collinear), are not finite, or the model has no closed form.
[[nodiscard]] std::optional<Params> closed_form(const PairsView& pairs, Model model,
                                                double magnification);

}  // namespace nucreg
