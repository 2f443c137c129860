// The GNU Scientific Library's multifit_nlinear: trust regions on the full Jacobian.
#include <gsl/gsl_errno.h>
#include <gsl/gsl_multifit_nlinear.h>

#include <cmath>

#include "peers.hpp"

namespace nucreg {
namespace {

// What its callbacks need; a code other than success makes it stop.
struct GslResiduals {
  Objective& objective;
  const SolveRequest& request;
  bool out_of_evaluations = false, out_of_time = false, not_finite = false;
};

Params params_of(const gsl_vector* x) {
  Params p(static_cast<Eigen::Index>(x->size));
  for (Eigen::Index i = 0; i < p.size(); ++i) p[i] = gsl_vector_get(x, static_cast<std::size_t>(i));
  return p;
}

int residuals(const gsl_vector* x, void* data, gsl_vector* f) {
  auto& r = *static_cast<GslResiduals*>(data);
  r.out_of_evaluations = r.objective.function_evaluations() >= r.request.max_evaluations;
  if (r.out_of_evaluations || r.out_of_time) return GSL_EFAILED;
  Eigen::Map<Eigen::VectorXd> values(f->data, static_cast<Eigen::Index>(f->size));  // stride 1
  r.objective.residuals(params_of(x), values);
  r.out_of_time = r.objective.out_of_time();
  r.not_finite = !values.allFinite();
  return r.not_finite ? GSL_EBADFUNC : GSL_SUCCESS;
}

int jacobian(const gsl_vector* x, void* data, gsl_matrix* j) {
  auto& r = *static_cast<GslResiduals*>(data);
  const auto by_rows =
      Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(1, static_cast<Eigen::Index>(j->tda));
  r.objective.jacobian(
      params_of(x), Eigen::Map<Eigen::MatrixXd, 0, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>(
                        j->data, static_cast<Eigen::Index>(j->size1),
                        static_cast<Eigen::Index>(j->size2), by_rows));
  return GSL_SUCCESS;
}

const gsl_multifit_nlinear_trs* trust_region(const std::string& algorithm) {
  if (algorithm == "DOGLEG") return gsl_multifit_nlinear_trs_dogleg;
  if (algorithm == "DDOGLEG") return gsl_multifit_nlinear_trs_ddogleg;
  if (algorithm == "SUBSPACE2D") return gsl_multifit_nlinear_trs_subspace2D;
  return gsl_multifit_nlinear_trs_lm;
}

class GslSolver : public Solver {
 public:
  explicit GslSolver(const std::string& algorithm) : trs_(trust_region(algorithm)) {
    // Else GSL aborts the program; its codes say the same.
    gsl_set_error_handler_off();
  }
  [[nodiscard]] bool honours_bounds() const override { return false; }

  [[nodiscard]] SolveResult solve(Objective& f, const SolveRequest& request) const override {
    SolveResult result{.params = request.start, .status = SolveStatus::failed, .iterations = 0};
    result.reason = "fewer residuals than parameters";
    if (f.residual_count() < f.parameters()) return result;
    const auto n = static_cast<std::size_t>(f.residual_count());
    const auto p = static_cast<std::size_t>(f.parameters());
    GslResiduals data{f, request};
    gsl_multifit_nlinear_parameters parameters = gsl_multifit_nlinear_default_parameters();
    parameters.trs = trs_;
    const std::unique_ptr<gsl_multifit_nlinear_workspace, void (*)(gsl_multifit_nlinear_workspace*)>
        workspace(gsl_multifit_nlinear_alloc(gsl_multifit_nlinear_trust, &parameters, n, p),
                  gsl_multifit_nlinear_free);
    result.reason = "GSL: out of memory";
    if (!workspace) return result;
    gsl_multifit_nlinear_fdf fdf{};
    fdf.f = residuals;
    fdf.df = jacobian;
    fdf.n = n;
    fdf.p = p;
    fdf.params = &data;
    Params start = request.start;
    const gsl_vector_view x = gsl_vector_view_array(start.data(), p);
    int code = gsl_multifit_nlinear_init(&x.vector, &fdf, workspace.get());
    result.reason = "the objective is not finite at the start";
    if (data.out_of_time) result.status = SolveStatus::max_time;
    if (code != GSL_SUCCESS || data.out_of_time) return result;
    result.reason = "";
    double before = squares(workspace.get());
    for (;;) {
      code = gsl_multifit_nlinear_iterate(workspace.get());
      const gsl_vector* at = gsl_multifit_nlinear_position(workspace.get());
      const Params next = params_of(at);
      const double value = squares(workspace.get());
      if (next.allFinite() && value <= before) result.params = next;
      if (data.out_of_time || data.out_of_evaluations) break;
      if (code != GSL_SUCCESS) break;
      ++result.iterations;
      const double step = length(workspace->dx);
      if (before - value <= request.ftol_rel * before || step <= request.xtol_rel * next.norm()) {
        result.status = SolveStatus::converged;
        result.native_code = code;
        return result;
      }
      before = value;
    }
    result.native_code = code;
    if (data.out_of_time)
      result.status = SolveStatus::max_time;
    else if (data.out_of_evaluations)
      result.status = SolveStatus::max_evaluations;
    else if (code == GSL_ENOPROG) {  // no step that it tried, however short, improved the objective
      result.status = SolveStatus::stalled;
      result.reason = "GSL: no further progress";
    } else {
      result.message = std::string("GSL: ") + gsl_strerror(code);
    }
    return result;
  }

 private:
  static double length(const gsl_vector* v) {
    double sum = 0.0;
    for (std::size_t i = 0; i < v->size; ++i) sum += v->data[i] * v->data[i];
    return std::sqrt(sum);
  }
  static double squares(const gsl_multifit_nlinear_workspace* w) {
    const double norm = length(gsl_multifit_nlinear_residual(w));
    return norm * norm;
  }

  const gsl_multifit_nlinear_trs* trs_;
};

}  // namespace

std::unique_ptr<Solver> make_gsl_solver(const std::string& algorithm) {
  return std::make_unique<GslSolver>(algorithm);
}

}  // namespace nucreg
