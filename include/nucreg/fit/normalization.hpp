// Coordinates in which fits are well conditioned, and the exact way back to pixels.
#pragma once

#include "nucreg/fit/model.hpp"
#include "nucreg/fit/points.hpp"
#include "nucreg/job/job.hpp"

namespace nucreg {

/// The mean of each side, in its px.
struct Centroids {
  double x10 = 0.0, y10 = 0.0, x40 = 0.0, y40 = 0.0;
};

/// By plain sums; NaN if there are no pairs.
[[nodiscard]] Centroids centroids(const PairsView& pairs);

/// u = (x - x10) / scale10 and U = (X - x40) / scale40 (y alike). Every model stays itself in these
/// coordinates, with other parameters. The default is the identity: plain pixels.
struct Normalization {
  double x10 = 0.0, y10 = 0.0, scale10 = 1.0;  ///< 10x px
  double x40 = 0.0, y40 = 0.0, scale40 = 1.0;  ///< 40x px
};

/// Centroids to the origin and root mean square coordinate at 10x to about one (Hartley, "In
/// defense of the eight-point algorithm", 1997); scale40 = magnification * scale10, so that a map
/// at the nominal magnification has scale one. Centres are whole pixels and scale10 is a power of
/// two: points move by no more than the rounding of the largest. `centred` false leaves the centres
/// at 0, as bounds on a translation need: only then is their box still a box. Points that are not
/// finite, or coincide, give the identity.
[[nodiscard]] Normalization normalization_of(const PairsView& pairs, double magnification,
                                             bool centred);

/// The pairs in the coordinates of `n`.
[[nodiscard]] PointPairs normalize(const PairsView& pairs, const Normalization& n);

/// Parameters in radians: pixels to normalized, and back. Exact up to rounding.
[[nodiscard]] Params params_to_normalized(Model model, const Params& radians_px,
                                          double magnification, const Normalization& n);
[[nodiscard]] Params params_to_pixels(Model model, const Params& radians_normalized,
                                      double magnification, const Normalization& n);

/// A box in parameters with infinite ends if there is no bound.
struct Box {
  Params lower, upper;
  [[nodiscard]] bool bounded() const {
    return lower.array().isFinite().any() || upper.array().isFinite().any();
  }
};

/// The box of a job's bounds for a model, in radians and pixels. For affine and projective: the
/// tightest one around all trs maps within the bounds (projective: g and h unbounded).
[[nodiscard]] Box box_of(const Bounds& bounds, Model model);
/// Whether the box of these bounds is still a box in centred coordinates. It is not where a
/// translation is bounded, nor for projective, whose a b c d then depend on g and h.
[[nodiscard]] bool centring_keeps_box(const Bounds& bounds, Model model);
/// The same box in normalized coordinates; `n` must be uncentred unless centring_keeps_box.
[[nodiscard]] Box box_to_normalized(const Box& box, Model model, const Normalization& n);
/// The nearest point within the box.
[[nodiscard]] Params clamp(const Params& params, const Box& box);

}  // namespace nucreg
