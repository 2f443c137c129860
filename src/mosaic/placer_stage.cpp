#include "placer_state.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <complex>

namespace nucreg::mosaic {
namespace {

using Complex = std::complex<double>;

constexpr std::size_t max_proposals = 600;

double distance(const AffineMap& map, const Point& from, const Point& to) {
  const Point p = nucreg::apply(map, from);
  return std::hypot(p[0] - to[0], p[1] - to[1]);
}

// The similarity through two pairs of points.
AffineMap through(const Point& s, const Point& t, const Point& p, const Point& q, bool mirrored) {
  const double m = mirrored ? -1.0 : 1.0;
  const Complex d(t[0] - s[0], m * (t[1] - s[1])), e(q[0] - p[0], q[1] - p[1]);
  const Complex f = e / d;
  const double a = f.real(), b = f.imag();
  return {a, -m * b, p[0] - a * s[0] + m * b * s[1], b, m * a, p[1] - b * s[0] - m * a * s[1]};
}

std::vector<bool> followers(const AffineMap& map, std::span<const Point> from,
                            std::span<const Point> to, double tolerance_um) {
  std::vector<bool> out(from.size());
  for (std::size_t i = 0; i < from.size(); ++i)
    out[i] = distance(map, from[i], to[i]) <= tolerance_um;
  return out;
}

// Least squares over the points that follow: six parameters if they are many
// and spread.
AffineMap refit(std::span<const Point> from, std::span<const Point> to,
                const std::vector<bool>& use, const AffineMap& before) {
  const auto n = static_cast<double>(std::ranges::count(use, true));
  Point mf{}, mt{};
  for (std::size_t i = 0; i < from.size(); ++i)
    if (use[i])
      for (std::size_t k = 0; k < 2; ++k) {
        mf[k] += from[i][k] / n;
        mt[k] += to[i][k] / n;
      }
  Eigen::Matrix2d cov = Eigen::Matrix2d::Zero(), cross = Eigen::Matrix2d::Zero();
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (!use[i]) continue;
    const Eigen::Vector2d f(from[i][0] - mf[0], from[i][1] - mf[1]);
    const Eigen::Vector2d t(to[i][0] - mt[0], to[i][1] - mt[1]);
    cov += f * f.transpose();
    cross += t * f.transpose();
  }
  // Its eigenvalues, times two, are these two's sum and difference.
  const double both = cov.trace(), apart = std::hypot(cov(0, 0) - cov(1, 1), 2.0 * cov(0, 1));
  Eigen::Matrix2d m;
  if (n >= 8.0 && both - apart > 1e-3 * (both + apart)) {
    m = cross * cov.inverse();
  } else {
    const double s = determinant(before) < 0.0 ? -1.0 : 1.0;
    const double a = cross(0, 0) + s * cross(1, 1), b = cross(1, 0) - s * cross(0, 1);
    const double c = cov.trace();
    m << a / c, -s * b / c, b / c, s * a / c;
  }
  return {m(0, 0), m(0, 1), mt[0] - m(0, 0) * mf[0] - m(0, 1) * mf[1],
          m(1, 0), m(1, 1), mt[1] - m(1, 0) * mf[0] - m(1, 1) * mf[1]};
}

double scatter(const AffineMap& map, std::span<const Point> from, std::span<const Point> to,
               const std::vector<bool>& use) {
  std::vector<double> d;
  for (std::size_t i = 0; i < from.size(); ++i)
    if (use[i]) d.push_back(distance(map, from[i], to[i]));
  if (d.empty()) return 0.0;
  const auto middle = d.begin() + static_cast<std::ptrdiff_t>(d.size() / 2);
  std::nth_element(d.begin(), middle, d.end());
  return *middle / rayleigh_median;
}

}  // namespace

StageFit fit_stage(std::span<const Point> recorded, std::span<const Point> place,
                   double tolerance_um) {
  StageFit out;
  const std::size_t n = recorded.size();
  out.follows.assign(n, false);
  if (n < 3) return out;
  std::size_t best = 0;
  std::size_t proposals = 0;
  for (std::size_t step = n / 2; step >= 1 && proposals < max_proposals; --step)
    for (std::size_t i = 0; i < n && proposals < max_proposals; ++i) {
      const std::size_t j = (i + step) % n;
      if (recorded[i] == recorded[j]) continue;
      ++proposals;
      for (const bool mirrored : {false, true}) {
        const AffineMap map = through(recorded[i], recorded[j], place[i], place[j], mirrored);
        if (!(std::abs(determinant(map)) > 0.0)) continue;
        auto follow = followers(map, recorded, place, tolerance_um);
        const auto count = static_cast<std::size_t>(std::ranges::count(follow, true));
        if (count <= best) continue;
        best = count;
        out.map = map;
        out.follows = std::move(follow);
      }
    }
  if (best < 3 || 2 * best < n) return out;
  double within = tolerance_um;
  for (int round = 0; round < 4; ++round) {
    out.map = refit(recorded, place, out.follows, out.map);
    out.scatter_um = scatter(out.map, recorded, place, out.follows);
    within = std::min(tolerance_um, std::max(8.0 * out.scatter_um, 0.4 * tolerance_um));
    out.follows = followers(out.map, recorded, place, within);
  }
  out.found = true;
  return out;
}

}  // namespace nucreg::mosaic
