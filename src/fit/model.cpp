#include "nucreg/fit/model.hpp"

#include <cmath>

namespace nucreg {
namespace {

bool same(double a, double b) {
  return std::abs(a - b) <= 1e-12 * std::max(std::abs(a), std::abs(b));
}

// rigid, similarity and trs as trs, in radians.
Params as_trs(Model model, const Params& p, double magnification) {
  Params trs(5);
  const double sx = model == Model::rigid ? magnification : p[3];
  const double sy = model == Model::trs ? p[4] : sx;
  trs << p[0], p[1], p[2], sx, sy;
  return trs;
}

}  // namespace

Params to_plain_shift(Model model, Params p) {
  if (model != Model::similarity && model != Model::trs) return p;
  p[0] *= p[3];
  p[1] *= p[model == Model::trs ? 4 : 3];
  return p;
}

Params to_scaled_shift(Model model, Params p) {
  if (model != Model::similarity && model != Model::trs) return p;
  p[0] /= p[3];
  p[1] /= p[model == Model::trs ? 4 : 3];
  return p;
}

MapEntries map_entries(Model model, const Params& p, double magnification, bool with_derivative,
                       ShiftForm form) {
  MapEntries out;
  if (model == Model::affine || model == Model::projective) {
    out.projective = model == Model::projective;
    for (Eigen::Index i = 0; i < p.size(); ++i) out.entries[static_cast<std::size_t>(i)] = p[i];
    if (with_derivative) out.derivative.setIdentity(p.size(), p.size());
    return out;
  }
  const Params trs = as_trs(model, p, magnification);
  const double dx = trs[0], dy = trs[1], sx = trs[3], sy = trs[4];
  const double c = std::cos(trs[2]), s = std::sin(trs[2]);
  const bool plain = form == ShiftForm::plain && model != Model::rigid;
  const double by_dx = plain ? 1.0 : sx, by_dy = plain ? 1.0 : sy;
  out.entries = {sx * c, -sx * s, by_dx * dx, sy * s, sy * c, by_dy * dy, 0.0, 0.0};
  if (!with_derivative) return out;
  auto& d = out.derivative;
  d.setZero(6, p.size());
  d(2, 0) = by_dx;
  d(5, 1) = by_dy;
  d(0, 2) = -sx * s;
  d(1, 2) = -sx * c;
  d(3, 2) = sy * c;
  d(4, 2) = -sy * s;
  if (model == Model::rigid) return out;
  d(0, 3) = c;
  d(1, 3) = -s;
  if (!plain) d(2, 3) = dx;
  const Eigen::Index scale_y = model == Model::trs ? 4 : 3;
  d(3, scale_y) = s;
  d(4, scale_y) = c;
  if (!plain) d(5, scale_y) = dy;
  return out;
}

MapEntries map_entries(const Map& map) {
  return map_entries(map.model, to_radians(map.model, map.params), map.magnification, false);
}

std::array<double, 2> apply(const MapEntries& map, double x, double y) {
  const auto& e = map.entries;
  const double w = map.projective ? e[6] * x + e[7] * y + 1.0 : 1.0;
  return {(e[0] * x + e[1] * y + e[2]) / w, (e[3] * x + e[4] * y + e[5]) / w};
}

int angle_index(Model model) {
  return model == Model::affine || model == Model::projective ? -1 : 2;
}

Params to_radians(Model model, Params params) {
  if (const int i = angle_index(model); i >= 0) params[i] *= radians_per_degree;
  return params;
}

Params to_degrees(Model model, Params params) {
  if (const int i = angle_index(model); i >= 0)
    params[i] = std::remainder(params[i] / radians_per_degree, 360.0);
  return params;
}

std::array<double, 2> apply(const Map& map, double x, double y) {
  return apply(map_entries(map), x, y);
}

std::optional<Map> convert(const Map& map, Model to, double magnification) {
  Map out{to, Params(parameter_count(to)), magnification};
  const bool linear = map.model == Model::affine || map.model == Model::projective;
  if (to == Model::affine || to == Model::projective) {
    const MapEntries m = map_entries(map);
    if (to == Model::affine && (m.entries[6] != 0.0 || m.entries[7] != 0.0)) return std::nullopt;
    for (Eigen::Index i = 0; i < out.params.size(); ++i)
      out.params[i] = m.entries[static_cast<std::size_t>(i)];
    return out;
  }
  // An affine truth counts as such, whatever its numbers: the job named the larger model.
  if (linear) return std::nullopt;
  const Params trs = as_trs(map.model, map.params, map.magnification);
  if (to != Model::trs && !same(trs[3], trs[4])) return std::nullopt;
  if (to == Model::rigid && !same(trs[3], magnification)) return std::nullopt;
  out.params = trs.head(out.params.size());
  return out;
}

}  // namespace nucreg
