#include "nucreg/fit/normalization.hpp"

#include <cmath>
#include <numbers>

#include "nucreg/fit/kernels.hpp"

namespace nucreg {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// Smallest interval that holds every product of the two.
Interval product(const Interval& a, const Interval& b) {
  Interval out{infinity, -infinity};
  for (const double x : {a.min, a.max})
    for (const double y : {b.min, b.max}) {
      const double p = x == 0.0 || y == 0.0 ? 0.0 : x * y;  // 0 times unbounded is 0
      out.min = std::min(out.min, p);
      out.max = std::max(out.max, p);
    }
  return out;
}

// Range of sin over an interval in radians.
Interval sine(const Interval& angle) {
  const double pi = std::numbers::pi;
  if (!(angle.max - angle.min < 2.0 * pi)) return {-1.0, 1.0};
  const auto passes = [&](double extreme) {  // does the interval hold extreme + 2 pi k?
    return std::floor((angle.max - extreme) / (2.0 * pi)) >=
           std::ceil((angle.min - extreme) / (2.0 * pi));
  };
  const double a = std::sin(angle.min), b = std::sin(angle.max);
  return {passes(-0.5 * pi) ? -1.0 : std::min(a, b), passes(0.5 * pi) ? 1.0 : std::max(a, b)};
}

}  // namespace

Centroids centroids(const PairsView& pairs) {
  Centroids sums;  // side by side, since a sum waits for itself
  for (std::size_t i = 0; i < pairs.size; ++i) {
    sums.x10 += pairs.x10[i];
    sums.y10 += pairs.y10[i];
    sums.x40 += pairs.x40[i];
    sums.y40 += pairs.y40[i];
  }
  const auto n = static_cast<double>(pairs.size);
  return {sums.x10 / n, sums.y10 / n, sums.x40 / n, sums.y40 / n};
}

Normalization normalization_of(const PairsView& pairs, double magnification, bool centred) {
  Normalization n;
  if (pairs.size == 0) return n;
  const auto count = static_cast<double>(pairs.size);
  if (centred) {
    const SpreadSums sums = spread_pass(pairs, {0.0, 0.0});
    n.x10 = std::nearbyint(sums.x10 / count);
    n.y10 = std::nearbyint(sums.y10 / count);
    n.x40 = std::nearbyint(sums.x40 / count);
    n.y40 = std::nearbyint(sums.y40 / count);
  }
  const double spread = std::sqrt(0.5 * spread_pass(pairs, {n.x10, n.y10}).squared / count);
  if (!std::isfinite(spread + n.x40 + n.y40) || spread < 1e-9) return {};
  n.scale10 = std::exp2(std::nearbyint(std::log2(spread)));
  n.scale40 = magnification * n.scale10;
  return n;
}

PointPairs normalize(const PairsView& pairs, const Normalization& n) {
  PointPairs out;
  out.resize(pairs.size);
  const double inverse10 = 1.0 / n.scale10, inverse40 = 1.0 / n.scale40;
  shift_and_scale(pairs.x10, pairs.size, n.x10, inverse10, out.x10.data());
  shift_and_scale(pairs.y10, pairs.size, n.y10, inverse10, out.y10.data());
  shift_and_scale(pairs.x40, pairs.size, n.x40, inverse40, out.x40.data());
  shift_and_scale(pairs.y40, pairs.size, n.y40, inverse40, out.y40.data());
  return out;
}

Params params_to_normalized(Model model, const Params& p, double magnification,
                            const Normalization& n) {
  Params q = p;
  const double ratio = n.scale10 / n.scale40;
  if (model == Model::affine || model == Model::projective) {
    // The homogeneous matrix: H' = T40 H T10^-1, divided by its corner.
    const double g = model == Model::projective ? p[6] : 0.0;
    const double h = model == Model::projective ? p[7] : 0.0;
    const double w = g * n.x10 + h * n.y10 + 1.0;
    const auto row = [&](int i, double centre40) {
      q[i] = (p[i] - centre40 * g) * ratio / w;
      q[i + 1] = (p[i + 1] - centre40 * h) * ratio / w;
      q[i + 2] = ((p[i] * n.x10 + p[i + 1] * n.y10 + p[i + 2]) - centre40 * w) / (w * n.scale40);
    };
    row(0, n.x40);
    row(3, n.y40);
    if (model == Model::projective) {
      q[6] = g * n.scale10 / w;
      q[7] = h * n.scale10 / w;
    }
    return q;
  }
  const double c = std::cos(p[2]), s = std::sin(p[2]);
  const double scale_x = model == Model::rigid ? magnification : p[3];
  const double scale_y = model == Model::trs ? p[4] : scale_x;
  q[0] = (c * n.x10 - s * n.y10 + p[0] - n.x40 / scale_x) / n.scale10;
  q[1] = (s * n.x10 + c * n.y10 + p[1] - n.y40 / scale_y) / n.scale10;
  for (Eigen::Index i = 3; i < q.size(); ++i) q[i] = p[i] * ratio;
  return q;
}

Params params_to_pixels(Model model, const Params& q, double magnification,
                        const Normalization& n) {
  Params p = q;
  const double ratio = n.scale40 / n.scale10;
  if (model == Model::affine || model == Model::projective) {
    const double g = model == Model::projective ? q[6] / n.scale10 : 0.0;
    const double h = model == Model::projective ? q[7] / n.scale10 : 0.0;
    const double w = 1.0 - g * n.x10 - h * n.y10;
    const auto row = [&](int i, double centre40) {
      p[i] = (q[i] * ratio + centre40 * g) / w;
      p[i + 1] = (q[i + 1] * ratio + centre40 * h) / w;
      const double shift = n.scale40 * q[i + 2] - ratio * (q[i] * n.x10 + q[i + 1] * n.y10);
      p[i + 2] = (shift + centre40 * w) / w;
    };
    row(0, n.x40);
    row(3, n.y40);
    if (model == Model::projective) {
      p[6] = g / w;
      p[7] = h / w;
    }
    return p;
  }
  for (Eigen::Index i = 3; i < p.size(); ++i) p[i] = q[i] * ratio;
  const double c = std::cos(q[2]), s = std::sin(q[2]);
  const double scale_x = model == Model::rigid ? magnification : p[3];
  const double scale_y = model == Model::trs ? p[4] : scale_x;
  p[0] = n.scale10 * q[0] - (c * n.x10 - s * n.y10) + n.x40 / scale_x;
  p[1] = n.scale10 * q[1] - (s * n.x10 + c * n.y10) + n.y40 / scale_y;
  return p;
}

Box box_of(const Bounds& bounds, Model model) {
  const auto count = static_cast<Eigen::Index>(parameter_count(model));
  Box box{Params::Constant(count, -infinity), Params::Constant(count, infinity)};
  const auto set = [&](Eigen::Index i, const Interval& interval) {
    box.lower[i] = interval.min;
    box.upper[i] = interval.max;
  };
  const Interval angle{bounds.angle_deg.min * radians_per_degree,
                       bounds.angle_deg.max * radians_per_degree};
  if (model == Model::affine || model == Model::projective) {
    const bool translation = bounds.dx_px.bounded() || bounds.dy_px.bounded();
    if (!bounds.scale.bounded() && !translation) return box;  // any scale turns any angle
    const Interval sin = sine(angle);
    const Interval cos =
        sine({angle.min + 0.5 * std::numbers::pi, angle.max + 0.5 * std::numbers::pi});
    set(0, product(bounds.scale, cos));
    set(1, product(bounds.scale, {-sin.max, -sin.min}));
    if (bounds.dx_px.bounded()) set(2, product(bounds.scale, bounds.dx_px));
    set(3, product(bounds.scale, sin));
    set(4, product(bounds.scale, cos));
    if (bounds.dy_px.bounded()) set(5, product(bounds.scale, bounds.dy_px));
    return box;
  }
  set(0, bounds.dx_px);
  set(1, bounds.dy_px);
  // A whole turn holds every angle, and has no ends to run against.
  if (bounds.angle_deg.max - bounds.angle_deg.min < 360.0) set(2, angle);
  for (Eigen::Index i = 3; i < count; ++i) set(i, bounds.scale);
  return box;
}

bool centring_keeps_box(const Bounds& bounds, Model model) {
  if (model == Model::projective) return !box_of(bounds, model).bounded();
  return !bounds.dx_px.bounded() && !bounds.dy_px.bounded();
}

Box box_to_normalized(const Box& box, Model model, const Normalization& n) {
  Box out = box;
  const auto scale = [&](Eigen::Index i, double factor) {
    out.lower[i] *= factor;
    out.upper[i] *= factor;
  };
  const double ratio = n.scale10 / n.scale40;
  if (model == Model::affine || model == Model::projective) {
    for (const Eigen::Index i : {0, 1, 3, 4}) scale(i, ratio);
    for (const Eigen::Index i : {2, 5}) scale(i, 1.0 / n.scale40);
    return out;
  }
  for (const Eigen::Index i : {0, 1}) scale(i, 1.0 / n.scale10);
  for (Eigen::Index i = 3; i < out.lower.size(); ++i) scale(i, ratio);
  return out;
}

Params clamp(const Params& params, const Box& box) {
  return params.cwiseMax(box.lower).cwiseMin(box.upper);
}

}  // namespace nucreg
