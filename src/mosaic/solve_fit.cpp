// The sparse solver of the global fit.
#include <Eigen/Dense>
#include <Eigen/SparseCholesky>
#include <Eigen/SparseCore>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "fit_rows.hpp"
#include "nucreg/fit/loss.hpp"
#include "nucreg/mosaic/fit_solvers.hpp"

namespace nucreg::mosaic {
namespace {

using Sparse = Eigen::SparseMatrix<double, Eigen::ColMajor, std::int32_t>;
using Factor = Eigen::SimplicialLDLT<Sparse, Eigen::Lower, Eigen::AMDOrdering<std::int32_t>>;

constexpr double hold_um = 1e-3;
// Of what tukey's loss leaves out: else the matrix of a tile that it leaves out is singular.
constexpr double least_weight = 1e-9;

// The normal matrix of one axis over tiles and nodes: its pattern is made once,
// and each row knows where in the values its products go.
class Normal {
 public:
  explicit Normal(const GlobalFit& fit) : fit_(fit) {
    for (const Observation& o : fit.observations) {
      rows_.push_back(row_of(fit, o));
      terms_.push_back(shared_terms(fit, o));
    }
    make_pattern();
    for (const Row& r : rows_)
      for (std::size_t i = 0; i < r.size; ++i)
        for (std::size_t j = 0; j <= i; ++j) slots_.push_back(slot(r.unknown[i], r.unknown[j]));
    factor_.analyzePattern(matrix_);
  }

  [[nodiscard]] const Row& row(std::size_t o) const { return rows_[o]; }
  [[nodiscard]] const SharedTerms& terms(std::size_t o) const { return terms_[o]; }

  void factorise(std::span<const double> weight) {
    double* values = matrix_.valuePtr();
    std::fill(values, values + matrix_.nonZeros(), 0.0);
    std::size_t at = 0;
    for (std::size_t o = 0; o < rows_.size(); ++o) {
      const Row& r = rows_[o];
      for (std::size_t i = 0; i < r.size; ++i) {
        const double wi = weight[o] * r.coefficient[i];
        for (std::size_t j = 0; j <= i; ++j) values[slots_[at++]] += wi * r.coefficient[j];
      }
    }
    for (const PriorRow& p : fit_.priors)
      for (std::size_t i = 0; i < p.unknown.size(); ++i)
        for (std::size_t j = 0; j <= i; ++j)
          if (p.coefficient[i] != 0.0 && p.coefficient[j] != 0.0)
            values[slot(p.unknown[i], p.unknown[j])] += p.coefficient[i] * p.coefficient[j];
    factor_.factorize(matrix_);
    if (factor_.info() != Eigen::Success)
      throw std::runtime_error("the normal matrix of the global fit cannot be factored");
  }

  [[nodiscard]] const Factor& factor() const { return factor_; }

 private:
  void make_pattern() {
    const auto n = static_cast<std::int32_t>(fit_.shifts());
    std::vector<std::vector<std::uint32_t>> below(fit_.shifts());
    const auto touch = [&](std::uint32_t i, std::uint32_t j) {
      below[std::min(i, j)].push_back(std::max(i, j));
    };
    for (std::uint32_t i = 0; i < fit_.shifts(); ++i) touch(i, i);
    for (const Row& r : rows_)
      for (std::size_t i = 0; i < r.size; ++i)
        for (std::size_t j = 0; j < i && j < 2; ++j) touch(r.unknown[i], r.unknown[j]);
    touch_nodes(touch);
    for (const PriorRow& p : fit_.priors)
      for (std::size_t i = 0; i < p.unknown.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
          if (p.coefficient[i] != 0.0 && p.coefficient[j] != 0.0) touch(p.unknown[i], p.unknown[j]);
    std::vector<Eigen::Triplet<double, std::int32_t>> entries;
    for (std::uint32_t c = 0; c < fit_.shifts(); ++c) {
      std::ranges::sort(below[c]);
      below[c].erase(std::unique(below[c].begin(), below[c].end()), below[c].end());
      for (const std::uint32_t r : below[c])
        entries.emplace_back(static_cast<std::int32_t>(r), static_cast<std::int32_t>(c), 1.0);
    }
    matrix_.resize(n, n);
    matrix_.setFromTriplets(entries.begin(), entries.end());
    matrix_.makeCompressed();
  }

  // Nodes of one observation lie within three of each other.
  template <class Touch>
  void touch_nodes(const Touch& touch) const {
    const auto nx = static_cast<std::int64_t>(fit_.grid.nx),
               ny = static_cast<std::int64_t>(fit_.grid.ny);
    const auto first = static_cast<std::int64_t>(fit_.side.size());
    for (std::int64_t y = 0; y < ny; ++y)
      for (std::int64_t x = 0; x < nx; ++x)
        for (std::int64_t v = y; v <= std::min(y + 3, ny - 1); ++v)
          for (std::int64_t u = std::max<std::int64_t>(0, x - 3); u <= std::min(x + 3, nx - 1); ++u)
            touch(static_cast<std::uint32_t>(first + y * nx + x),
                  static_cast<std::uint32_t>(first + v * nx + u));
  }

  [[nodiscard]] std::int32_t slot(std::uint32_t i, std::uint32_t j) const {
    const auto row = static_cast<std::int32_t>(std::max(i, j));
    const auto column = std::min(i, j);
    const std::int32_t* index = matrix_.innerIndexPtr();
    const std::int32_t* outer = matrix_.outerIndexPtr();
    const std::int32_t* found =
        std::lower_bound(index + outer[column], index + outer[column + 1], row);
    return static_cast<std::int32_t>(found - index);
  }

  const GlobalFit& fit_;
  std::vector<Row> rows_;
  std::vector<SharedTerms> terms_;
  std::vector<std::int32_t> slots_;
  Sparse matrix_;
  Factor factor_;
};

// The right-hand sides of both axes and the border of the shared unknowns.
struct System {
  Eigen::MatrixXd axes;    // n x (2 + 2 shared): -rhs of x, of y, border of x, border of y
  Eigen::MatrixXd shared;  // shared x shared
  Eigen::VectorXd rhs;     // of the shared
};

System assemble(const GlobalFit& fit, const Normal& normal, std::span<const double> weight) {
  const auto n = static_cast<Eigen::Index>(fit.shifts());
  const auto m = static_cast<Eigen::Index>(fit.shared());
  System s{Eigen::MatrixXd::Zero(n, 2 + 2 * m), Eigen::MatrixXd::Zero(m, m),
           Eigen::VectorXd::Zero(m)};
  for (std::size_t o = 0; o < fit.observations.size(); ++o) {
    const Point& d = fit.observations[o].constant;
    const Row& row = normal.row(o);
    const SharedTerms& t = normal.terms(o);
    for (std::size_t k = 0; k < row.size; ++k) {
      const auto at = static_cast<Eigen::Index>(row.unknown[k]);
      const double w = weight[o] * row.coefficient[k];
      s.axes(at, 0) -= w * d[0];
      s.axes(at, 1) -= w * d[1];
      for (Eigen::Index j = 0; j < m; ++j) {
        s.axes(at, 2 + j) += w * t.x[static_cast<std::size_t>(j)];
        s.axes(at, 2 + m + j) += w * t.y[static_cast<std::size_t>(j)];
      }
    }
    for (Eigen::Index i = 0; i < m; ++i) {
      const auto k = static_cast<std::size_t>(i);
      s.rhs(i) -= weight[o] * (t.x[k] * d[0] + t.y[k] * d[1]);
      for (Eigen::Index j = 0; j < m; ++j) {
        const auto l = static_cast<std::size_t>(j);
        s.shared(i, j) += weight[o] * (t.x[k] * t.x[l] + t.y[k] * t.y[l]);
      }
    }
  }
  for (const PriorRow& p : fit.priors)
    for (std::size_t k = 0; k < p.unknown.size(); ++k) {
      s.axes(p.unknown[k], 0) += p.coefficient[k] * p.target[0];
      s.axes(p.unknown[k], 1) += p.coefficient[k] * p.target[1];
    }
  for (Eigen::Index k = 0; k < 2; ++k)
    s.shared(k, k) += 1.0 / (fit.k1_deviation * fit.k1_deviation);
  // Scale, turn or shear may be free of data; a deviation of 1 says nothing.
  for (Eigen::Index k = 2; k < m; ++k) s.shared(k, k) += 1.0;
  return s;
}

std::vector<double> solve_system(const System& s, const Factor& factor) {
  const Eigen::Index n = s.axes.rows(), m = s.shared.rows();
  const Eigen::MatrixXd solved = factor.solve(s.axes);
  const auto border_x = s.axes.middleCols(2, m), border_y = s.axes.middleCols(2 + m, m);
  const Eigen::MatrixXd schur = s.shared - border_x.transpose() * solved.middleCols(2, m) -
                                border_y.transpose() * solved.middleCols(2 + m, m);
  const Eigen::VectorXd rhs =
      s.rhs - border_x.transpose() * solved.col(0) - border_y.transpose() * solved.col(1);
  const Eigen::VectorXd p = schur.ldlt().solve(rhs);
  std::vector<double> out(static_cast<std::size_t>(2 * n + m));
  Eigen::Map<Eigen::VectorXd> u(out.data(), 2 * n + m);
  u.head(n) = solved.col(0) - solved.middleCols(2, m) * p;
  u.segment(n, n) = solved.col(1) - solved.middleCols(2 + m, m) * p;
  u.tail(m) = p;
  return out;
}

void robust_weights(const GlobalFit& fit, const std::vector<double>& unknowns, double scale,
                    std::vector<double>& kept, std::vector<double>& weight) {
  const std::vector<double> r = fit.residuals(unknowns);
  for (std::size_t o = 0; o < fit.observations.size(); ++o) {
    const double s = r[2 * o] * r[2 * o] + r[2 * o + 1] * r[2 * o + 1];
    kept[o] = evaluate_loss(fit.loss, s, scale).first;
    weight[o] =
        std::max(kept[o], least_weight) / (fit.observations[o].sd_um * fit.observations[o].sd_um);
  }
}

void reweight(const GlobalFit& fit, const FitOptions& options, FitSolution& out,
              std::vector<double>& weight) {
  Normal normal(fit);
  double inflation = options.first_inflation, last_inflation = inflation;
  while (out.iterations < static_cast<std::uint32_t>(options.max_iterations)) {
    robust_weights(fit, out.unknowns, inflation * fit.loss_scale, out.weight, weight);
    normal.factorise(weight);
    std::vector<double> next = solve_system(assemble(fit, normal, weight), normal.factor());
    out.unknowns = std::move(next);
    ++out.iterations;
    const double before = out.objective;
    out.objective = fit.objective(out.unknowns, nullptr);
    out.converged = inflation == 1.0 && last_inflation == 1.0 &&
                    std::abs(before - out.objective) <= options.tolerance * out.objective;
    if (out.converged) break;
    last_inflation = inflation;
    inflation = std::max(1.0, 0.5 * inflation);
  }
}

// With a wide loss the answer need not be exact.
void solve_step_by_step(const GlobalFit& fit, const FitOptions& options, FitSolution& out) {
  constexpr double rough = 1e-3;
  const auto run = options.solver == MapSolver::lm ? levenberg_marquardt : lbfgs;
  GlobalFit relaxed = fit;
  for (double inflation = options.first_inflation;; inflation = std::max(1.0, 0.5 * inflation)) {
    relaxed.loss_scale = inflation * fit.loss_scale;
    const bool last = inflation == 1.0;
    SolverRun found =
        run(relaxed, out.unknowns, {.ftol_rel = last ? options.tolerance : rough, .stop = {}});
    out.unknowns = std::move(found.unknowns);
    out.iterations += found.evaluations;
    out.objective = found.objective;
    out.converged = found.converged;
    if (last) return;
  }
}

// Roots of the first diagonal elements of the inverse, those of e' A^-1 e = |D^-1/2 L^-1 P e|^2. Of
// L^-1 P e only what lies on the way to the root of the elimination tree is not zero (Davis, Direct
// Methods for Sparse Linear Systems, theorem 3.3); the parent of a column is its first row.
std::vector<double> deviations_of(const Factor& factor, std::size_t count) {
  const auto lower = factor.matrixL();
  const auto& l = lower.nestedExpression();
  const Eigen::VectorXd d = factor.vectorD();
  std::vector<double> out, y(static_cast<std::size_t>(l.cols()), 0.0);
  for (std::size_t k = 0; k < count; ++k) {
    double square = 0.0;
    Eigen::Index column = factor.permutationP().indices()[static_cast<Eigen::Index>(k)];
    y[static_cast<std::size_t>(column)] = 1.0;
    while (column < l.cols()) {
      const double value = std::exchange(y[static_cast<std::size_t>(column)], 0.0);
      square += value * value / d[column];
      Eigen::Index parent = l.cols();
      for (Factor::CholMatrixType::InnerIterator at(l, column); at; ++at) {
        y[static_cast<std::size_t>(at.row())] -= at.value() * value;
        parent = std::min<Eigen::Index>(parent, at.row());
      }
      column = parent;
    }
    out.push_back(std::sqrt(square));
  }
  return out;
}

}  // namespace

FitSolution solve(const GlobalFit& fit, std::span<const double> start, const FitOptions& options) {
  FitSolution out;
  out.unknowns.assign(start.begin(), start.end());
  out.weight.assign(fit.observations.size(), 1.0);
  std::vector<double> weight(fit.observations.size());
  if (options.solver == MapSolver::irls)
    reweight(fit, options, out, weight);
  else
    solve_step_by_step(fit, options, out);
  robust_weights(fit, out.unknowns, fit.loss_scale, out.weight, weight);
  return out;
}

std::vector<double> tile_deviations(const GlobalFit& fit, std::span<const double> kept) {
  std::vector<double> weight(fit.observations.size()), seen(fit.side.size());
  for (std::size_t o = 0; o < weight.size(); ++o) {
    const Observation& obs = fit.observations[o];
    weight[o] = kept[o] / (obs.sd_um * obs.sd_um);
    seen[obs.a] += weight[o];
    seen[obs.b] += weight[o];
  }
  // Deviations are against the frame, which the best known tile of each side
  // holds.
  GlobalFit held = fit;
  for (const Side side : {Side::ten, Side::forty}) {
    std::size_t best = fit.side.size();
    for (std::size_t t = 0; t < fit.side.size(); ++t)
      if (fit.side[t] == side && (best == fit.side.size() || seen[t] > seen[best])) best = t;
    const bool free = side == Side::ten || fit.grid.kind == DeformationKind::spline;
    if (best < fit.side.size() && free)
      held.priors.push_back({{static_cast<std::uint32_t>(best), 0, 0}, {1.0 / hold_um, 0, 0}, {}});
  }
  Normal normal(held);
  normal.factorise(weight);
  return deviations_of(normal.factor(), fit.side.size());
}

}  // namespace nucreg::mosaic
