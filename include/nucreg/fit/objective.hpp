// What a solver minimises: the counted objective of one problem in the solver's coordinates.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <optional>

#include "nucreg/fit/model.hpp"
#include "nucreg/fit/moments.hpp"
#include "nucreg/fit/points.hpp"
#include "nucreg/fit/trace.hpp"
#include "nucreg/fit/weighted.hpp"

namespace nucreg {

/// Value, gradient and Gauss-Newton matrix of the objective at one point, all of the same scale.
struct NormalEquations {
  double value = 0.0;
  Params gradient;  ///< of value
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor, 8, 8> hessian;
};

/// Whether Objective::use_moments has an answer: squared loss and a map affine in the points.
[[nodiscard]] constexpr bool has_moments(Model model, Loss loss) {
  return loss == Loss::squared && model != Model::projective;
}

/// F(p) = weight * sum_i rho(|map_p(x_i) - X_i|^2) with p in radians. One pass over the points per
/// call of a member, each call counted. Does not own the points.
class Objective {
 public:
  /// `magnification` is the fixed scale of rigid in the coordinates of `pairs`; `form` is that of
  /// the parameters.
  Objective(const PairsView& pairs, Model model, Loss loss, double loss_scale, double magnification,
            double weight, PassThreads* threads = nullptr, ShiftForm form = ShiftForm::scaled);

  /// From here on F and its derivatives come from the moments of the points (fit/moments.hpp), at a
  /// cost that does not depend on their number; the same up to rounding. Two passes, not counted.
  /// Throws std::logic_error unless has_moments().
  void use_moments();

  [[nodiscard]] Model model() const { return model_; }
  [[nodiscard]] Loss loss() const { return loss_; }
  [[nodiscard]] const PairsView& pairs() const { return pairs_; }
  [[nodiscard]] double loss_scale() const { return loss_scale_; }
  [[nodiscard]] double magnification() const { return magnification_; }
  [[nodiscard]] double weight() const { return weight_; }
  [[nodiscard]] ShiftForm form() const { return form_; }
  [[nodiscard]] Eigen::Index parameters() const;
  [[nodiscard]] Eigen::Index residual_count() const;

  /// Counts as one function evaluation.
  [[nodiscard]] double value(const Params& p);
  /// Counts as one function and one Jacobian evaluation.
  [[nodiscard]] double value_and_gradient(const Params& p, Params& gradient);
  /// Counts as one function and one Jacobian evaluation.
  void normal_equations(const Params& p, NormalEquations& out);

  /// Residuals whose squares sum to F: (x_0, y_0, x_1, y_1, ...), each point's scaled by
  /// sqrt(weight rho(s) / s). Counts as one function evaluation.
  void residuals(const Params& p, Eigen::Ref<Eigen::VectorXd> out);
  /// A matrix stored by rows or by columns.
  using MatrixRef = Eigen::Ref<Eigen::MatrixXd, 0, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>;
  /// Their derivatives, residual_count() x parameters(). Counts as one Jacobian evaluation.
  void jacobian(const Params& p, MatrixRef out);

  /// Sums of weighted least squares at an affine map (fit/weighted.hpp), in F's coordinates but not
  /// times its weight. Counts as one function and one Jacobian evaluation.
  [[nodiscard]] WeightedSums weighted(const AffineMap& map, const WeightRule& rule);

  /// out_of_time() for a solver that passes over the points by itself, after each pass.
  [[nodiscard]] bool out_of_time_after_pass() {
    points_since_clock_ += pairs_.size;
    return out_of_time();
  }
  /// Evaluations that were made elsewhere, by a solver that evaluates for itself.
  void count(std::int64_t function_evaluations, std::int64_t jacobian_evaluations) {
    function_evaluations_ += function_evaluations;
    jacobian_evaluations_ += jacobian_evaluations;
  }

  [[nodiscard]] std::int64_t function_evaluations() const { return function_evaluations_; }
  [[nodiscard]] std::int64_t jacobian_evaluations() const { return jacobian_evaluations_; }

  /// The first F that was not finite.
  struct NotFinite {
    std::int64_t evaluation = 0;  ///< from 1; 0 = F was finite wherever it was asked for
    double value = 0.0;
  };
  /// Not known by residuals(), which does not sum them up.
  [[nodiscard]] const NotFinite& first_not_finite() const { return first_not_finite_; }

  /// Function evaluations are reported to `trace`, in F's own units, but for those of weighted()
  /// and count(); null: to nobody.
  void set_trace(TraceRecorder* trace) { trace_ = trace; }

  /// A solver asks this after each evaluation; the clock is read in turn, at most once per 20,000
  /// points that were passed, since reading it costs as much as a hundred points.
  [[nodiscard]] bool out_of_time();
  /// `clock` says which part of the time has passed; from 1 on it is over.
  void set_clock(std::function<double()> clock) { clock_ = std::move(clock); }
  /// The part of the time at which out_of_time() becomes true: less than 1 while a solver leaves
  /// time to another that continues from its answer.
  [[nodiscard]] double time_part() const { return time_part_; }
  void set_time_part(double part) { time_part_ = part; }

 private:
  /// Every F that a solver gets.
  double evaluated(double value);
  PassSums sums(const MapEntries& map, PassLevel level);

  PairsView pairs_;
  Model model_;
  Loss loss_;
  double loss_scale_, magnification_, weight_;
  PassThreads* threads_;
  ShiftForm form_;
  std::optional<Moments> moments_;
  std::int64_t function_evaluations_ = 0, jacobian_evaluations_ = 0;
  NotFinite first_not_finite_;
  TraceRecorder* trace_ = nullptr;
  std::function<double()> clock_;
  std::uint64_t points_since_clock_ = 0;
  double time_used_ = 0.0, time_part_ = 1.0;
};

}  // namespace nucreg
