#include "nucreg/fit/measures.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "nucreg/fit/kernels.hpp"

namespace nucreg {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double objective_px(const PairsView& pairs, const Map& fitted, Loss loss, double loss_scale_px) {
  const MapEntries m = map_entries(fitted);
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
  const MapEntries fitted_map = map_entries(fitted), true_map = map_entries(truth);
  double sum = 0.0;
  for (const auto& [x, y] : targets) {
    const auto a = apply(fitted_map, x, y), b = apply(true_map, x, y);
    sum += (a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]);
  }
  return std::sqrt(sum / static_cast<double>(targets.size()));
}

namespace {

using Place = std::array<double, 2>;

double squared_distance(const Place& a, const Place& b) {
  const double dx = a[0] - b[0], dy = a[1] - b[1];
  return dx * dx + dy * dy;
}

/// Points in square cells, about one in each; those of a row of cells lie side by side.
class NeighbourGrid {
 public:
  explicit NeighbourGrid(const std::vector<Place>& points) {
    Place high = low_ = points.front();
    for (const Place& p : points)
      for (std::size_t i = 0; i < 2; ++i) {
        low_[i] = std::min(low_[i], p[i]);
        high[i] = std::max(high[i], p[i]);
      }
    const double width = high[0] - low_[0], height = high[1] - low_[1];
    const auto n = static_cast<double>(points.size());
    side_ = std::max(std::sqrt(width * height / n), std::max(width, height) / n);
    if (!(side_ > 0.0)) side_ = 1.0;
    across_ = cell(high[0], 0) + 1;
    down_ = cell(high[1], 1) + 1;
    fill(points);
  }
  /// The most points in one cell.
  [[nodiscard]] std::size_t fullest() const {
    std::size_t most = 0;
    for (std::size_t i = 1; i < begin_.size(); ++i)
      most = std::max(most, begin_[i] - begin_[i - 1]);
    return most;
  }
  /// Squared distance from each place to the nearest other one; of those above near(), some are too
  /// large.
  [[nodiscard]] std::vector<double> near_neighbours() const {
    std::vector<double> best(order_.size(), std::numeric_limits<double>::infinity());
    std::vector<char> again(order_.size(), 0);  // a place that another point has, too
    for (std::int64_t row = 0; row < down_; ++row)
      for (std::int64_t column = 0; column < across_; ++column)
        for (std::size_t i = begin(row, column); i < begin(row, column + 1); ++i) {
          // Each pair of points in cells that touch, once.
          meet(i, i + 1, begin(row, std::min(column + 2, across_)), best, again);
          if (row + 1 < down_)
            meet(i, begin(row + 1, std::max<std::int64_t>(column - 1, 0)),
                 begin(row + 1, std::min(column + 2, across_)), best, again);
        }
    std::vector<double> places;
    places.reserve(best.size());
    for (std::size_t i = 0; i < best.size(); ++i)
      if (!again[i]) places.push_back(best[i]);
    return places;
  }
  /// The squared distance up to which cells that touch tell the nearest; rounding may move a point
  /// to the next cell.
  [[nodiscard]] double near() const { return side_ * side_ * (1.0 - 1e-9); }
  /// As near_neighbours, without such a limit, of points without two at one place.
  [[nodiscard]] std::vector<double> neighbours() const {
    std::vector<double> distances;
    distances.reserve(order_.size());
    for (const Place& p : order_) distances.push_back(nearest(p));
    return distances;
  }

 private:
  void fill(const std::vector<Place>& points) {
    begin_.assign(static_cast<std::size_t>(across_ * down_) + 1, 0);
    std::vector<std::size_t> cells(points.size());
    for (std::size_t i = 0; i < points.size(); ++i) {
      cells[i] = static_cast<std::size_t>(cell(points[i][1], 1) * across_ + cell(points[i][0], 0));
      ++begin_[cells[i] + 1];
    }
    std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
    std::vector<std::size_t> next(begin_.begin(), begin_.end() - 1);
    order_.resize(points.size());
    for (std::size_t i = 0; i < points.size(); ++i) order_[next[cells[i]]++] = points[i];
  }
  void meet(std::size_t i, std::size_t from, std::size_t to, std::vector<double>& best,
            std::vector<char>& again) const {
    double nearest_to_i = best[i];
    for (std::size_t j = from; j < to; ++j) {
      const double distance = squared_distance(order_[i], order_[j]);
      if (distance == 0.0) {
        again[j] = 1;
        continue;
      }
      nearest_to_i = std::min(nearest_to_i, distance);
      best[j] = std::min(best[j], distance);
    }
    best[i] = nearest_to_i;
  }
  [[nodiscard]] double nearest(const Place& p) const {
    const std::int64_t x = cell(p[0], 0), y = cell(p[1], 1);
    double best = std::numeric_limits<double>::infinity();
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
    return best;
  }
  void look(const Place& p, std::int64_t column, std::int64_t row, double& best) const {
    if (column < 0 || row < 0 || column >= across_ || row >= down_) return;
    for (std::size_t i = begin(row, column); i < begin(row, column + 1); ++i) {
      const double distance = squared_distance(order_[i], p);
      if (distance > 0.0 && distance < best) best = distance;
    }
  }
  [[nodiscard]] std::int64_t cell(double value, std::size_t axis) const {
    return static_cast<std::int64_t>((value - low_[axis]) / side_);
  }
  /// Of a cell in the order of points; `column` = across_: where the row ends.
  [[nodiscard]] std::size_t begin(std::int64_t row, std::int64_t column) const {
    return begin_[static_cast<std::size_t>(row * across_ + column)];
  }

  std::vector<Place> order_;
  Place low_{};
  double side_ = 1.0;
  std::int64_t across_ = 1, down_ = 1;
  std::vector<std::size_t> begin_;
};

std::vector<Place> finite_places(const PairsView& pairs, const PairsView& more) {
  std::vector<Place> points;
  points.reserve(pairs.size + more.size);
  for (const PairsView* view : {&pairs, &more})
    for (std::size_t i = 0; i < view->size; ++i)
      if (std::isfinite(view->x40[i]) && std::isfinite(view->y40[i]))
        points.push_back({view->x40[i], view->y40[i]});
  return points;
}

void leave_each_place_once(std::vector<Place>& points) {
  std::ranges::sort(points);
  points.erase(std::unique(points.begin(), points.end()), points.end());
}

}  // namespace

double neighbour_distance_px(const PairsView& pairs, const PairsView& more, double fraction) {
  std::vector<Place> points = finite_places(pairs, more);
  if (points.size() < 2) return nan;
  std::optional<NeighbourGrid> grid(points);
  constexpr std::size_t crowded = 16;
  if (grid->fullest() > crowded) {
    leave_each_place_once(points);
    grid.emplace(points);
  }
  std::vector<double> squared = grid->near_neighbours();
  if (squared.size() < 2) return nan;
  const std::size_t places = squared.size();
  const double at = fraction * static_cast<double>(places - 1);
  const auto below = static_cast<std::size_t>(at);
  // A small quantile is among those that are near.
  std::erase_if(squared, [&](double distance) { return distance > grid->near(); });
  if (squared.size() < std::min(below + 2, places)) {
    leave_each_place_once(points);
    squared = NeighbourGrid(points).neighbours();
  }
  const auto nth = squared.begin() + static_cast<std::ptrdiff_t>(below);
  std::nth_element(squared.begin(), nth, squared.end());
  const double low = std::sqrt(*nth);
  if (below + 1 == places) return low;
  const double high = std::sqrt(*std::min_element(nth + 1, squared.end()));
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
