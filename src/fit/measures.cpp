#include "nucreg/fit/measures.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "nucreg/fit/kernels.hpp"

namespace nucreg {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double objective_px(const PairsView& pairs, const Map& fitted, Loss loss, double loss_scale_px) {
  const MapEntries m = map_entries(fitted.model, to_radians(fitted.model, fitted.params),
                                   fitted.magnification, false);
  const double value =
      pass_over_points(pairs, m.entries.data(), m.projective, loss, loss_scale_px, PassLevel::value)
          .value;
  return std::isfinite(value) ? value : nan;
}

double rmsd_px(const PairsView& pairs, const Map& fitted) {
  if (pairs.size == 0) return nan;
  return std::sqrt(objective_px(pairs, fitted, Loss::squared, 1.0) /
                   static_cast<double>(pairs.size));
}

double tre_px(const Map& fitted, const Map& truth, const std::array<double, 2>& field_px) {
  const double w = field_px[0], h = field_px[1];
  const std::array<std::array<double, 2>, 5> targets{
      {{0.0, 0.0}, {w, 0.0}, {0.0, h}, {w, h}, {0.5 * w, 0.5 * h}}};
  double sum = 0.0;
  for (const auto& [x, y] : targets) {
    const auto a = apply(fitted, x, y), b = apply(truth, x, y);
    sum += (a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]);
  }
  return std::sqrt(sum / static_cast<double>(targets.size()));
}

namespace {

/// Points in square cells, about one in each.
class NeighbourGrid {
 public:
  explicit NeighbourGrid(std::vector<std::array<double, 2>> points) : points_(std::move(points)) {
    std::array<double, 2> high = low_ = points_.front();
    for (const auto& p : points_)
      for (std::size_t i = 0; i < 2; ++i) {
        low_[i] = std::min(low_[i], p[i]);
        high[i] = std::max(high[i], p[i]);
      }
    const double width = high[0] - low_[0], height = high[1] - low_[1];
    const auto n = static_cast<double>(points_.size());
    side_ = std::max(std::sqrt(width * height / n), std::max(width, height) / n);
    if (!(side_ > 0.0)) side_ = 1.0;
    across_ = cell(high[0], 0) + 1;
    down_ = cell(high[1], 1) + 1;
    begin_.assign(static_cast<std::size_t>(across_ * down_) + 1, 0);
    for (const auto& p : points_) ++begin_[place(p) + 1];
    std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
    std::vector<std::size_t> next(begin_.begin(), begin_.end() - 1);
    order_.resize(points_.size());
    for (const auto& p : points_) order_[next[place(p)]++] = p;
  }
  /// To the nearest point at another place; infinite if there is none.
  [[nodiscard]] double nearest(const std::array<double, 2>& p) const {
    const std::int64_t x = cell(p[0], 0), y = cell(p[1], 1);
    double best = std::numeric_limits<double>::infinity();  // squared
    const std::int64_t rings = std::max(across_, down_);
    for (std::int64_t ring = 0; ring < rings; ++ring) {
      // All that is nearer than this was seen.
      const double seen = side_ * static_cast<double>(ring - 1);
      if (ring > 0 && best <= seen * seen) break;
      for (std::int64_t row = y - ring; row <= y + ring; ++row) {
        const bool edge = row == y - ring || row == y + ring;
        for (std::int64_t column = x - ring; column <= x + ring;
             column += edge || ring == 0 ? 1 : 2 * ring)
          look(p, column, row, best);
      }
    }
    return std::sqrt(best);
  }
  [[nodiscard]] const std::vector<std::array<double, 2>>& points() const { return points_; }

 private:
  [[nodiscard]] std::int64_t cell(double value, std::size_t axis) const {
    return static_cast<std::int64_t>((value - low_[axis]) / side_);
  }
  [[nodiscard]] std::size_t place(const std::array<double, 2>& p) const {
    return static_cast<std::size_t>(cell(p[1], 1) * across_ + cell(p[0], 0));
  }
  void look(const std::array<double, 2>& p, std::int64_t column, std::int64_t row,
            double& best) const {
    if (column < 0 || row < 0 || column >= across_ || row >= down_) return;
    const auto at = static_cast<std::size_t>(row * across_ + column);
    for (std::size_t i = begin_[at]; i < begin_[at + 1]; ++i) {
      const double dx = order_[i][0] - p[0], dy = order_[i][1] - p[1];
      const double distance = dx * dx + dy * dy;
      if (distance > 0.0 && distance < best) best = distance;
    }
  }

  std::vector<std::array<double, 2>> points_, order_;
  std::array<double, 2> low_{};
  double side_ = 1.0;
  std::int64_t across_ = 1, down_ = 1;
  std::vector<std::size_t> begin_;
};

}  // namespace

double neighbour_distance_px(const PairsView& pairs, const PairsView& more, double fraction) {
  std::vector<std::array<double, 2>> points;
  points.reserve(pairs.size + more.size);
  for (const PairsView* view : {&pairs, &more})
    for (std::size_t i = 0; i < view->size; ++i)
      if (std::isfinite(view->x40[i]) && std::isfinite(view->y40[i]))
        points.push_back({view->x40[i], view->y40[i]});
  std::ranges::sort(points);
  points.erase(std::unique(points.begin(), points.end()), points.end());
  if (points.size() < 2) return nan;
  const NeighbourGrid grid(std::move(points));
  std::vector<double> distances;
  distances.reserve(grid.points().size());
  for (const auto& p : grid.points()) distances.push_back(grid.nearest(p));
  const double at = fraction * static_cast<double>(distances.size() - 1);
  const auto below = static_cast<std::ptrdiff_t>(at);
  std::nth_element(distances.begin(), distances.begin() + below, distances.end());
  const double low = distances[static_cast<std::size_t>(below)];
  if (below + 1 == static_cast<std::ptrdiff_t>(distances.size())) return low;
  const double high = *std::min_element(distances.begin() + below + 1, distances.end());
  return low + (high - low) * (at - static_cast<double>(below));
}

double param_error(const Map& fitted, const Map& truth) {
  if (fitted.model != truth.model) return nan;
  Params difference = fitted.params - truth.params;
  if (const int i = angle_index(fitted.model); i >= 0)
    difference[i] = std::remainder(difference[i], 360.0);
  return difference.norm();
}

double gap(double objective, double best, double rounding_floor) {
  if (!std::isfinite(objective) || !std::isfinite(best)) return nan;
  const double excess = objective - best;
  return excess <= rounding_floor ? 0.0 : excess / std::max(best, rounding_floor);
}

double rounding_floor_px(const PairsView& pairs) {
  double sum = 0.0;
  for (std::size_t i = 0; i < pairs.size; ++i)
    sum += pairs.x40[i] * pairs.x40[i] + pairs.y40[i] * pairs.y40[i];
  const double eps = 8.0 * std::numeric_limits<double>::epsilon();
  return eps * eps * sum;
}

}  // namespace nucreg
