#include "nucreg/solve/certificate.hpp"

#include <Eigen/QR>
#include <Eigen/SVD>
#include <algorithm>
#include <cmath>

#include "gauss_newton.hpp"
#include "nucreg/fit/loss.hpp"

namespace nucreg {
namespace {

constexpr double stationary = 1e-6;
// Normal equations square the condition of the problem: below this pivot, relative to its diagonal,
// their digits are doubtful and the points are asked themselves.
constexpr double doubtful_pivot = 1e-8;
// Singular values of the columns of unit length; rounding of the coordinates makes some 1e-15.
constexpr double min_singular = 1e-13;

// The smallest pivot of L D L^T relative to the diagonal that it began with.
double smallest_pivot(const NormalEquations& n) {
  auto h = n.hessian;
  const Eigen::Index count = h.rows();
  double smallest = 1.0;
  for (Eigen::Index j = 0; j < count; ++j) {
    const double diagonal = h(j, j);
    for (Eigen::Index k = 0; k < j; ++k) h(j, j) -= h(j, k) * h(j, k) / h(k, k);
    smallest = std::min(smallest, diagonal > 0.0 ? h(j, j) / diagonal : 0.0);
    if (!(smallest > doubtful_pivot)) return smallest;
    for (Eigen::Index i = j + 1; i < count; ++i)
      for (Eigen::Index k = 0; k < j; ++k) h(i, j) -= h(i, k) * h(j, k) / h(k, k);
  }
  return smallest;
}

// The triangle R of the QR decomposition of the weighted Jacobian with the weighted residuals as
// its last column, a block of points at a time.
Eigen::MatrixXd triangle_of(const Objective& f, const Params& p) {
  constexpr std::size_t block = 128;
  const MapEntries map = map_entries(f.model(), p, f.magnification(), true, f.form());
  const auto& m = map.entries;
  const Eigen::Index count = p.size(), columns = count + 1, entries = map.derivative.rows();
  const PairsView& pairs = f.pairs();
  Eigen::MatrixXd triangle = Eigen::MatrixXd::Zero(columns, columns);
  Eigen::MatrixXd by_entries(2, entries);
  for (std::size_t begin = 0; begin < pairs.size; begin += block) {
    const std::size_t end = std::min(begin + block, pairs.size);
    Eigen::MatrixXd rows(columns + 2 * static_cast<Eigen::Index>(end - begin), columns);
    rows.topRows(columns) = triangle;
    for (std::size_t i = begin; i < end; ++i) {
      const double x = pairs.x10[i], y = pairs.y10[i];
      const double inverse = map.projective ? 1.0 / (m[6] * x + m[7] * y + 1.0) : 1.0;
      const double mapped_x = (m[0] * x + m[1] * y + m[2]) * inverse;
      const double mapped_y = (m[3] * x + m[4] * y + m[5]) * inverse;
      const double rx = mapped_x - pairs.x40[i], ry = mapped_y - pairs.y40[i];
      by_entries.setZero();
      by_entries.row(0).head(3) << x * inverse, y * inverse, inverse;
      by_entries.row(1).segment(3, 3) << x * inverse, y * inverse, inverse;
      if (map.projective) {
        by_entries.row(0).tail(2) << -mapped_x * x * inverse, -mapped_x * y * inverse;
        by_entries.row(1).tail(2) << -mapped_y * x * inverse, -mapped_y * y * inverse;
      }
      const double root =
          std::sqrt(f.weight() * evaluate_loss(f.loss(), rx * rx + ry * ry, f.loss_scale()).first);
      const Eigen::Index row = columns + 2 * static_cast<Eigen::Index>(i - begin);
      rows.block(row, 0, 2, count) = root * by_entries * map.derivative;
      rows(row, count) = root * rx;
      rows(row + 1, count) = root * ry;
    }
    triangle = Eigen::HouseholderQR<Eigen::MatrixXd>(rows)
                   .matrixQR()
                   .topRows(columns)
                   .triangularView<Eigen::Upper>();
  }
  return triangle;
}

struct FromPoints {
  Eigen::Index rank = 0;
  double gain = 0.0;
};

// Rank of the weighted Jacobian, and what the least-squares step gains, without the parameters that
// a bound holds. A step of NaN stays one.
FromPoints from_points(const Objective& f, const Params& p, const std::array<bool, 8>& held) {
  Eigen::MatrixXd triangle = triangle_of(f, p);
  const Eigen::Index count = p.size();
  Eigen::MatrixXd columns = triangle.leftCols(count);
  for (Eigen::Index i = 0; i < count; ++i) {
    const double length = held[static_cast<std::size_t>(i)] ? 0.0 : columns.col(i).norm();
    columns.col(i) *= length > 0.0 ? 1.0 / length : 0.0;
  }
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(columns, Eigen::ComputeFullU);
  const Eigen::VectorXd along = svd.matrixU().transpose() * triangle.col(count);
  FromPoints out;
  for (Eigen::Index i = 0; i < count; ++i)
    if (svd.singularValues()[i] > min_singular) {
      ++out.rank;
      out.gain += along[i] * along[i];
    }
  return out;
}

bool finite(const NormalEquations& n) {
  return std::isfinite(n.value) && n.gradient.allFinite() && n.hessian.allFinite();
}

template <int P>
double predicted_gain(const NormalEquations& n, const Params& p, const Box& box) {
  const gauss_newton::Quadratic<P> model(n);
  const auto x = gauss_newton::vector_of<P>(p);
  const auto lower = gauss_newton::vector_of<P>(box.lower);
  const auto upper = gauss_newton::vector_of<P>(box.upper);
  bool cut = false;
  auto moved = gauss_newton::step<P>(model, x, lower, upper, 0.0, cut);
  for (int i = 0; i < P; ++i)
    moved[i] = std::min(std::max(x[i] + moved[i], lower[i]), upper[i]) - x[i];
  return std::max(0.0, model.predicted(moved));
}

double predicted_gain(const NormalEquations& n, const Params& p, const Box& box) {
  switch (p.size()) {
    case 3:
      return predicted_gain<3>(n, p, box);
    case 4:
      return predicted_gain<4>(n, p, box);
    case 5:
      return predicted_gain<5>(n, p, box);
    case 6:
      return predicted_gain<6>(n, p, box);
    default:
      return predicted_gain<8>(n, p, box);
  }
}

}  // namespace

bool determines_map(const ScaledFit& fit, Model model) {
  // At the map that leaves the points where they are, in coordinates in which they are centred.
  const PairsView& pairs = fit.pairs();
  if (2 * pairs.size < parameter_count(model)) return false;
  PairsView same = pairs;
  same.x40 = same.x10;
  same.y40 = same.y10;
  const ScaledFit centred(same, {.model = model, .loss = Loss::squared, .magnification = 1.0});
  Params unmoved(5);
  unmoved << 0.0, 0.0, 0.0, 1.0, 1.0;
  const Params p = centred.from_px(convert({Model::trs, unmoved, 1.0}, model, 1.0)->params);
  Objective objective = centred.objective();
  NormalEquations n;
  objective.normal_equations(p, n);
  if (!finite(n)) return true;  // other numbers are the trouble
  if (smallest_pivot(n) > doubtful_pivot) return true;
  return from_points(objective, p, {}).rank == p.size();
}

Certificate certify(const ScaledFit& fit, const Params& params, double rounding_floor_px2) {
  Objective objective = fit.objective();
  NormalEquations n;
  objective.normal_equations(params, n);
  Certificate out;
  if (!finite(n)) {
    out.stationarity = std::nan("");
    return out;
  }
  double gain = 0.0;
  if (smallest_pivot(n) > doubtful_pivot) {
    gain = predicted_gain(n, params, fit.box());
  } else {
    std::array<bool, 8> held{};
    Eigen::Index free = 0;
    for (Eigen::Index i = 0; i < params.size(); ++i) {
      const Box& box = fit.box();
      const bool kept = (params[i] <= box.lower[i] && n.gradient[i] > 0.0) ||
                        (params[i] >= box.upper[i] && n.gradient[i] < 0.0);
      held[static_cast<std::size_t>(i)] = kept;
      free += !kept;
    }
    const FromPoints step = from_points(objective, params, held);
    gain = step.gain;
    out.weighted = step.rank == free;
    out.any_weight = n.hessian.diagonal().maxCoeff() > 0.0;
  }
  const double weight = objective.weight();
  const double floor =
      rounding_floor_px2 / fit.px2_per_unit() +
      weight * loss_rounding(objective.loss(), objective.loss_scale(),
                             static_cast<double>(fit.pairs().size), n.value / weight);
  out.stationarity = gain <= floor ? 0.0 : gain / std::max(n.value, floor);
  return out;
}

void judge(const Certificate& certificate, double ftol_rel, SolveResult& result) {
  if (result.status == SolveStatus::stalled && certificate.weighted &&
      certificate.stationarity <= ftol_rel) {
    result.status = SolveStatus::converged;
    return;
  }
  const char* reason = nullptr;
  // On a plateau some solvers notice that they cannot move: the reason is the same.
  if (!certificate.any_weight &&
      (result.status == SolveStatus::converged || result.status == SolveStatus::stalled))
    reason = "no pair is within loss_scale_px of its partner: the loss is flat there";
  else if (result.status != SolveStatus::converged)
    return;
  else if (!certificate.weighted)
    reason = "the pairs that the loss gives weight to do not determine the map there";
  else if (!(certificate.stationarity <= std::max(stationary, ftol_rel)))
    reason = "the solver met its own tolerance, but a Gauss-Newton step would still gain";
  if (!reason) return;
  result.status = SolveStatus::stalled;
  result.message = reason;  // before what else was noticed
}

}  // namespace nucreg
