// One step of Gauss-Newton on fixed-size normal equations, within a box, and the search that makes
// such steps. Plain arrays and loops: the compiler unrolls them, and translation takes a second
// where a matrix library takes twenty.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "nucreg/fit/normalization.hpp"
#include "nucreg/fit/objective.hpp"
#include "nucreg/solve/solver.hpp"

namespace nucreg::gauss_newton {

template <int P>
using Vector = std::array<double, P>;
template <int P>
using Matrix = std::array<Vector<P>, P>;  // symmetric

template <int P>
Vector<P> vector_of(const Params& params) {
  Vector<P> out;
  std::copy_n(params.data(), P, out.begin());
  return out;
}

template <int P>
Params params_of(const Vector<P>& vector) {
  return Eigen::Map<const Eigen::Matrix<double, P, 1>>(vector.data());
}

template <int P>
double dot(const Vector<P>& a, const Vector<P>& b) {
  double sum = 0.0;
  for (int i = 0; i < P; ++i) sum += a[i] * b[i];
  return sum;
}

/// Solves h x = b for h without negative curvature, by L D L^T in the order of the parameters. A
/// pivot that rounding has eaten up takes no part: that parameter stays.
template <int P>
Vector<P> solve(Matrix<P> h, Vector<P> b) {
  Vector<P> inverse;
  for (int j = 0; j < P; ++j) {
    const double diagonal = h[j][j];
    for (int k = 0; k < j; ++k) h[j][j] -= h[j][k] * h[j][k] * inverse[k];
    const bool gone = !(h[j][j] > P * std::numeric_limits<double>::epsilon() * diagonal);
    inverse[j] = gone ? 0.0 : 1.0 / h[j][j];
    // Below the diagonal: L D.
    for (int i = j + 1; i < P; ++i)
      for (int k = 0; k < j; ++k) h[i][j] -= h[i][k] * h[j][k] * inverse[k];
  }
  for (int i = 0; i < P; ++i)
    for (int k = 0; k < i; ++k) b[i] -= h[i][k] * inverse[k] * b[k];
  for (int i = 0; i < P; ++i) b[i] *= inverse[i];
  for (int i = P - 1; i >= 0; --i)
    for (int k = i + 1; k < P; ++k) b[i] -= h[k][i] * inverse[i] * b[k];
  return b;
}

/// The quadratic model of an objective at x: gradient and Gauss-Newton matrix.
template <int P>
struct Quadratic {
  Vector<P> gradient;
  Matrix<P> hessian;

  explicit Quadratic(const NormalEquations& n) : gradient(vector_of<P>(n.gradient)) {
    for (int i = 0; i < P; ++i)
      for (int j = 0; j < P; ++j) hessian[i][j] = n.hessian(i, j);
  }
  /// How far the objective falls, by the model, when x moves so.
  [[nodiscard]] double predicted(const Vector<P>& moved) const {
    double sum = 0.0;
    for (int i = 0; i < P; ++i) sum -= moved[i] * (gradient[i] + 0.5 * dot<P>(hessian[i], moved));
    return sum;
  }
};

/// Makes parameter i of the system h move = -g take the value `move`.
template <int P>
void fix(int i, double move, Vector<P>& g, Matrix<P>& h) {
  for (int k = 0; k < P; ++k) {
    g[k] += h[k][i] * move;
    h[i][k] = h[k][i] = 0.0;
  }
  h[i][i] = 1.0;
  g[i] = -move;
}

/// The damped step from x, on Marquardt's diagonal scaling. Parameters held by a bound do not move;
/// one that the step would take beyond its bound (`cut`) goes as far as that, and the others
/// follow.
template <int P>
Vector<P> step(const Quadratic<P>& model, const Vector<P>& x, const Vector<P>& lower,
               const Vector<P>& upper, double damping, bool& cut) {
  Vector<P> g = model.gradient;
  Matrix<P> h = model.hessian;
  double largest = 0.0;
  for (int i = 0; i < P; ++i) largest = std::max(largest, h[i][i]);
  const double floor =
      std::numeric_limits<double>::epsilon() * largest + std::numeric_limits<double>::min();
  std::array<bool, P> fixed{};
  for (int i = 0; i < P; ++i) {
    const bool held = (x[i] <= lower[i] && g[i] > 0.0) || (x[i] >= upper[i] && g[i] < 0.0);
    h[i][i] += damping * std::max(h[i][i], floor);
    if (held) fix<P>(i, 0.0, g, h);
  }
  const auto solved = [&] {
    Vector<P> negative;
    for (int i = 0; i < P; ++i) negative[i] = -g[i];
    return solve<P>(h, negative);
  };
  Vector<P> move = solved();
  for (int round = 0; round < P; ++round) {
    bool again = false;
    for (int i = 0; i < P; ++i) {
      const double target = x[i] + move[i];
      const double within = std::clamp(target, lower[i], upper[i]);
      if (fixed[i] || within == target) continue;
      fixed[i] = true;
      fix<P>(i, within - x[i], g, h);
      cut = again = true;
    }
    if (!again) break;
    move = solved();
  }
  return move;
}

}  // namespace nucreg::gauss_newton

namespace nucreg {

/// The search of kind "lm", for solvers that end with it: Levenberg-Marquardt on fixed-size normal
/// equations. Allocates nothing.
[[nodiscard]] SolveResult minimize_by_lm(Objective& objective, const SolveRequest& request);

}  // namespace nucreg
