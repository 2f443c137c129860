// Levenberg-Marquardt of Eigen's unsupported module, a port of MINPACK's lmder.
#include <cmath>
#include <unsupported/Eigen/LevenbergMarquardt>

#include "nucreg/solve/registry.hpp"

namespace nucreg {
namespace {

// Dense functor of Eigen's interface; a negative return value makes it stop. It keeps to the
// evaluations itself, since Eigen looks only after the first step.
struct Residuals : Eigen::DenseFunctor<double> {
  Residuals(Objective& f, std::int64_t most, int inputs, int values)
      : Eigen::DenseFunctor<double>(inputs, values), objective(f), max_evaluations(most) {}

  int operator()(const InputType& x, ValueType& residuals) const {
    if (objective.function_evaluations() >= max_evaluations) return -1;
    objective.residuals(x, residuals);
    if (objective.out_of_time()) return -1;
    begun = true;
    return 0;
  }
  int df(const InputType& x, JacobianType& jacobian) const {
    objective.jacobian(x, jacobian);
    return objective.out_of_time() ? -1 : 0;
  }

  Objective& objective;
  std::int64_t max_evaluations;
  mutable bool begun = false;  // until then Eigen's count of iterations is not set
};

SolveStatus status_of(Eigen::LevenbergMarquardtSpace::Status status) {
  using namespace Eigen::LevenbergMarquardtSpace;
  switch (status) {
    case RelativeReductionTooSmall:
    case RelativeErrorTooSmall:
    case RelativeErrorAndReductionTooSmall:
    case CosinusTooSmall:
      return SolveStatus::converged;
    case TooManyFunctionEvaluation:
      return SolveStatus::max_evaluations;
    case FtolTooSmall:
    case XtolTooSmall:
    case GtolTooSmall:
      return SolveStatus::stalled;
    case UserAsked:
      return SolveStatus::max_time;
    default:
      return SolveStatus::failed;
  }
}

const char* reason_of(Eigen::LevenbergMarquardtSpace::Status status) {
  using namespace Eigen::LevenbergMarquardtSpace;
  switch (status) {
    case FtolTooSmall:
      return "ftol_rel is below what floating point resolves";
    case XtolTooSmall:
      return "xtol_rel is below what floating point resolves";
    case GtolTooSmall:
      return "the gradient is orthogonal to the residuals as far as floating point resolves";
    case ImproperInputParameters:
      return "fewer residuals than parameters";
    default:
      return "";
  }
}

class EigenLmSolver : public Solver {
 public:
  [[nodiscard]] bool honours_bounds() const override { return false; }
  [[nodiscard]] SolveResult solve(Objective& objective,
                                  const SolveRequest& request) const override {
    Residuals functor(objective, request.max_evaluations, static_cast<int>(objective.parameters()),
                      static_cast<int>(objective.residual_count()));
    Eigen::LevenbergMarquardt<Residuals> lm(functor);
    lm.setFtol(request.ftol_rel);
    lm.setXtol(request.xtol_rel);
    lm.setGtol(0.0);
    lm.setMaxfev(static_cast<Eigen::Index>(request.max_evaluations));
    Eigen::VectorXd x = request.start;
    const auto status = lm.minimize(x);
    SolveStatus ended = status_of(status);
    if (ended == SolveStatus::max_time && !objective.out_of_time())
      ended = SolveStatus::max_evaluations;
    // Eigen takes a gradient of NaN for one of zero.
    const bool finite = std::isfinite(lm.fnorm());
    if (!finite) ended = SolveStatus::failed;
    return {.params = x,
            .status = ended,
            .iterations = functor.begun ? static_cast<std::int64_t>(lm.iterations()) : 0,
            .native_code = static_cast<std::int32_t>(status),
            .reason = finite ? reason_of(status) : "the sum of squares is not finite"};
  }
};

}  // namespace

SolverKind eigen_lm_kind() {
  return {.name = "eigen-lm",
          .summary =
              "Levenberg-Marquardt of Eigen's unsupported module (MINPACK's lmder) on the full "
              "Jacobian; ignores bounds",
          .options = {},
          .make = [](const SolverOptions&) { return std::make_unique<EigenLmSolver>(); },
          .seconds = [](double pairs) { return 5e-6 + 3e-7 * pairs; }};
}

}  // namespace nucreg
