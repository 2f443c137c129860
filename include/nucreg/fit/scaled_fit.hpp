// One fit in the coordinates in which solvers work, and the way back to pixels.
#pragma once

#include "nucreg/fit/normalization.hpp"
#include "nucreg/fit/objective.hpp"

namespace nucreg {

/// What a fit asks, in pixels.
struct FitQuestion {
  Model model = Model::affine;
  Loss loss = Loss::squared;
  double loss_scale_px = 3.0;  ///< 40x px
  double magnification = 4.0;  ///< nominal; the fixed scale of rigid
  Coordinates coordinates = Coordinates::normalized;
  Bounds bounds = {};
};

/// Points, objective, box and parameters of a fit as its solvers see them: normalized unless the
/// question asks for raw coordinates, with a plain shift (ShiftForm) unless the shift is bounded.
/// Normalized objectives are means over the points and not sums, so that stops and first steps do
/// not depend on their number.
class ScaledFit {
 public:
  /// Does not own `pairs_px`, which raw coordinates are borrowed from.
  ScaledFit(const PairsView& pairs_px, const FitQuestion& question);
  ScaledFit(ScaledFit&&) = default;
  ScaledFit& operator=(ScaledFit&&) = default;

  [[nodiscard]] const PairsView& pairs() const { return pairs_; }
  [[nodiscard]] const Normalization& normalization() const { return normalization_; }
  [[nodiscard]] ShiftForm form() const { return form_; }
  /// In the solver's coordinates, angles in radians.
  [[nodiscard]] const Box& box() const { return box_; }
  [[nodiscard]] Objective objective(PassThreads* threads = nullptr) const;
  /// 40x px^2 of one unit of the objective.
  [[nodiscard]] double px2_per_unit() const;

  /// Parameters in outside units (degrees, px) to the solver's, within the box; and back.
  [[nodiscard]] Params from_px(const Params& outside) const;
  [[nodiscard]] Map to_px(const Params& params) const;
  /// Parameters that closed_form() gives for pairs(), in the solver's form.
  [[nodiscard]] Params in_form(const Params& scaled_shift) const;

 private:
  FitQuestion question_;
  Normalization normalization_;
  PointPairs scaled_;
  PairsView pairs_;
  ShiftForm form_;
  Box box_px_, box_;
  double weight_ = 1.0;
};

}  // namespace nucreg
