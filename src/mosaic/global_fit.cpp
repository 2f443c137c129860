#include "nucreg/mosaic/global_fit.hpp"

#include "nucreg/fit/loss.hpp"

namespace nucreg::mosaic {

std::size_t GlobalFit::shared() const {
  switch (grid.kind) {
    case DeformationKind::none:
      return 4;
    case DeformationKind::affine:
      return 6;
    case DeformationKind::spline:
      return 2;
  }
  return 2;
}

SharedTerms shared_terms(const GlobalFit& fit, const Observation& o) {
  SharedTerms out;
  const auto lens = [&](std::uint32_t tile, const Point& q, double sign) {
    const std::size_t k = fit.side[tile] == Side::ten ? 0 : 1;
    out.x[k] += sign * q[0];
    out.y[k] += sign * q[1];
  };
  lens(o.a, o.lens_a, 1.0);
  lens(o.b, o.lens_b, -1.0);
  if (fit.grid.kind == DeformationKind::none) {
    const Point arm{o.arm_a[0] - o.arm_b[0], o.arm_a[1] - o.arm_b[1]};
    out.x[2] = arm[0];
    out.y[2] = arm[1];
    out.x[3] = -arm[1];
    out.y[3] = arm[0];
  } else if (fit.grid.kind == DeformationKind::affine && fit.across(o)) {
    const double x = o.at[0] - fit.grid.origin[0], y = o.at[1] - fit.grid.origin[1];
    out.x[2] = -x;
    out.x[3] = -y;
    out.y[4] = -x;
    out.y[5] = -y;
  }
  return out;
}

Row row_of(const GlobalFit& fit, const Observation& o) {
  Row row;
  row.add(o.a, 1.0);
  row.add(o.b, -1.0);
  if (fit.nodes() > 0 && fit.across(o)) {
    const SplineNodes nodes = spline_nodes(fit.grid, o.at);
    for (std::size_t k = 0; k < nodes.node.size(); ++k)
      row.add(static_cast<std::uint32_t>(fit.side.size()) + nodes.node[k], -nodes.weight[k]);
  }
  return row;
}

namespace {

// Residual of an observation in deviations.
Point residual(const GlobalFit& fit, const Observation& o, const Row& row, const SharedTerms& terms,
               std::span<const double> u) {
  const std::size_t n = fit.shifts(), shared = fit.shared();
  Point r = o.constant;
  for (std::size_t k = 0; k < row.size; ++k) {
    r[0] += row.coefficient[k] * u[row.unknown[k]];
    r[1] += row.coefficient[k] * u[n + row.unknown[k]];
  }
  for (std::size_t k = 0; k < shared; ++k) {
    r[0] += terms.x[k] * u[2 * n + k];
    r[1] += terms.y[k] * u[2 * n + k];
  }
  return {r[0] / o.sd_um, r[1] / o.sd_um};
}

Point residual(const PriorRow& p, std::size_t n, std::span<const double> u) {
  Point r{-p.target[0], -p.target[1]};
  for (std::size_t k = 0; k < p.unknown.size(); ++k) {
    r[0] += p.coefficient[k] * u[p.unknown[k]];
    r[1] += p.coefficient[k] * u[n + p.unknown[k]];
  }
  return r;
}

}  // namespace

std::vector<double> GlobalFit::residuals(std::span<const double> u) const {
  std::vector<double> out;
  out.reserve(2 * (observations.size() + priors.size()) + 2);
  const auto put = [&](const Point& r) { out.insert(out.end(), r.begin(), r.end()); };
  for (const Observation& o : observations)
    put(residual(*this, o, row_of(*this, o), shared_terms(*this, o), u));
  for (const PriorRow& p : priors) put(residual(p, shifts(), u));
  put({u[2 * shifts()] / k1_deviation, u[2 * shifts() + 1] / k1_deviation});
  return out;
}

void GlobalFit::jacobian(std::vector<std::uint32_t>& row, std::vector<std::uint32_t>& column,
                         std::vector<double>& value) const {
  std::uint32_t at = 0;
  const auto n = static_cast<std::uint32_t>(shifts());
  const auto put = [&](std::uint32_t r, std::uint32_t c, double v) {
    if (v == 0.0) return;
    row.push_back(r);
    column.push_back(c);
    value.push_back(v);
  };
  for (const Observation& o : observations) {
    const Row r = row_of(*this, o);
    const SharedTerms terms = shared_terms(*this, o);
    for (std::size_t k = 0; k < r.size; ++k) {
      put(at, r.unknown[k], r.coefficient[k] / o.sd_um);
      put(at + 1, n + r.unknown[k], r.coefficient[k] / o.sd_um);
    }
    for (std::uint32_t k = 0; k < shared(); ++k) {
      put(at, 2 * n + k, terms.x[k] / o.sd_um);
      put(at + 1, 2 * n + k, terms.y[k] / o.sd_um);
    }
    at += 2;
  }
  for (const PriorRow& p : priors) {
    for (std::size_t k = 0; k < p.unknown.size(); ++k) {
      put(at, p.unknown[k], p.coefficient[k]);
      put(at + 1, n + p.unknown[k], p.coefficient[k]);
    }
    at += 2;
  }
  put(at, 2 * n, 1.0 / k1_deviation);
  put(at + 1, 2 * n + 1, 1.0 / k1_deviation);
}

double GlobalFit::objective(std::span<const double> u, std::vector<double>* gradient,
                            double inflation) const {
  const std::size_t n = shifts();
  if (gradient) gradient->assign(unknowns(), 0.0);
  double sum = 0.0;
  for (const Observation& o : observations) {
    const Row row = row_of(*this, o);
    const SharedTerms terms = shared_terms(*this, o);
    const Point r = residual(*this, o, row, terms, u);
    const LossValue value = evaluate_loss(loss, r[0] * r[0] + r[1] * r[1], inflation * loss_scale);
    sum += 0.5 * value.rho;
    if (!gradient) continue;
    const double w = value.first / o.sd_um;
    for (std::size_t k = 0; k < row.size; ++k) {
      (*gradient)[row.unknown[k]] += w * r[0] * row.coefficient[k];
      (*gradient)[n + row.unknown[k]] += w * r[1] * row.coefficient[k];
    }
    for (std::size_t k = 0; k < shared(); ++k)
      (*gradient)[2 * n + k] += w * (r[0] * terms.x[k] + r[1] * terms.y[k]);
  }
  for (const PriorRow& p : priors) {
    const Point r = residual(p, n, u);
    sum += 0.5 * (r[0] * r[0] + r[1] * r[1]);
    if (!gradient) continue;
    for (std::size_t k = 0; k < p.unknown.size(); ++k) {
      (*gradient)[p.unknown[k]] += r[0] * p.coefficient[k];
      (*gradient)[n + p.unknown[k]] += r[1] * p.coefficient[k];
    }
  }
  for (std::size_t k = 0; k < 2; ++k) {
    const double r = u[2 * n + k] / k1_deviation;
    sum += 0.5 * r * r;
    if (gradient) (*gradient)[2 * n + k] += r / k1_deviation;
  }
  return sum;
}

}  // namespace nucreg::mosaic
