#include "nucreg/fit/moments.hpp"
#include "nucreg/solve/registry.hpp"

namespace nucreg {
namespace {

class ClosedFormSolver : public Solver {
 public:
  [[nodiscard]] bool honours_bounds() const override { return false; }
  [[nodiscard]] bool applies_to(Model model, Loss loss) const override {
    return has_closed_form(model, loss);
  }
  [[nodiscard]] SolveResult solve(Objective& objective,
                                  const SolveRequest& request) const override {
    SolveResult result{.params = request.start,
                       .reason = "there is no single best map: points coincide or lie on a line"};
    const auto params =
        closed_form(objective.pairs(), objective.model(), objective.magnification());
    if (!params) return result;
    result.params =
        objective.form() == ShiftForm::plain ? to_plain_shift(objective.model(), *params) : *params;
    result.status = SolveStatus::converged;
    result.reason = "";
    return result;
  }
};

}  // namespace

SolverKind closed_form_kind() {
  return {.name = "closed-form",
          .summary =
              "the exact minimiser of squared loss: Umeyama for rigid and similarity, linear "
              "least squares for affine; ignores bounds",
          .options = {},
          .make = [](const SolverOptions&) { return std::make_unique<ClosedFormSolver>(); },
          .seconds = [](double pairs) { return 2e-6 + 6e-9 * pairs; }};
}

}  // namespace nucreg
