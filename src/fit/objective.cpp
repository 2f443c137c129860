#include "nucreg/fit/objective.hpp"

#include <cmath>
#include <stdexcept>

#include "nucreg/fit/kernels.hpp"
#include "nucreg/fit/loss.hpp"

namespace nucreg {
namespace {

constexpr std::uint64_t points_per_clock = 20000;
constexpr std::uint64_t points_per_moments = 50;  // that take as long as the moments do

// Derivatives by the entries of the map become those by the parameters. Plain loops: matrices of
// so few numbers cost more in a library's dispatch than in arithmetic.
void chain(const MapEntries& m, const PassSums& sums, double factor, Params& gradient) {
  const Eigen::Index count = m.derivative.cols();
  gradient.resize(count);
  if (m.derivative.rows() == count) {  // affine, projective: the entries are the parameters
    for (Eigen::Index i = 0; i < count; ++i)
      gradient[i] = factor * sums.gradient[static_cast<std::size_t>(i)];
    return;
  }
  for (Eigen::Index i = 0; i < count; ++i) {
    double sum = 0.0;
    for (Eigen::Index k = 0; k < 6; ++k)
      sum += m.derivative(k, i) * sums.gradient[static_cast<std::size_t>(k)];
    gradient[i] = factor * sum;
  }
}

void chain(const MapEntries& m, const PassSums& sums, double factor, NormalEquations& out) {
  chain(m, sums, factor, out.gradient);
  const Eigen::Index count = m.derivative.cols();
  out.hessian.resize(count, count);
  if (m.derivative.rows() == count) {
    for (Eigen::Index j = 0; j < count; ++j)
      for (Eigen::Index i = 0; i < count; ++i)
        out.hessian(i, j) =
            factor * sums.normal[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
    return;
  }
  // The two rows of an affine map share no sums: the matrix of the entries is two blocks of three.
  for (Eigen::Index j = 0; j < count; ++j) {
    double column[6];
    for (std::size_t k = 0; k < 6; ++k) {
      const std::size_t block = k / 3 * 3;
      column[k] = 0.0;
      for (std::size_t l = block; l < block + 3; ++l)
        column[k] += sums.normal[k][l] * m.derivative(static_cast<Eigen::Index>(l), j);
    }
    for (Eigen::Index i = 0; i <= j; ++i) {
      double sum = 0.0;
      for (Eigen::Index k = 0; k < 6; ++k) sum += m.derivative(k, i) * column[k];
      out.hessian(i, j) = out.hessian(j, i) = factor * sum;
    }
  }
}

// sqrt(rho(s) / s) and its derivative by s. Towards s = 0 both by their limits.
struct Scaling {
  double value, derivative;
};

Scaling residual_scaling(Loss loss, double s, double d) {
  if (loss == Loss::squared) return {1.0, 0.0};
  const LossValue l = evaluate_loss(loss, s, d);
  if (s < 1e-12 * d * d) return {1.0, 0.25 * l.second};
  const double value = std::sqrt(l.rho / s);
  return {value, (l.first - l.rho / s) / (2.0 * value * s)};
}

}  // namespace

Objective::Objective(const PairsView& pairs, Model model, Loss loss, double loss_scale,
                     double magnification, double weight, PassThreads* threads, ShiftForm form)
    : pairs_(pairs),
      model_(model),
      loss_(loss),
      loss_scale_(loss_scale),
      magnification_(magnification),
      weight_(weight),
      threads_(threads),
      form_(form) {}

void Objective::use_moments() {
  if (!has_moments(model_, loss_))
    throw std::logic_error("moments hold no other loss than squared, and no projective map");
  moments_.emplace(pairs_, threads_);
  points_since_clock_ += 2 * pairs_.size;
}

Eigen::Index Objective::parameters() const {
  return static_cast<Eigen::Index>(parameter_count(model_));
}

Eigen::Index Objective::residual_count() const {
  return 2 * static_cast<Eigen::Index>(pairs_.size);
}

double Objective::evaluated(double value) {
  if (!std::isfinite(value) && first_not_finite_.evaluation == 0)
    first_not_finite_ = {function_evaluations_, value};
  if (trace_) trace_->add(function_evaluations_, value);
  return value;
}

PassSums Objective::sums(const MapEntries& map, PassLevel level) {
  points_since_clock_ += moments_ ? points_per_moments : pairs_.size;
  if (moments_) return moments_->sums(map.entries.data(), level);
  return pass_over_points(pairs_, map.entries.data(), map.projective, loss_, loss_scale_, level,
                          threads_);
}

double Objective::value(const Params& p) {
  ++function_evaluations_;
  const MapEntries m = map_entries(model_, p, magnification_, false, form_);
  return evaluated(weight_ * sums(m, PassLevel::value).value);
}

double Objective::value_and_gradient(const Params& p, Params& gradient) {
  ++function_evaluations_;
  ++jacobian_evaluations_;
  const MapEntries m = map_entries(model_, p, magnification_, true, form_);
  const PassSums sum = sums(m, PassLevel::gradient);
  chain(m, sum, 2.0 * weight_, gradient);
  return evaluated(weight_ * sum.value);
}

void Objective::normal_equations(const Params& p, NormalEquations& out) {
  ++function_evaluations_;
  ++jacobian_evaluations_;
  const MapEntries m = map_entries(model_, p, magnification_, true, form_);
  const PassSums sum = sums(m, PassLevel::normal);
  out.value = evaluated(weight_ * sum.value);
  chain(m, sum, 2.0 * weight_, out);
}

void Objective::residuals(const Params& p, Eigen::VectorXd& out) {
  ++function_evaluations_;
  points_since_clock_ += pairs_.size;
  const MapEntries map = map_entries(model_, p, magnification_, false, form_);
  const auto& m = map.entries;
  const double root_weight = std::sqrt(weight_);
  for (std::size_t i = 0; i < pairs_.size; ++i) {
    const double x = pairs_.x10[i], y = pairs_.y10[i];
    const double inverse = map.projective ? 1.0 / (m[6] * x + m[7] * y + 1.0) : 1.0;
    const double rx = (m[0] * x + m[1] * y + m[2]) * inverse - pairs_.x40[i];
    const double ry = (m[3] * x + m[4] * y + m[5]) * inverse - pairs_.y40[i];
    const double scale =
        root_weight * residual_scaling(loss_, rx * rx + ry * ry, loss_scale_).value;
    out[static_cast<Eigen::Index>(2 * i)] = scale * rx;
    out[static_cast<Eigen::Index>(2 * i + 1)] = scale * ry;
  }
  if (trace_) trace_->add(function_evaluations_, out.squaredNorm());
}

void Objective::jacobian(const Params& p, Eigen::MatrixXd& out) {
  ++jacobian_evaluations_;
  points_since_clock_ += pairs_.size;
  const MapEntries map = map_entries(model_, p, magnification_, true, form_);
  const auto& m = map.entries;
  const double root_weight = std::sqrt(weight_);
  const Eigen::Index entries = map.derivative.rows();
  Eigen::Matrix<double, 2, Eigen::Dynamic, Eigen::ColMajor, 2, 8> by_entries(2, entries);
  Eigen::Matrix<double, 2, Eigen::Dynamic, Eigen::ColMajor, 2, 8> rows(2, p.size());
  for (std::size_t i = 0; i < pairs_.size; ++i) {
    const double x = pairs_.x10[i], y = pairs_.y10[i];
    const double inverse = map.projective ? 1.0 / (m[6] * x + m[7] * y + 1.0) : 1.0;
    const double mapped_x = (m[0] * x + m[1] * y + m[2]) * inverse;
    const double mapped_y = (m[3] * x + m[4] * y + m[5]) * inverse;
    const double qx = x * inverse, qy = y * inverse;
    by_entries.setZero();
    by_entries.row(0).head(3) << qx, qy, inverse;
    by_entries.row(1).segment(3, 3) << qx, qy, inverse;
    if (map.projective) {
      by_entries.row(0).tail(2) << -mapped_x * qx, -mapped_x * qy;
      by_entries.row(1).tail(2) << -mapped_y * qx, -mapped_y * qy;
      rows = by_entries;
    } else {
      rows.noalias() = by_entries * map.derivative;
    }
    if (loss_ != Loss::squared) {
      const Eigen::Vector2d r(mapped_x - pairs_.x40[i], mapped_y - pairs_.y40[i]);
      const Scaling scaling = residual_scaling(loss_, r.squaredNorm(), loss_scale_);
      const Eigen::Matrix2d turn = scaling.value * Eigen::Matrix2d::Identity() +
                                   2.0 * scaling.derivative * (r * r.transpose());
      rows = (turn * rows).eval();
    }
    out.middleRows(static_cast<Eigen::Index>(2 * i), 2) = root_weight * rows;
  }
}

WeightedSums Objective::weighted(const std::array<double, 6>& map, const WeightRule& rule) {
  ++function_evaluations_;
  ++jacobian_evaluations_;
  points_since_clock_ += pairs_.size;
  const WeightedSums out = weighted_pass(pairs_, map, rule);
  if (!std::isfinite(out.rho) && first_not_finite_.evaluation == 0)
    first_not_finite_ = {function_evaluations_, out.rho};
  return out;
}

bool Objective::out_of_time() {
  if (out_of_time_ || points_since_clock_ < points_per_clock || !clock_) return out_of_time_;
  points_since_clock_ = 0;
  return out_of_time_ = clock_();
}

}  // namespace nucreg
