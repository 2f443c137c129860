#include "nucreg/fit/objective.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <stdexcept>

#include "nucreg/fit/kernels.hpp"
#include "nucreg/fit/loss.hpp"
#include "nucreg/fit/pair_rows.hpp"

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

// Derivatives of the residuals of a pair, which become those of the scaled residuals.
template <std::size_t columns>
void scale_rows(std::array<double, columns>& x, std::array<double, columns>& y,
                const Scaling& scaling, double rx, double ry) {
  const double c = 2.0 * scaling.derivative;
  for (std::size_t k = 0; k < columns; ++k) {
    const double along = c * (rx * x[k] + ry * y[k]);
    x[k] = scaling.value * x[k] + along * rx;
    y[k] = scaling.value * y[k] + along * ry;
  }
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

void Objective::residuals(const Params& p, Eigen::Ref<Eigen::VectorXd> out) {
  ++function_evaluations_;
  points_since_clock_ += pairs_.size;
  const MapEntries map = map_entries(model_, p, magnification_, false, form_);
  const double root_weight = std::sqrt(weight_);
  double* to = out.data();
  for (std::size_t i = 0; i < pairs_.size; ++i, to += 2) {
    const Mapped at = mapped(map, pairs_.x10[i], pairs_.y10[i]);
    const double rx = at.x - pairs_.x40[i], ry = at.y - pairs_.y40[i];
    const double scale =
        root_weight * residual_scaling(loss_, rx * rx + ry * ry, loss_scale_).value;
    to[0] = scale * rx;
    to[1] = scale * ry;
  }
  if (trace_) trace_->add(function_evaluations_, out.squaredNorm());
}

void Objective::jacobian(const Params& p, MatrixRef out) {
  ++jacobian_evaluations_;
  points_since_clock_ += pairs_.size;
  const MapEntries map = map_entries(model_, p, magnification_, true, form_);
  const double root_weight = std::sqrt(weight_);
  with_columns(p.size(), [&](auto columns) {
    const PairRows<columns> rows(map);
    std::array<double, columns> x, y;
    double* to = out.data();
    const Eigen::Index row = out.innerStride(), column = out.outerStride();
    for (std::size_t i = 0; i < pairs_.size; ++i, to += 2 * row) {
      const Mapped at = mapped(map, pairs_.x10[i], pairs_.y10[i]);
      rows.write(pairs_.x10[i], pairs_.y10[i], at, x.data(), y.data());
      if (loss_ != Loss::squared) {
        const double rx = at.x - pairs_.x40[i], ry = at.y - pairs_.y40[i];
        scale_rows(x, y, residual_scaling(loss_, rx * rx + ry * ry, loss_scale_), rx, ry);
      }
      for (std::size_t k = 0; k < columns; ++k) {
        const Eigen::Index at_column = static_cast<Eigen::Index>(k) * column;
        to[at_column] = root_weight * x[k];
        to[row + at_column] = root_weight * y[k];
      }
    }
  });
}

WeightedSums Objective::weighted(const AffineMap& map, const WeightRule& rule) {
  ++function_evaluations_;
  ++jacobian_evaluations_;
  points_since_clock_ += pairs_.size;
  const WeightedSums out = weighted_pass(pairs_, map, rule);
  if (!std::isfinite(out.rho) && first_not_finite_.evaluation == 0)
    first_not_finite_ = {function_evaluations_, out.rho};
  return out;
}

bool Objective::out_of_time() {
  if (time_used_ < time_part_ && points_since_clock_ >= points_per_clock && clock_) {
    points_since_clock_ = 0;
    time_used_ = clock_();
  }
  return time_used_ >= time_part_;
}

}  // namespace nucreg
