#include "nucreg/mosaic/global_fit.hpp"

#include <Eigen/SparseCholesky>
#include <Eigen/SparseCore>
#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <utility>

#include "nucreg/fit/loss.hpp"

namespace nucreg::mosaic {
namespace {

using Sparse = Eigen::SparseMatrix<double>;
using Vector = Eigen::VectorXd;

std::span<const double> span_of(const Vector& v) {
  return {v.data(), static_cast<std::size_t>(v.size())};
}

Sparse jacobian_of(const GlobalFit& fit) {
  std::vector<std::uint32_t> rows, columns;
  std::vector<double> values;
  fit.jacobian(rows, columns, values);
  std::vector<Eigen::Triplet<double>> entries;
  for (std::size_t i = 0; i < values.size(); ++i)
    entries.emplace_back(static_cast<int>(rows[i]), static_cast<int>(columns[i]), values[i]);
  const std::size_t count = 2 * (fit.observations.size() + fit.priors.size()) + 2;
  Sparse jacobian(static_cast<Eigen::Index>(count), static_cast<Eigen::Index>(fit.unknowns()));
  jacobian.setFromTriplets(entries.begin(), entries.end());
  return jacobian;
}

// For each residual what the robust loss leaves of its square. Priors are squared.
Vector weights_of(const GlobalFit& fit, const Vector& residuals) {
  Vector weights = Vector::Ones(residuals.size());
  for (std::size_t o = 0; o < fit.observations.size(); ++o) {
    const auto at = static_cast<Eigen::Index>(2 * o);
    const double squared = residuals[at] * residuals[at] + residuals[at + 1] * residuals[at + 1];
    weights[at] = weights[at + 1] = evaluate_loss(fit.loss, squared, fit.loss_scale).first;
  }
  return weights;
}

// Counts what a solver asks for.
class Counted {
 public:
  Counted(const GlobalFit& fit, const SolverLimits& limits, SolverRun& run)
      : fit_(fit), limits_(limits), run_(run) {}

  double objective(const Vector& at) {
    ++run_.evaluations;
    return fit_.objective(span_of(at), nullptr);
  }
  double objective(const Vector& at, Vector& gradient) {
    ++run_.evaluations;
    ++run_.gradients;
    const double value = fit_.objective(span_of(at), &gradient_);
    gradient = Eigen::Map<const Vector>(gradient_.data(), at.size());
    return value;
  }
  [[nodiscard]] bool out_of_limits() const {
    return run_.evaluations >= limits_.max_evaluations || (limits_.stop && limits_.stop());
  }

 private:
  const GlobalFit& fit_;
  const SolverLimits& limits_;
  SolverRun& run_;
  std::vector<double> gradient_;
};

// The value and slope of the objective along a line.
struct LinePoint {
  double step = 0.0, value = 0.0, slope = 0.0;
};

// Finds a step that meets the strong Wolfe conditions. `at` and `gradient` become those there.
class LineSearch {
 public:
  LineSearch(Counted& counted, const Vector& from, const Vector& direction)
      : counted_(counted), from_(from), direction_(direction) {}

  // Whether the objective fell.
  bool find(LinePoint zero, double first_step, Vector& at, Vector& gradient) {
    LinePoint before = zero;
    LinePoint now = look(first_step, at, gradient);
    constexpr int max_looks = 40;
    for (int i = 0; i < max_looks && !counted_.out_of_limits(); ++i) {
      if (!(now.value <= zero.value + decrease * now.step * zero.slope) ||
          (i > 0 && now.value >= before.value))
        return zoom(zero, before, now, at, gradient);
      if (std::abs(now.slope) <= -curvature * zero.slope) return true;
      if (now.slope >= 0.0) return zoom(zero, now, before, at, gradient);
      before = now;
      now = look(2.0 * now.step, at, gradient);
    }
    return now.value < zero.value;
  }
  /// The objective at the last point that was looked at, where `at` is.
  [[nodiscard]] double value() const { return value_; }

 private:
  static constexpr double decrease = 1e-4, curvature = 0.9;

  LinePoint look(double step, Vector& at, Vector& gradient) {
    at = from_ + step * direction_;
    value_ = counted_.objective(at, gradient);
    return {step, value_, gradient.dot(direction_)};
  }
  // The minimum of the cubic through both points, well within them.
  static double between(const LinePoint& low, const LinePoint& high) {
    const double d1 =
        low.slope + high.slope - 3.0 * (low.value - high.value) / (low.step - high.step);
    const double root = d1 * d1 - low.slope * high.slope;
    const double d2 = std::copysign(std::sqrt(std::max(0.0, root)), high.step - low.step);
    const double step = high.step - (high.step - low.step) * (high.slope + d2 - d1) /
                                        (high.slope - low.slope + 2.0 * d2);
    const double width = high.step - low.step;
    const double part = (step - low.step) / width;
    return part > 0.1 && part < 0.9 ? step : low.step + 0.5 * width;
  }
  bool zoom(const LinePoint& zero, LinePoint low, LinePoint high, Vector& at, Vector& gradient) {
    constexpr int max_looks = 30;
    for (int i = 0; i < max_looks && !counted_.out_of_limits(); ++i) {
      const LinePoint now = look(between(low, high), at, gradient);
      if (!(now.value <= zero.value + decrease * now.step * zero.slope) || now.value >= low.value) {
        high = now;
      } else {
        if (std::abs(now.slope) <= -curvature * zero.slope) return true;
        if (now.slope * (high.step - low.step) >= 0.0) high = low;
        low = now;
      }
    }
    return low.step > 0.0 && look(low.step, at, gradient).value < zero.value;
  }

  Counted& counted_;
  const Vector &from_, &direction_;
  double value_ = 0.0;
};

// Minus the inverse Hessian times the gradient, from the last steps.
class Corrections {
 public:
  void add(const Vector& step, const Vector& change) {
    const double product = step.dot(change);
    if (!(product > 1e-14 * step.norm() * change.norm())) return;  // keeps it positive definite
    if (pairs_.size() == max_pairs) pairs_.pop_front();
    pairs_.push_back({step, change, 1.0 / product});
  }
  void clear() { pairs_.clear(); }
  [[nodiscard]] bool empty() const { return pairs_.empty(); }
  /// inverse: of SolverLimits.
  template <class Inverse>
  [[nodiscard]] Vector direction(const Vector& gradient, const Inverse& inverse) const {
    Vector q = -gradient;
    std::vector<double> alpha(pairs_.size());
    for (std::size_t i = pairs_.size(); i-- > 0;) {
      alpha[i] = pairs_[i].rho * pairs_[i].step.dot(q);
      q -= alpha[i] * pairs_[i].change;
    }
    if (inverse) {
      const std::vector<double> solved = inverse(span_of(q));
      q = Eigen::Map<const Vector>(solved.data(), q.size());
    } else if (!pairs_.empty()) {
      q *= 1.0 / (pairs_.back().rho * pairs_.back().change.squaredNorm());
    }
    for (std::size_t i = 0; i < pairs_.size(); ++i)
      q += (alpha[i] - pairs_[i].rho * pairs_[i].change.dot(q)) * pairs_[i].step;
    return q;
  }

 private:
  static constexpr std::size_t max_pairs = 10;
  struct Pair {
    Vector step, change;
    double rho;
  };
  std::deque<Pair> pairs_;
};

SolverRun finished(SolverRun run, const Vector& at, double objective) {
  run.unknowns.assign(at.data(), at.data() + at.size());
  run.objective = objective;
  return run;
}

bool is_small(double before, double after, double ftol_rel) {
  return before - after <= ftol_rel * std::max(std::abs(after), std::numeric_limits<double>::min());
}

}  // namespace

SolverRun levenberg_marquardt(const GlobalFit& fit, std::span<const double> start,
                              const SolverLimits& limits) {
  SolverRun run;
  Counted counted(fit, limits, run);
  const Sparse jacobian = jacobian_of(fit);
  Vector at = Eigen::Map<const Vector>(start.data(), static_cast<Eigen::Index>(start.size()));
  double value = counted.objective(at);
  Eigen::SimplicialLDLT<Sparse> factor;
  double damping = 1e-6, growth = 2.0;
  bool analysed = false;
  while (!run.converged && !counted.out_of_limits()) {
    ++run.iterations;
    ++run.gradients;
    const std::vector<double> list = fit.residuals(span_of(at));
    const Vector residuals =
        Eigen::Map<const Vector>(list.data(), static_cast<Eigen::Index>(list.size()));
    const Vector weights = weights_of(fit, residuals);
    const Sparse normal = jacobian.transpose() * weights.asDiagonal() * jacobian;
    const Vector rhs = -(jacobian.transpose() * weights.cwiseProduct(residuals));
    while (!counted.out_of_limits()) {
      Sparse damped = normal;
      for (Eigen::Index i = 0; i < damped.rows(); ++i)
        damped.coeffRef(i, i) += damping * std::max(normal.coeff(i, i), 1e-12);
      if (!std::exchange(analysed, true)) factor.analyzePattern(damped);
      factor.factorize(damped);
      const Vector step = factor.solve(rhs);
      const Vector next = at + step;
      const double there = counted.objective(next);
      const double expected = 0.5 * step.dot(damping * normal.diagonal().cwiseProduct(step) + rhs);
      if (there < value) {
        const double ratio = expected > 0.0 ? (value - there) / expected : 1.0;
        damping *= std::max(1.0 / 3.0, 1.0 - std::pow(2.0 * ratio - 1.0, 3.0));
        growth = 2.0;
        run.converged = is_small(value, there, limits.ftol_rel);
        at = next;
        value = there;
        break;
      }
      if (is_small(value + expected, value, limits.ftol_rel) || damping > 1e12) {
        run.converged = true;  // not even the model expects more
        break;
      }
      damping *= growth;
      growth *= 2.0;
    }
  }
  return finished(std::move(run), at, value);
}

SolverRun lbfgs(const GlobalFit& fit, std::span<const double> start, const SolverLimits& limits) {
  SolverRun run;
  Counted counted(fit, limits, run);
  Vector at = Eigen::Map<const Vector>(start.data(), static_cast<Eigen::Index>(start.size()));
  Vector gradient, next, next_gradient;
  double value = counted.objective(at, gradient);
  Corrections corrections;
  while (!run.converged && !counted.out_of_limits()) {
    ++run.iterations;
    Vector direction = corrections.direction(gradient, limits.inverse);
    double slope = direction.dot(gradient);
    bool steepest = corrections.empty() && !limits.inverse;  // of unknown length
    if (!(slope < 0.0)) {
      corrections.clear();
      steepest = true;
      direction = -gradient;
      slope = -gradient.squaredNorm();
      if (!(slope < 0.0)) {
        run.converged = true;
        break;
      }
    }
    const double first = steepest ? 1.0 / std::sqrt(-slope) : 1.0;
    LineSearch search(counted, at, direction);
    if (!search.find({0.0, value, slope}, first, next, next_gradient)) {
      if (corrections.empty()) {
        run.converged = !counted.out_of_limits();
        break;
      }
      corrections.clear();  // once more, along the steepest descent
      continue;
    }
    const double there = search.value();
    corrections.add(next - at, next_gradient - gradient);
    run.converged = is_small(value, there, limits.ftol_rel);
    std::swap(at, next);
    std::swap(gradient, next_gradient);
    value = there;
  }
  return finished(std::move(run), at, value);
}

}  // namespace nucreg::mosaic
