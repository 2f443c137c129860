#include "nucreg/mosaic/well_map.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "laid.hpp"

namespace nucreg::mosaic {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// Weights of the four cubic B-splines about a point at t in [0, 1) of its
// interval, and their derivatives by t.
struct Cubic {
  std::array<double, 4> value{}, slope{};
};

Cubic cubic(double t) {
  const double s = 1.0 - t, t2 = t * t, t3 = t2 * t;
  return {{s * s * s / 6.0, (3.0 * t3 - 6.0 * t2 + 4.0) / 6.0,
           (-3.0 * t3 + 3.0 * t2 + 3.0 * t + 1.0) / 6.0, t3 / 6.0},
          {-0.5 * s * s, 1.5 * t2 - 2.0 * t, -1.5 * t2 + t + 0.5, 0.5 * t2}};
}

struct Interval {
  std::uint32_t first = 0;  // of the four nodes
  Cubic cubic;
};

// Intervals reach from node 1 to node n - 2; beyond, the border is repeated
// with slope 0.
Interval interval(double x, std::uint32_t n) {
  const double last = static_cast<double>(n) - 3.0;
  const bool outside = !(x >= 0.0 && x <= last);
  const double inside = std::isnan(x) ? 0.0 : std::clamp(x, 0.0, last);
  const double first = std::min(std::floor(inside), last - 1.0);
  Interval out{static_cast<std::uint32_t>(first), cubic(inside - first)};
  if (outside) out.cubic.slope = {};
  return out;
}

Point lens(const Camera& camera, const Point& middle_px, const Point& px) {
  const double x = px[0] - middle_px[0], y = px[1] - middle_px[1];
  const double stretch = 1.0 + camera.k1 * (x * x + y * y) / (middle_px[0] * middle_px[0]);
  return {x * stretch, y * stretch};
}

}  // namespace

SplineNodes spline_nodes(const Deformation& grid, const Point& p) {
  SplineNodes out;
  const Interval x = interval((p[0] - grid.origin[0]) / grid.spacing_um, grid.nx);
  const Interval y = interval((p[1] - grid.origin[1]) / grid.spacing_um, grid.ny);
  for (std::uint32_t j = 0; j < 4; ++j)
    for (std::uint32_t i = 0; i < 4; ++i) {
      const std::size_t k = 4 * j + i;
      out.node[k] = (y.first + j) * grid.nx + x.first + i;
      out.weight[k] = x.cubic.value[i] * y.cubic.value[j];
      out.weight_dx[k] = x.cubic.slope[i] * y.cubic.value[j] / grid.spacing_um;
      out.weight_dy[k] = x.cubic.value[i] * y.cubic.slope[j] / grid.spacing_um;
    }
  return out;
}

Point Deformation::operator()(const Point& p) const {
  if (kind == DeformationKind::none) return p;
  const Point bent = times(linear, Point{p[0] - origin[0], p[1] - origin[1]});
  Point out{p[0] + bent[0], p[1] + bent[1]};
  if (nx == 0) return out;
  const SplineNodes nodes = spline_nodes(*this, p);
  for (std::size_t k = 0; k < nodes.node.size(); ++k) {
    out[0] += nodes.weight[k] * dx_um[nodes.node[k]];
    out[1] += nodes.weight[k] * dy_um[nodes.node[k]];
  }
  return out;
}

std::array<double, 4> Deformation::gradient(const Point& p) const {
  if (kind == DeformationKind::none) return {1.0, 0.0, 0.0, 1.0};
  std::array<double, 4> out{1.0 + linear[0], linear[1], linear[2], 1.0 + linear[3]};
  if (nx == 0) return out;
  const SplineNodes nodes = spline_nodes(*this, p);
  for (std::size_t k = 0; k < nodes.node.size(); ++k) {
    out[0] += nodes.weight_dx[k] * dx_um[nodes.node[k]];
    out[1] += nodes.weight_dy[k] * dx_um[nodes.node[k]];
    out[2] += nodes.weight_dx[k] * dy_um[nodes.node[k]];
    out[3] += nodes.weight_dy[k] * dy_um[nodes.node[k]];
  }
  return out;
}

bool WellMap::placed(std::size_t tile) const {
  return std::isfinite(tiles[tile].centre_um[0]) && std::isfinite(tiles[tile].centre_um[1]);
}

Point WellMap::to_visit(std::size_t tile, const Point& px) const {
  const TileFrame& t = tiles[tile];
  const Camera& camera = cameras[static_cast<std::size_t>(t.side)];
  const Point v = times(t.own, times(camera.um_per_px, lens(camera, t.middle_px, px)));
  return {t.centre_um[0] + v[0], t.centre_um[1] + v[1]};
}

Point WellMap::to_well(std::size_t tile, const Point& px) const {
  const Point visit = to_visit(tile, px);
  if (tiles[tile].side == Side::ten) return visit;
  if (!placed(tile)) return {nan, nan};
  return deformation(nucreg::apply(visit_to_well, visit));
}

Points WellMap::to_well(std::size_t tile, const Points& px) const {
  Points out;
  out.x.resize(px.size());
  out.y.resize(px.size());
  for (std::size_t i = 0; i < px.size(); ++i) {
    const Point p = to_well(tile, Point{px.x[i], px.y[i]});
    out.x[i] = p[0];
    out.y[i] = p[1];
  }
  return out;
}

AffineMap WellMap::affine_to_well(std::size_t tile) const {
  const TileFrame& t = tiles[tile];
  const Matrix2 m = times(t.own, cameras[static_cast<std::size_t>(t.side)].um_per_px);
  const AffineMap from_middle{1.0, 0.0, -t.middle_px[0], 0.0, 1.0, -t.middle_px[1]};
  const AffineMap visit =
      compose({m[0], m[1], t.centre_um[0], m[2], m[3], t.centre_um[1]}, from_middle);
  if (t.side == Side::ten) return visit;
  if (!placed(tile)) return {nan, nan, nan, nan, nan, nan};
  const Point turned = nucreg::apply(visit_to_well, t.centre_um), bent = to_well(tile, t.middle_px);
  const auto g = deformation.gradient(turned);
  const AffineMap bend{g[0], g[1], bent[0] - g[0] * turned[0] - g[1] * turned[1],
                       g[2], g[3], bent[1] - g[2] * turned[0] - g[3] * turned[1]};
  return compose(bend, compose(visit_to_well, visit));
}

}  // namespace nucreg::mosaic
