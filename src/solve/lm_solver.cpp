// Our own Levenberg-Marquardt: the normal equations come from one pass over the points, everything
// else is a handful of fixed-size operations. Nothing is allocated.
#include <algorithm>
#include <cmath>

#include "gauss_newton.hpp"
#include "nucreg/solve/registry.hpp"

namespace nucreg {
namespace {

// Damping: Nielsen, "Damping parameter in Marquardt's method", IMM-REP-1999-05, equation 2.5, on
// Marquardt's diagonal scaling. It starts at next to nothing, since affine maps under squared loss
// are solved by the undamped step, and leaves that at the first step that fails.
constexpr double first_damping = 1e-12;
constexpr double damping_after_failure = 1e-4;
constexpr double largest_damping = 1e14;
constexpr double steepest_damping = 1.0;  // from it on a step is about the negative gradient's
constexpr double trusted_damping = 1e-3;  // below it the model's own prediction can end the search

// Bounds: projected steps over the parameters that are free (Kanzow, Yamashita and Fukushima,
// "Levenberg-Marquardt methods with strong local convergence properties for solving nonlinear
// equations with convex constraints", 2004).
template <int P>
class Search {
  using Vector = gauss_newton::Vector<P>;

 public:
  Search(Objective& objective, const SolveRequest& request)
      : objective_(objective),
        request_(request),
        lower_(gauss_newton::vector_of<P>(request.box.lower)),
        upper_(gauss_newton::vector_of<P>(request.box.upper)),
        x_(gauss_newton::vector_of<P>(request.start)) {}

  SolveResult run() {
    SolveResult result{.params = request_.start, .status = SolveStatus::failed, .iterations = 0};
    evaluate(x_, at_x_);
    result.reason = "the objective or its derivatives are not finite at the start";
    if (!finite(at_x_)) return result;
    result.status = SolveStatus::stalled;
    result.reason = "no step, however short, improves the objective";
    double damping = first_damping, growth = 2.0;
    while (damping <= largest_damping) {
      if (at_x_.value == 0.0) {
        result.status = SolveStatus::converged;
        break;
      }
      if (objective_.out_of_time()) {
        result.status = SolveStatus::max_time;
        break;
      }
      const gauss_newton::Quadratic<P> model(at_x_);
      bool cut = false;
      const Vector step = gauss_newton::step<P>(model, x_, lower_, upper_, damping, cut);
      Vector next, moved;
      for (int i = 0; i < P; ++i) {
        next[i] = std::min(std::max(x_[i] + step[i], lower_[i]), upper_[i]);
        moved[i] = next[i] - x_[i];
      }
      const double predicted = model.predicted(moved);
      // A step that a bound cuts can be short, or lead uphill, far from the minimum; not so once
      // damping has turned it to the negative gradient.
      const bool judged = !cut || damping >= steepest_damping;
      const bool tiny = judged && length(moved) <= request_.xtol_rel * length(x_);
      const bool little = judged && predicted <= request_.ftol_rel * at_x_.value;
      if (little && (cut || damping <= trusted_damping)) {
        result.status = SolveStatus::converged;
        break;
      }
      if (objective_.function_evaluations() >= request_.max_evaluations) {
        result.status = SolveStatus::max_evaluations;
        break;
      }
      ++result.iterations;
      evaluate(next, at_next_);
      const double gained = at_x_.value - at_next_.value;
      if (finite(at_next_) && predicted > 0.0 && gained > 1e-4 * predicted) {
        const double old_value = at_x_.value;
        x_ = next;
        std::swap(at_x_, at_next_);
        const double ratio = gained / predicted;
        const double miss = 2.0 * ratio - 1.0;
        damping *= std::max(1.0 / 3.0, 1.0 - miss * miss * miss);
        growth = 2.0;
        if (tiny || (little && gained <= request_.ftol_rel * old_value)) {
          result.status = SolveStatus::converged;
          break;
        }
      } else if (tiny) {
        result.status = SolveStatus::converged;
        break;
      } else {
        damping = std::max(damping * growth, damping_after_failure);
        growth *= 2.0;
      }
    }
    result.params = gauss_newton::params_of<P>(x_);
    return result;
  }

 private:
  static double length(const Vector& v) { return std::sqrt(gauss_newton::dot<P>(v, v)); }

  void evaluate(const Vector& at, NormalEquations& out) {
    objective_.normal_equations(gauss_newton::params_of<P>(at), out);
  }

  static bool finite(const NormalEquations& n) {
    return std::isfinite(n.value) && n.gradient.allFinite() && n.hessian.allFinite();
  }

  Objective& objective_;
  const SolveRequest& request_;
  Vector lower_, upper_, x_;
  NormalEquations at_x_, at_next_;
};

class LmSolver : public Solver {
 public:
  explicit LmSolver(bool moments) : moments_(moments) {}
  [[nodiscard]] bool honours_bounds() const override { return true; }
  [[nodiscard]] bool applies_to(Model model, Loss loss) const override {
    return !moments_ || has_moments(model, loss);
  }
  [[nodiscard]] SolveResult solve(Objective& objective,
                                  const SolveRequest& request) const override {
    if (moments_) objective.use_moments();
    return minimize_by_lm(objective, request);
  }

 private:
  bool moments_;
};

}  // namespace

SolveResult minimize_by_lm(Objective& objective, const SolveRequest& request) {
  switch (objective.parameters()) {
    case 3:
      return Search<3>(objective, request).run();
    case 4:
      return Search<4>(objective, request).run();
    case 5:
      return Search<5>(objective, request).run();
    case 6:
      return Search<6>(objective, request).run();
    default:
      return Search<8>(objective, request).run();
  }
}

SolverKind lm_kind() {
  return {.name = "lm",
          .summary =
              "Levenberg-Marquardt on fixed-size normal equations, formed in one pass over the "
              "points; honours bounds",
          .options = {evaluation_option()},
          .make =
              [](const SolverOptions& options) {
                return std::make_unique<LmSolver>(by_moments(options));
              },
          .seconds = [](double pairs) { return 2e-6 + 1e-8 * pairs; }};
}

}  // namespace nucreg
