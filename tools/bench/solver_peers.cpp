#include "solver_peers.hpp"

#include <ceres/ceres.h>
#include <ceres/version.h>
#include <gsl/gsl_blas.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_multifit_nlinear.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace nucreg::bench {
namespace {

// Residuals x_0 ... x_n, y_0 ... y_n: what compilers turn into vector instructions most easily.
void residuals(const PairsView& pairs, const double* m, double* out) {
  for (std::size_t i = 0; i < pairs.size; ++i)
    out[i] = m[0] * pairs.x10[i] + m[1] * pairs.y10[i] + m[2] - pairs.x40[i];
  for (std::size_t i = 0; i < pairs.size; ++i)
    out[pairs.size + i] = m[3] * pairs.x10[i] + m[4] * pairs.y10[i] + m[5] - pairs.y40[i];
}

// Row after row, as both libraries keep it.
void jacobian(const PairsView& pairs, double* out) {
  std::fill_n(out, 12 * pairs.size, 0.0);
  double* const lower = out + 6 * pairs.size;
  for (std::size_t i = 0; i < pairs.size; ++i) {
    out[6 * i] = lower[6 * i + 3] = pairs.x10[i];
    out[6 * i + 1] = lower[6 * i + 4] = pairs.y10[i];
    out[6 * i + 2] = lower[6 * i + 5] = 1.0;
  }
}

class Block : public ceres::CostFunction {
 public:
  explicit Block(const PairsView& pairs) : pairs_(pairs) {
    set_num_residuals(static_cast<int>(2 * pairs.size));
    mutable_parameter_block_sizes()->push_back(6);
  }
  bool Evaluate(double const* const* parameters, double* out, double** jacobians) const override {
    residuals(pairs_, parameters[0], out);
    if (jacobians && jacobians[0]) jacobian(pairs_, jacobians[0]);
    return true;
  }

 private:
  PairsView pairs_;
};

struct GslWorkspace {
  GslWorkspace(const gsl_multifit_nlinear_parameters& parameters, std::size_t residual_count)
      : handle(gsl_multifit_nlinear_alloc(gsl_multifit_nlinear_trust, &parameters, residual_count,
                                          6)) {}
  ~GslWorkspace() { gsl_multifit_nlinear_free(handle); }
  GslWorkspace(const GslWorkspace&) = delete;
  GslWorkspace& operator=(const GslWorkspace&) = delete;
  gsl_multifit_nlinear_workspace* handle;
};

int gsl_residuals(const gsl_vector* x, void* data, gsl_vector* f) {
  residuals(*static_cast<const PairsView*>(data), x->data, f->data);
  return GSL_SUCCESS;
}

int gsl_jacobian(const gsl_vector*, void* data, gsl_matrix* j) {
  jacobian(*static_cast<const PairsView*>(data), j->data);
  return GSL_SUCCESS;
}

}  // namespace

Fitter ceres_fit(const PairsView& pairs, Linear linear, double radius) {
  auto params = std::make_shared<std::array<double, 6>>();
  auto problem = std::make_shared<ceres::Problem>();
  problem->AddResidualBlock(new Block(pairs), nullptr, params->data());
  ceres::Solver::Options options;
  options.linear_solver_type =
      linear == Linear::qr ? ceres::DENSE_QR : ceres::DENSE_NORMAL_CHOLESKY;
  options.initial_trust_region_radius = radius;
  options.max_num_iterations = max_evaluations;
  options.function_tolerance = options.parameter_tolerance = tolerance;
  options.gradient_tolerance = 0.0;
  options.num_threads = 1;
  options.logging_type = ceres::SILENT;
  return [=] {
    *params = start;
    ceres::Solver::Summary summary;
    ceres::Solve(options, problem.get(), &summary);
    // Its count leaves out the start, where it evaluates derivatives with the residuals.
    return Fit{*params, summary.num_residual_evaluations + 1,
               summary.termination_type == ceres::CONVERGENCE};
  };
}

Fitter gsl_fit(const PairsView& pairs, Linear linear) {
  gsl_multifit_nlinear_parameters parameters = gsl_multifit_nlinear_default_parameters();
  parameters.trs = gsl_multifit_nlinear_trs_lm;
  parameters.solver =
      linear == Linear::qr ? gsl_multifit_nlinear_solver_qr : gsl_multifit_nlinear_solver_cholesky;
  auto workspace = std::make_shared<GslWorkspace>(parameters, 2 * pairs.size);
  return [=, data = pairs]() mutable {
    gsl_multifit_nlinear_fdf problem{};
    problem.f = gsl_residuals;
    problem.df = gsl_jacobian;
    problem.n = 2 * data.size;
    problem.p = 6;
    problem.params = &data;
    const gsl_vector_const_view first = gsl_vector_const_view_array(start.data(), start.size());
    gsl_multifit_nlinear_init(&first.vector, &problem, workspace->handle);
    int why = 0;
    const int status = gsl_multifit_nlinear_driver(max_evaluations, tolerance, tolerance, 0.0,
                                                   nullptr, nullptr, &why, workspace->handle);
    Fit fit{{}, static_cast<long>(problem.nevalf), status == GSL_SUCCESS && why > 0};
    std::copy_n(gsl_multifit_nlinear_position(workspace->handle)->data, 6, fit.params.begin());
    return fit;
  };
}

}  // namespace nucreg::bench
