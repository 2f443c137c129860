// Pairs in the coordinates in which a solver gets them, as a run prepares them.
#pragma once

#include <memory>
#include <string>

#include "nucreg/fit/measures.hpp"
#include "nucreg/solve/registry.hpp"

namespace nucreg {

/// A problem for one solver after the other. Not copied: an objective borrows its points.
class ScaledProblem {
 public:
  ScaledProblem(PointPairs pairs_px, Model model, Loss loss, double loss_scale_px,
                double magnification, Coordinates coordinates = Coordinates::normalized,
                const Bounds& bounds = {})
      : pairs_px_(std::move(pairs_px)),
        model_(model),
        loss_(loss),
        loss_scale_px_(loss_scale_px),
        magnification_(magnification) {
    if (coordinates == Coordinates::normalized)
      normalization_ =
          normalization_of(pairs_px_, magnification, centring_keeps_box(bounds, model));
    scaled_ = normalize(pairs_px_, normalization_);
    if (coordinates == Coordinates::normalized && pairs_px_.size() > 0)
      weight_ = 1.0 / static_cast<double>(pairs_px_.size());
    request.box = box_to_normalized(box_of(bounds, model), model, normalization_);
    start_at({Model::trs, (Params(5) << 0, 0, 0, magnification, magnification).finished(), 0.0});
  }
  ScaledProblem(const ScaledProblem&) = delete;
  ScaledProblem& operator=(const ScaledProblem&) = delete;

  /// The start nearest to a trs map, within the box.
  void start_at(const Map& trs) {
    Params p = trs.params;
    if (model_ == Model::similarity || model_ == Model::rigid) {
      p[3] = p[4] = model_ == Model::rigid ? magnification_ : p[3];
    }
    const Map map = *convert({Model::trs, p, magnification_}, model_, magnification_);
    request.start = clamp(params_to_normalized(model_, to_radians(model_, map.params),
                                               magnification_, normalization_),
                          request.box);
  }

  [[nodiscard]] Objective objective() const {
    const Normalization& n = normalization_;
    return {
        scaled_, model_, loss_, loss_scale_px_ / n.scale40, magnification_ * n.scale10 / n.scale40,
        weight_};
  }
  [[nodiscard]] Map map_of(const SolveResult& result) const {
    return {
        model_,
        to_degrees(model_, params_to_pixels(model_, result.params, magnification_, normalization_)),
        magnification_};
  }
  /// Objective at the fitted pixel parameters, 40x px^2.
  [[nodiscard]] double value_px(const SolveResult& result) const {
    return objective_px(pairs_px_, map_of(result), loss_, loss_scale_px_);
  }
  [[nodiscard]] const PointPairs& pairs_px() const { return pairs_px_; }
  [[nodiscard]] const Normalization& normalization() const { return normalization_; }

  SolveRequest request;

 private:
  PointPairs pairs_px_, scaled_;
  Model model_;
  Loss loss_;
  double loss_scale_px_, magnification_;
  Normalization normalization_;
  double weight_ = 1.0;
};

/// A solver of a kind; for "nlopt" with an algorithm.
inline std::unique_ptr<Solver> make_solver(const std::string& kind,
                                           const std::string& algorithm = {}) {
  SolverSpec spec{.name = "S", .kind = kind};
  if (!algorithm.empty()) spec.options["algorithm"] = algorithm;
  // Global algorithms are only made where every model of the job has a whole box.
  Job job;
  job.fit.ftol_rel = {Draw(1e-8)};  // of the job alone: LN_NEWUOA_BOUND is refused a stricter one
  job.fit.bounds = {
      .scale = {1.0, 8.0}, .angle_deg = {-90.0, 90.0}, .dx_px = {-1e4, 1e4}, .dy_px = {-1e4, 1e4}};
  return standard_solvers().make(spec, job);
}

}  // namespace nucreg
