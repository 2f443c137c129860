// Ceres Solver: a residual block and a loss function for each pair, as its users write it; for
// squared loss, which needs no function of each, one block of all.
#include <ceres/ceres.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include "nucreg/fit/pair_rows.hpp"
#include "peers.hpp"

namespace nucreg {
namespace {

// Map and derivative of the current evaluation, worked out once for all pairs; counts evaluations
// and refuses them beyond the budget.
template <int columns>
class Evaluations final : public ceres::EvaluationCallback {
 public:
  Evaluations(Objective& f, const SolveRequest& request, const double* params)
      : objective(f), request_(request), params_(params) {}

  void PrepareForEvaluation(bool evaluate_jacobians, bool new_evaluation_point) override {
    refused = out_of_time || (new_evaluation_point &&
                              objective.function_evaluations() >= request_.max_evaluations);
    if (refused) return;
    objective.count(new_evaluation_point ? 1 : 0, evaluate_jacobians ? 1 : 0);
    const Params p = Eigen::Map<const Eigen::VectorXd>(params_, objective.parameters());
    map = map_entries(objective.model(), p, objective.magnification(), true, objective.form());
    rows = PairRows<columns>(map);
    out_of_time = objective.out_of_time_after_pass();
  }

  Objective& objective;
  MapEntries map;
  PairRows<columns> rows;
  bool refused = false, out_of_time = false;

 private:
  const SolveRequest& request_;
  const double* params_;
};

/// Residuals of consecutive pairs, x and y in turn.
template <int columns>
class PairsCost final : public ceres::CostFunction {
 public:
  PairsCost(const Evaluations<columns>& evaluations, std::size_t first, std::size_t count)
      : e_(evaluations), first_(first), count_(count) {
    set_num_residuals(static_cast<int>(2 * count));
    mutable_parameter_block_sizes()->push_back(columns);
  }
  bool Evaluate(double const* const*, double* residuals, double** jacobians) const override {
    if (e_.refused) return false;
    double* to = jacobians ? jacobians[0] : nullptr;
    const PairsView& pairs = e_.objective.pairs();
    const std::array<double, 8> entries = e_.map.entries;  // which no write below can change
    for (std::size_t i = first_; i < first_ + count_; ++i, residuals += 2) {
      const Mapped at = mapped(entries, columns == 8, pairs.x10[i], pairs.y10[i]);
      residuals[0] = at.x - pairs.x40[i];
      residuals[1] = at.y - pairs.y40[i];
      if (!to) continue;
      e_.rows.write(pairs.x10[i], pairs.y10[i], at, to, to + columns);
      to += std::ptrdiff_t{2} * columns;
    }
    return true;
  }

 private:
  const Evaluations<columns>& e_;
  std::size_t first_, count_;
};

// Ends the search; the parameters then are the best that was accepted.
template <int columns>
class Watch final : public ceres::IterationCallback {
 public:
  explicit Watch(const Evaluations<columns>& evaluations) : e_(evaluations) {}
  ceres::CallbackReturnType operator()(const ceres::IterationSummary&) override {
    return e_.refused || e_.out_of_time ? ceres::SOLVER_ABORT : ceres::SOLVER_CONTINUE;
  }

 private:
  const Evaluations<columns>& e_;
};

std::unique_ptr<ceres::LossFunction> loss_of(Loss loss, double scale) {
  switch (loss) {
    case Loss::squared:
      return nullptr;
    case Loss::huber:
      return std::make_unique<ceres::HuberLoss>(scale);
    case Loss::cauchy:
      return std::make_unique<ceres::CauchyLoss>(scale);
    case Loss::tukey:
      return std::make_unique<ceres::TukeyLoss>(scale);
  }
  return nullptr;
}

class CeresSolver : public Solver {
 public:
  explicit CeresSolver(const std::string& algorithm) {
    options_.logging_type = ceres::SILENT;
    options_.linear_solver_type = ceres::DENSE_QR;
    options_.gradient_tolerance = 0.0;
    options_.update_state_every_iteration = true;
    options_.num_threads = 1;
    if (algorithm == "LBFGS") {
      options_.minimizer_type = ceres::LINE_SEARCH;
      options_.line_search_direction_type = ceres::LBFGS;
    } else if (algorithm != "LM") {
      options_.trust_region_strategy_type = ceres::DOGLEG;
      options_.dogleg_type =
          algorithm == "DOGLEG" ? ceres::TRADITIONAL_DOGLEG : ceres::SUBSPACE_DOGLEG;
    }
  }
  // Its line search ignores bounds.
  [[nodiscard]] bool honours_bounds() const override {
    return options_.minimizer_type == ceres::TRUST_REGION;
  }

  [[nodiscard]] SolveResult solve(Objective& f, const SolveRequest& request) const override {
    return with_columns(f.parameters(), [&](auto columns) { return solve<columns>(f, request); });
  }

 private:
  template <int columns>
  [[nodiscard]] SolveResult solve(Objective& f, const SolveRequest& request) const {
    Params params = request.start;
    Evaluations<columns> evaluations(f, request, params.data());
    const auto loss = loss_of(f.loss(), f.loss_scale());
    ceres::Problem::Options ownership;
    ownership.evaluation_callback = &evaluations;
    ownership.loss_function_ownership = ceres::DO_NOT_TAKE_OWNERSHIP;
    ceres::Problem problem(ownership);
    const std::size_t pairs = f.pairs().size, block = loss ? 1 : pairs;
    for (std::size_t i = 0; i < pairs; i += block)
      problem.AddResidualBlock(new PairsCost<columns>(evaluations, i, block), loss.get(),
                               params.data());
    for (int i = 0; honours_bounds() && i < static_cast<int>(params.size()); ++i) {
      if (std::isfinite(request.box.lower[i]))
        problem.SetParameterLowerBound(params.data(), i, request.box.lower[i]);
      if (std::isfinite(request.box.upper[i]))
        problem.SetParameterUpperBound(params.data(), i, request.box.upper[i]);
    }
    Watch<columns> watch(evaluations);
    ceres::Solver::Options options = options_;
    options.callbacks.push_back(&watch);
    options.function_tolerance = request.ftol_rel;
    options.parameter_tolerance = request.xtol_rel;
    constexpr std::int64_t most = std::numeric_limits<int>::max();
    options.max_num_iterations = static_cast<int>(std::min(request.max_evaluations, most));
    ceres::Solver::Summary summary;
    ceres::Solve(options, &problem, &summary);
    SolveResult result{.params = params,
                       .status = SolveStatus::failed,
                       .iterations = static_cast<std::int64_t>(summary.iterations.size()) - 1,
                       .native_code = static_cast<std::int32_t>(summary.termination_type)};
    result.iterations = std::max<std::int64_t>(0, result.iterations);
    if (evaluations.out_of_time)
      result.status = SolveStatus::max_time;
    else if (evaluations.refused || summary.termination_type == ceres::NO_CONVERGENCE)
      result.status = SolveStatus::max_evaluations;
    else if (summary.termination_type == ceres::CONVERGENCE)
      result.status = SolveStatus::converged;
    else
      result.message = "Ceres: " + summary.message;
    return result;
  }

  ceres::Solver::Options options_;
};

}  // namespace

std::unique_ptr<Solver> make_ceres_solver(const std::string& algorithm) {
  return std::make_unique<CeresSolver>(algorithm);
}

}  // namespace nucreg
