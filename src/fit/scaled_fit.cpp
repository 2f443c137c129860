#include "nucreg/fit/scaled_fit.hpp"

#include <algorithm>

namespace nucreg {

ScaledFit::ScaledFit(const PairsView& pairs_px, const FitQuestion& question)
    : question_(question), pairs_(pairs_px) {
  const Bounds& bounds = question.bounds;
  const Model model = question.model;
  const bool shift_bounded = bounds.dx_px.bounded() || bounds.dy_px.bounded();
  form_ = shift_bounded ? ShiftForm::scaled : ShiftForm::plain;
  if (question.coordinates == Coordinates::normalized) {
    normalization_ =
        normalization_of(pairs_px, question.magnification, centring_keeps_box(bounds, model));
    scaled_ = normalize(pairs_px, normalization_);
    pairs_ = scaled_;
    weight_ = 1.0 / static_cast<double>(std::max<std::size_t>(1, pairs_px.size));
  }
  box_px_ = box_of(bounds, model);
  box_ = box_to_normalized(box_px_, model, normalization_);
}

Objective ScaledFit::objective(PassThreads* threads) const {
  const Normalization& n = normalization_;
  return {pairs_,
          question_.model,
          question_.loss,
          question_.loss_scale_px / n.scale40,
          question_.magnification * n.scale10 / n.scale40,
          weight_,
          threads,
          form_};
}

double ScaledFit::px2_per_unit() const {
  return normalization_.scale40 * normalization_.scale40 / weight_;
}

Params ScaledFit::from_px(const Params& outside) const {
  const Model model = question_.model;
  const Params radians = clamp(to_radians(model, outside), box_px_);
  return clamp(
      in_form(params_to_normalized(model, radians, question_.magnification, normalization_)), box_);
}

Map ScaledFit::to_px(const Params& params) const {
  const Model model = question_.model;
  const Params scaled = form_ == ShiftForm::plain ? to_scaled_shift(model, params) : params;
  return {
      model,
      to_degrees(model, params_to_pixels(model, scaled, question_.magnification, normalization_)),
      question_.magnification};
}

Params ScaledFit::in_form(const Params& scaled_shift) const {
  return form_ == ShiftForm::plain ? to_plain_shift(question_.model, scaled_shift) : scaled_shift;
}

}  // namespace nucreg
