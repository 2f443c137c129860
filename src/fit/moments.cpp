#include "nucreg/fit/moments.hpp"

#include <Eigen/LU>

#include <algorithm>
#include <cmath>

#include "nucreg/fit/normalization.hpp"

namespace nucreg {
namespace {

// A slope across a strip that is this much steeper than the one along it fits noise; it would
// only make m0 large.
constexpr double steepest = 4.0;

struct Sum {
  double value, rest;  // rest: what rounding took from value
};

Sum add(double a, double b) {  // Knuth's two-sum
  const double sum = a + b, seen = sum - a;
  return {sum, (a - (sum - seen)) + (b - seen)};
}

}  // namespace

Moments::Moments(const PairsView& pairs, PassThreads* threads) {
  if (pairs.size == 0) return;
  // About the first point, which is no further off than the points are wide.
  const std::array<double, 2> first{pairs.x10[0], pairs.y10[0]};
  const double still[6] = {0.0, 0.0, pairs.x40[0], 0.0, 0.0, pairs.y40[0]};
  const CentredSums rough = centred_pass(pairs, first, {1.0, 0.0}, still, threads);
  const auto n = static_cast<double>(pairs.size);
  const Eigen::Vector2d mean = rough.moments.block<2, 1>(0, 2) / n;
  const Eigen::Matrix2d spread = rough.moments.topLeftCorner<2, 2>() - n * mean * mean.transpose();
  const double angle = 0.5 * std::atan2(2.0 * spread(0, 1), spread(0, 0) - spread(1, 1));
  const std::array<double, 2> turn{std::cos(angle), std::sin(angle)};
  const Eigen::Vector2d along(turn[0], turn[1]), across(-turn[1], turn[0]);
  const std::array<double, 2> centre{first[0] + mean[0], first[1] + mean[1]};

  // Columns: X, Y. Both count for what is steep, since a map may turn one axis into the other.
  Eigen::Matrix2d covariance;
  covariance << -rough.by_x.head<2>(), -rough.by_y.head<2>();
  const Eigen::RowVector2d mean_residual(rough.by_x[2] / n, rough.by_y[2] / n);
  covariance += n * mean * mean_residual;
  const auto slopes = [&](const Eigen::Vector2d& axis) -> Eigen::RowVector2d {
    const double width = axis.dot(spread * axis);
    if (!(width > 0.0)) return Eigen::RowVector2d::Zero();
    return axis.transpose() * covariance / width;
  };
  const Eigen::RowVector2d slope_along = slopes(along), slope_across = slopes(across);
  const double limit = steepest * slope_along.norm();

  double map[6];
  for (std::size_t i = 0; i < 2; ++i) {
    const auto column = static_cast<Eigen::Index>(i);
    const Eigen::Vector2d both =
        slope_along[column] * along + std::clamp(slope_across[column], -limit, limit) * across;
    const double at_centre = still[3 * i + 2] - mean_residual[column];
    std::copy_n(std::array{both[0], both[1], at_centre}.begin(), 3, map + 3 * i);
    // at_centre - a cx - b cy, and what rounding takes from it.
    Row& row = rows_[i];
    row.a = both[0];
    row.b = both[1];
    const double ax = row.a * centre[0], bx = row.b * centre[1];
    const Sum part = add(at_centre, -ax), whole = add(part.value, -bx);
    row.shift = whole.value;
    row.shift_rest =
        part.rest + whole.rest - std::fma(row.a, centre[0], -ax) - std::fma(row.b, centre[1], -bx);
  }
  const CentredSums exact = centred_pass(pairs, centre, turn, map, threads);
  moments_ = exact.moments;
  value_ = exact.value;
  rows_[0].by_residual = exact.by_x;
  rows_[1].by_residual = exact.by_y;
  const double length = turn[0] * turn[0] + turn[1] * turn[1];
  to_px_ << turn[0] / length, -turn[1] / length, centre[0], turn[1] / length, turn[0] / length,
      centre[1], 0.0, 0.0, 1.0;
}

PassSums Moments::sums(const double* map, PassLevel level) const {
  PassSums out;
  double value = value_;
  Eigen::Vector3d by[2];
  for (std::size_t i = 0; i < 2; ++i) {
    const Row& row = rows_[i];
    const double* m = map + 3 * i;
    const Eigen::Vector3d moved(m[0] - row.a, m[1] - row.b, (m[2] - row.shift) - row.shift_rest);
    const Eigen::Vector3d d = to_px_.transpose() * moved;
    by[i] = moments_ * d + row.by_residual;
    value += d.dot(by[i] + row.by_residual);
  }
  out.value = value < 0.0 ? 0.0 : value;
  if (level == PassLevel::value) return out;
  for (std::size_t i = 0; i < 2; ++i)
    Eigen::Map<Eigen::Vector3d>(out.gradient.data() + 3 * i) = to_px_ * by[i];
  if (level == PassLevel::gradient) return out;
  const Eigen::Matrix3d moments = to_px_ * moments_ * to_px_.transpose();
  for (std::size_t r = 0; r < 3; ++r)
    for (std::size_t c = 0; c <= r; ++c) {
      const double entry = moments(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(c));
      for (const std::size_t block : {0u, 3u})
        out.normal[block + r][block + c] = out.normal[block + c][block + r] = entry;
    }
  return out;
}

std::optional<AffineMap> Moments::least_squares() const {
  // In units of the longer axis: rounding across a line must not pass for width.
  const double along = 1.0 / std::sqrt(std::max(moments_(0, 0), moments_(1, 1)));
  const Eigen::Vector3d unit(along, along, 1.0 / std::sqrt(moments_(2, 2)));
  const Eigen::Matrix3d scaled = unit.asDiagonal() * moments_ * unit.asDiagonal();
  if (!scaled.allFinite()) return std::nullopt;
  Eigen::FullPivLU<Eigen::Matrix3d> lu;
  lu.setThreshold(1e-13);
  lu.compute(scaled);
  if (!lu.isInvertible()) return std::nullopt;
  const Eigen::Matrix2d from_q = to_px_.topLeftCorner<2, 2>().transpose().inverse();
  const Eigen::Vector2d centre = to_px_.block<2, 1>(0, 2);
  AffineMap map{};
  for (std::size_t i = 0; i < 2; ++i) {
    const Row& row = rows_[i];
    const Eigen::Vector3d scaled_sum = unit.cwiseProduct(row.by_residual);
    const Eigen::Vector3d d = -unit.cwiseProduct(lu.solve(scaled_sum));
    const Eigen::Vector2d slope = from_q * d.head<2>();
    map[3 * i] = row.a + slope[0];
    map[3 * i + 1] = row.b + slope[1];
    map[3 * i + 2] = row.shift + (row.shift_rest + (d[2] - centre.dot(slope)));
    for (std::size_t k = 0; k < 3; ++k)
      if (!std::isfinite(map[3 * i + k])) return std::nullopt;
  }
  return map;
}

namespace {

std::optional<Params> umeyama(const PairsView& pairs, Model model, double magnification) {
  if (pairs.size < 2) return std::nullopt;
  const auto [x, y, x40, y40] = centroids(pairs);
  double spread = 0.0, along = 0.0, across = 0.0;
  for (std::size_t i = 0; i < pairs.size; ++i) {
    const double u = pairs.x10[i] - x, v = pairs.y10[i] - y;
    const double u40 = pairs.x40[i] - x40, v40 = pairs.y40[i] - y40;
    spread += u * u + v * v;
    along += u * u40 + v * v40;
    across += u * v40 - v * u40;
  }
  const double angle = std::atan2(across, along);
  const double scale = model == Model::rigid ? magnification : std::hypot(along, across) / spread;
  if (!(spread > 0.0) || !std::isfinite(scale) || scale == 0.0) return std::nullopt;
  const double c = std::cos(angle), s = std::sin(angle);
  Params p(model == Model::rigid ? 3 : 4);
  p.head(3) << x40 / scale - (c * x - s * y), y40 / scale - (s * x + c * y), angle;
  if (model == Model::similarity) p[3] = scale;
  if (!p.allFinite()) return std::nullopt;
  return p;
}

}  // namespace

bool has_closed_form(Model model, Loss loss) {
  return loss == Loss::squared &&
         (model == Model::rigid || model == Model::similarity || model == Model::affine);
}

std::optional<Params> closed_form(const PairsView& pairs, Model model, double magnification) {
  if (!has_closed_form(model, Loss::squared)) return std::nullopt;
  if (model != Model::affine) return umeyama(pairs, model, magnification);
  const auto entries = Moments(pairs).least_squares();
  if (!entries) return std::nullopt;
  return Params(Eigen::Map<const Eigen::VectorXd>(entries->data(), 6));
}

}  // namespace nucreg
