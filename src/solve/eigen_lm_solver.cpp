// Levenberg-Marquardt of Eigen's unsupported module, a port of MINPACK's lmder.
#include <Eigen/Dense>
#include <unsupported/Eigen/LevenbergMarquardt>

#include "nucreg/solve/registry.hpp"

namespace nucreg {
namespace {

// Dense functor of Eigen's interface; a negative return value makes it stop.
struct Residuals : Eigen::DenseFunctor<double> {
  Residuals(Objective& f, int inputs, int values)
      : Eigen::DenseFunctor<double>(inputs, values), objective(f) {}

  int operator()(const InputType& x, ValueType& residuals) const {
    objective.residuals(x, residuals);
    return objective.out_of_time() ? -1 : 0;
  }
  int df(const InputType& x, JacobianType& jacobian) const {
    objective.jacobian(x, jacobian);
    return objective.out_of_time() ? -1 : 0;
  }

  Objective& objective;
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

class EigenLmSolver : public Solver {
 public:
  [[nodiscard]] bool honours_bounds() const override { return false; }
  [[nodiscard]] SolveResult solve(Objective& objective,
                                  const SolveRequest& request) const override {
    Residuals functor(objective, static_cast<int>(objective.parameters()),
                      static_cast<int>(objective.residual_count()));
    Eigen::LevenbergMarquardt<Residuals> lm(functor);
    lm.setFtol(request.ftol_rel);
    lm.setXtol(request.xtol_rel);
    lm.setGtol(0.0);
    lm.setMaxfev(static_cast<Eigen::Index>(request.max_evaluations));
    Eigen::VectorXd x = request.start;
    const auto status = lm.minimize(x);
    return {.params = x,
            .status = status_of(status),
            .iterations = static_cast<std::int64_t>(lm.iterations()),
            .native_code = static_cast<std::int32_t>(status)};
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
