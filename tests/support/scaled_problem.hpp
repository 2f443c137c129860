// Pairs in the coordinates in which a solver gets them, as a run prepares them.
#pragma once

#include <memory>
#include <string>

#include "nucreg/fit/measures.hpp"
#include "nucreg/fit/scaled_fit.hpp"
#include "nucreg/solve/registry.hpp"

namespace nucreg {

/// A problem for one solver after the other. Not copied: an objective borrows its points.
class ScaledProblem {
 public:
  ScaledProblem(PointPairs pairs_px, Model model, Loss loss, double loss_scale_px,
                double magnification, Coordinates coordinates = Coordinates::normalized,
                const Bounds& bounds = {})
      : pairs_px_(std::move(pairs_px)),
        question_{.model = model,
                  .loss = loss,
                  .loss_scale_px = loss_scale_px,
                  .magnification = magnification,
                  .coordinates = coordinates,
                  .bounds = bounds},
        fit_(pairs_px_, question_) {
    request.box = fit_.box();
    start_at({Model::trs, (Params(5) << 0, 0, 0, magnification, magnification).finished(), 0.0});
  }
  ScaledProblem(const ScaledProblem&) = delete;
  ScaledProblem& operator=(const ScaledProblem&) = delete;

  /// The start nearest to a trs map, within the box.
  void start_at(const Map& trs) {
    const Model model = question_.model;
    const double magnification = question_.magnification;
    Params p = trs.params;
    if (model == Model::similarity || model == Model::rigid)
      p[3] = p[4] = model == Model::rigid ? magnification : p[3];
    request.start =
        fit_.from_px(convert({Model::trs, p, magnification}, model, magnification)->params);
  }

  [[nodiscard]] Objective objective() const { return fit_.objective(); }
  [[nodiscard]] const ScaledFit& fit() const { return fit_; }
  [[nodiscard]] Map map_of(const SolveResult& result) const { return fit_.to_px(result.params); }
  /// Objective at the fitted pixel parameters, 40x px^2.
  [[nodiscard]] double value_px(const SolveResult& result) const {
    return objective_px(pairs_px_, map_of(result), question_.loss, question_.loss_scale_px);
  }
  [[nodiscard]] const PointPairs& pairs_px() const { return pairs_px_; }
  [[nodiscard]] const Normalization& normalization() const { return fit_.normalization(); }

  SolveRequest request;

 private:
  PointPairs pairs_px_;
  FitQuestion question_;
  ScaledFit fit_;
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
