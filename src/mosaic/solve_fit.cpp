// The sparse solver of the global fit.
#include <Eigen/Cholesky>
#include <Eigen/SparseCholesky>
#include <Eigen/SparseCore>
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "nucreg/fit/loss.hpp"
#include "nucreg/mosaic/global_fit.hpp"

namespace nucreg::mosaic {
namespace {

using Sparse = Eigen::SparseMatrix<double, Eigen::ColMajor, std::int32_t>;
using Factor = Eigen::SimplicialLDLT<Sparse, Eigen::Lower, Eigen::AMDOrdering<std::int32_t>>;

constexpr double hold_um = 1e-3;
// For what tukey's loss leaves out: else the matrix of a tile that it leaves out is singular.
constexpr double min_weight = 1e-9;

// The normal matrix of one axis over tiles and nodes: its pattern is made once,
// and each row knows where in the values its products go. Those of two nodes are
// the same for all observations of a cell of the spline and are kept for the cell.
class Normal {
 public:
  explicit Normal(const GlobalFit& fit) : fit_(fit) {
    rows_.reserve(fit.observations.size());
    for (const Observation& o : fit.observations) rows_.push_back(row_of(fit, o));
    make_pattern();
    std::size_t products = 0;
    for (const Row& r : rows_) products += of_tiles(r.size);
    slots_.reserve(products);
    for (const Row& r : rows_)
      for (std::size_t i = 0; i < r.size; ++i)
        for (std::size_t j = 0; j <= i && j < tiles_of_row; ++j)
          slots_.push_back(slot(r.unknown[i], r.unknown[j]));
    find_cells();
    factor_.analyzePattern(matrix_);
  }

  [[nodiscard]] const Row& row(std::size_t o) const { return rows_[o]; }

  void factorise(std::span<const double> weight) {
    double* values = matrix_.valuePtr();
    std::fill(values, values + matrix_.nonZeros(), 0.0);
    const std::int32_t* at = slots_.data();
    for (std::size_t o = 0; o < rows_.size(); ++o) {
      const Row& r = rows_[o];
      const std::int32_t* of_nodes = cell_slots_.data() + cell_of(r);
      for (std::size_t i = 0; i < r.size; ++i) {
        const double wi = weight[o] * r.coefficient[i];
        const std::size_t tiles = std::min(i + 1, tiles_of_row);
        for (std::size_t j = 0; j < tiles; ++j) values[*at++] += wi * r.coefficient[j];
        for (std::size_t j = tiles; j <= i; ++j) values[*of_nodes++] += wi * r.coefficient[j];
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
  static constexpr std::size_t tiles_of_row = 2, nodes_of_row = 16;
  static constexpr std::size_t of_cell = nodes_of_row * (nodes_of_row + 1) / 2;

  // Products of a row of so many unknowns that are not of two nodes.
  static std::size_t of_tiles(std::size_t size) { return 3 + tiles_of_row * (size - tiles_of_row); }

  // Where the products of its nodes begin.
  [[nodiscard]] std::size_t cell_of(const Row& r) const {
    return r.size == tiles_of_row ? 0 : (r.unknown[tiles_of_row] - fit_.side.size()) * of_cell;
  }

  void find_cells() {
    constexpr std::int32_t unknown = -1;
    cell_slots_.assign(fit_.nodes() * of_cell, unknown);
    for (const Row& r : rows_) {
      std::int32_t* at = cell_slots_.data() + cell_of(r);
      if (r.size == tiles_of_row || *at != unknown) continue;
      for (std::size_t i = tiles_of_row; i < r.size; ++i)
        for (std::size_t j = tiles_of_row; j <= i; ++j) *at++ = slot(r.unknown[i], r.unknown[j]);
    }
  }

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
    matrix_.resize(n, n);
    std::size_t entries = 0;
    for (const auto& rows : below) entries += rows.size();
    matrix_.reserve(static_cast<Eigen::Index>(entries));
    for (std::int32_t c = 0; c < n; ++c) {
      std::vector<std::uint32_t>& rows = below[static_cast<std::size_t>(c)];
      std::ranges::sort(rows);
      rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
      matrix_.startVec(c);
      for (const std::uint32_t r : rows) matrix_.insertBack(static_cast<std::int32_t>(r), c) = 1.0;
    }
    matrix_.finalize();
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
  std::vector<std::int32_t> slots_;       // of products with a tile, row by row
  std::vector<std::int32_t> cell_slots_;  // of products of nodes, of_cell for each first node
  Sparse matrix_;
  Factor factor_;
};

// The weighted normal matrix of both axes and the shared unknowns, factored: the shared ones border
// the two blocks of the axes and are eliminated last.
class Bordered {
  [[nodiscard]] auto x(const Eigen::MatrixXd& of) const { return of.leftCols(m_); }
  [[nodiscard]] auto y(const Eigen::MatrixXd& of) const { return of.rightCols(m_); }

 public:
  Bordered(const GlobalFit& fit, Normal& normal, std::span<const double> weight)
      : n_(static_cast<Eigen::Index>(fit.shifts())), m_(static_cast<Eigen::Index>(fit.shared())) {
    normal.factorise(weight);
    factor_ = &normal.factor();
    border_.setZero(n_, 2 * m_);
    Eigen::MatrixXd shared = Eigen::MatrixXd::Zero(m_, m_);
    for (std::size_t o = 0; o < fit.observations.size(); ++o)
      add(normal.row(o), shared_terms(fit, fit.observations[o]), weight[o], shared);
    for (Eigen::Index k = 0; k < 2; ++k)
      shared(k, k) += 1.0 / (fit.k1_deviation * fit.k1_deviation);
    // Scale, turn or shear may be free of data; a deviation of 1 says nothing.
    for (Eigen::Index k = 2; k < m_; ++k) shared(k, k) += 1.0;
    solved_ = factor_->solve(border_);
    schur_.compute(shared - x(border_).transpose() * x(solved_) -
                   y(border_).transpose() * y(solved_));
  }

  [[nodiscard]] std::vector<double> solve(std::span<const double> rhs) const {
    const Eigen::MatrixXd axes =
        factor_->solve(Eigen::Map<const Eigen::MatrixXd>(rhs.data(), n_, 2));
    const Eigen::Map<const Eigen::VectorXd> shared(rhs.data() + 2 * n_, m_);
    const Eigen::VectorXd p = schur_.solve(shared - x(border_).transpose() * axes.col(0) -
                                           y(border_).transpose() * axes.col(1));
    std::vector<double> out(rhs.size());
    Eigen::Map<Eigen::VectorXd> u(out.data(), 2 * n_ + m_);
    u << axes.col(0) - x(solved_) * p, axes.col(1) - y(solved_) * p, p;
    return out;
  }

 private:
  void add(const Row& row, const SharedTerms& t, double weight, Eigen::MatrixXd& shared) {
    const auto at = [](Eigen::Index i) { return static_cast<std::size_t>(i); };
    for (std::size_t k = 0; k < row.size; ++k)
      for (Eigen::Index j = 0; j < m_; ++j) {
        const double w = weight * row.coefficient[k];
        border_(row.unknown[k], j) += w * t.x[at(j)];
        border_(row.unknown[k], m_ + j) += w * t.y[at(j)];
      }
    for (Eigen::Index i = 0; i < m_; ++i)
      for (Eigen::Index j = 0; j < m_; ++j)
        shared(i, j) += weight * (t.x[at(i)] * t.x[at(j)] + t.y[at(i)] * t.y[at(j)]);
  }

  Eigen::Index n_, m_;
  const Factor* factor_ = nullptr;
  Eigen::MatrixXd border_, solved_;  // n x 2 shared: of x, of y
  Eigen::LDLT<Eigen::MatrixXd> schur_;
};

void robust_weights(const GlobalFit& fit, double inflation, const std::vector<double>& unknowns,
                    std::vector<double>& kept, std::vector<double>& weight) {
  const std::vector<double> r = fit.residuals(unknowns);
  for (std::size_t o = 0; o < fit.observations.size(); ++o) {
    const double s = r[2 * o] * r[2 * o] + r[2 * o + 1] * r[2 * o + 1];
    kept[o] = evaluate_loss(fit.loss, s, inflation * fit.loss_scale).first;
    weight[o] =
        std::max(kept[o], min_weight) / (fit.observations[o].sd_um * fit.observations[o].sd_um);
  }
}

// Reweighted steps while the loss becomes narrower, then L-BFGS that begins with the inverse of the
// last of their matrices: its first step is a reweighted one, and where more of those would
// converge linearly, it needs no further factors.
void reweight(const GlobalFit& fit, const FitOptions& options, FitSolution& out,
              std::vector<double>& weight) {
  Normal normal(fit);
  const auto limit = static_cast<std::uint32_t>(options.max_iterations);
  for (double inflation = options.first_inflation;; inflation = std::max(1.0, 0.5 * inflation)) {
    robust_weights(fit, inflation, out.unknowns, out.weight, weight);
    const Bordered matrix(fit, normal, weight);
    if (inflation == 1.0 || out.iterations + 1 >= limit) {
      const SolverRun end = lbfgs(fit, out.unknowns,
                                  {.max_evaluations = 1 + limit - out.iterations,
                                   .ftol_rel = options.tolerance,
                                   .stop = {},
                                   .inverse = [&](const auto& v) { return matrix.solve(v); }});
      out.unknowns = end.unknowns;
      out.iterations += end.evaluations - 1;
      out.objective = end.objective;
      out.converged = end.converged;
      return;
    }
    std::vector<double> gradient;
    (void)fit.objective(out.unknowns, &gradient, inflation);
    const std::vector<double> step = matrix.solve(gradient);
    for (std::size_t k = 0; k < step.size(); ++k) out.unknowns[k] -= step[k];
    ++out.iterations;
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
  robust_weights(fit, 1.0, out.unknowns, out.weight, weight);
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
