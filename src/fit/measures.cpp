#include "nucreg/fit/measures.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
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

/// Points in square cells; those of a row of cells lie side by side. Empty cells all around spare
/// the question of the edge.
class NeighbourGrid {
 public:
  /// `side`: of a cell, where 1 is the distance of points that are spread evenly.
  NeighbourGrid(const std::vector<Place>& points, double side) {
    Place high = low_ = points.front();
    for (const Place& p : points)
      for (std::size_t i = 0; i < 2; ++i) {
        low_[i] = std::min(low_[i], p[i]);
        high[i] = std::max(high[i], p[i]);
      }
    const double width = high[0] - low_[0], height = high[1] - low_[1];
    const auto n = static_cast<double>(points.size());
    side_ = side * std::max(std::sqrt(width * height / n), std::max(width, height) / n);
    if (!(side_ >= std::numeric_limits<double>::min())) side_ = 1.0;
    inverse_side_ = 1.0 / side_;
    across_ = steps(high, 0) + 2;
    down_ = steps(high, 1) + 1;
    fill(points);
  }
  /// The most points in one cell.
  [[nodiscard]] std::size_t fullest() const {
    std::size_t most = 0;
    for (std::size_t i = 1; i < begin_.size(); ++i)
      most = std::max<std::size_t>(most, begin_[i] - begin_[i - 1]);
    return most;
  }
  struct Near {
    std::size_t places;           // points at one place are one
    std::vector<double> squared;  // distances from a place to the nearest other one
  };
  /// Distances between nuclei of cells that touch: all up to the side of a cell.
  [[nodiscard]] Near near_neighbours() const {
    const std::size_t count = order_.size() - met_at_once;
    std::vector<double> best(order_.size(), infinity);
    std::vector<char> again(order_.size(), 0);  // a place that another point has, too
    for (std::size_t i = 0; i < count; ++i) {
      // Each pair of points in cells that touch, from the first of them.
      const std::size_t own = cell(order_[i]), below = own + across_;
      meet(i, i + 1, begin_[own + 2], best, again);
      meet(i, begin_[below - 1], begin_[below + 2], best, again);
    }
    const double near = side_ * side_ * (1.0 - 1e-6);  // rounding may move a point to the next cell
    Near found{.places = 0, .squared = std::vector<double>(count)};
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count; ++i) {
      found.squared[kept] = best[i];
      kept += !again[i] && best[i] <= near;
      found.places += !again[i];
    }
    found.squared.resize(kept);
    return found;
  }
  /// The squared distance from each point to its nearest other one, of points without two at one
  /// place.
  [[nodiscard]] std::vector<double> neighbours() const {
    std::vector<double> distances;
    distances.reserve(order_.size() - met_at_once);
    for (std::size_t i = 0; i + met_at_once < order_.size(); ++i)
      distances.push_back(nearest(order_[i]));
    return distances;
  }

 private:
  static constexpr double infinity = std::numeric_limits<double>::infinity();
  // More points than that are rare in what meet() looks at; to end at one costs more than to meet
  // two.
  static constexpr std::size_t met_at_once = 2;

  void fill(const std::vector<Place>& points) {
    begin_.assign((down_ + 1) * across_ + 3, 0);
    // Counted two cells further on, the sums are where each cell begins, one cell further on;
    // placing the points moves that to where it ends, which is where the next one begins.
    for (const Place& p : points) ++begin_[cell(p) + 2];
    std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
    order_.assign(points.size() + met_at_once, {infinity, infinity});
    for (const Place& p : points) order_[begin_[cell(p) + 1]++] = p;
  }
  /// Also with some points that come later than that in their order, which does no harm.
  void meet(std::size_t i, std::size_t from, std::size_t to, std::vector<double>& best,
            std::vector<char>& again) const {
    double nearest_to_i = best[i];
    const Place at = order_[i];
    do {
      for (std::size_t j = from; j < from + met_at_once; ++j) {
        const double distance = squared_distance(at, order_[j]);
        if (distance == 0.0) {
          again[j] = 1;
          continue;
        }
        nearest_to_i = std::min(nearest_to_i, distance);
        best[j] = std::min(best[j], distance);
      }
      from += met_at_once;
    } while (from < to);
    best[i] = nearest_to_i;
  }
  [[nodiscard]] double nearest(const Place& p) const {
    const auto x = static_cast<std::int64_t>(steps(p, 0)),
               y = static_cast<std::int64_t>(steps(p, 1));
    const auto columns = static_cast<std::int64_t>(across_ - 1),
               rows = static_cast<std::int64_t>(down_);
    double best = infinity;
    for (std::int64_t ring = 0; ring < std::max(columns, rows); ++ring) {
      // All that is nearer than this was seen.
      const double seen = side_ * static_cast<double>(ring - 1);
      if (ring > 0 && best <= seen * seen) break;
      for (std::int64_t row = std::max<std::int64_t>(y - ring, 0);
           row <= std::min(y + ring, rows - 1); ++row) {
        const bool edge = row == y - ring || row == y + ring;
        for (std::int64_t column = x - ring; column <= x + ring;
             column += edge || ring == 0 ? 1 : 2 * ring)
          if (column >= 0 && column < columns) look(p, index(column, row), best);
      }
    }
    return best;
  }
  void look(const Place& p, std::size_t cell, double& best) const {
    for (std::size_t i = begin_[cell]; i < begin_[cell + 1]; ++i) {
      const double distance = squared_distance(order_[i], p);
      if (distance > 0.0 && distance < best) best = distance;
    }
  }
  /// Whole cells between a place and where the grid begins.
  [[nodiscard]] std::size_t steps(const Place& p, std::size_t axis) const {
    return static_cast<std::size_t>((p[axis] - low_[axis]) * inverse_side_);
  }
  [[nodiscard]] std::size_t index(std::size_t column, std::size_t row) const {
    return row * across_ + column + 1;
  }
  [[nodiscard]] std::size_t cell(const Place& p) const { return index(steps(p, 0), steps(p, 1)); }

  std::vector<Place> order_;  // and behind them places that nothing is near to, for meet()
  Place low_{};
  double side_ = 1.0, inverse_side_ = 1.0;
  // Across counts the empty cell that ends a row and begins the next.
  std::size_t across_ = 0, down_ = 0;
  std::vector<std::uint32_t> begin_;  // of each cell in the order of points
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
  // Half the distance of even points is more than a small quantile, and few pairs are as near. Few
  // points share one cell.
  constexpr std::size_t few = 8, crowded = 16;
  const double side = points.size() <= few ? 2.0 * few : 0.5;
  std::optional<NeighbourGrid> grid(std::in_place, points, side);
  if (grid->fullest() > crowded) {
    leave_each_place_once(points);
    grid.emplace(points, side);
  }
  auto [places, squared] = grid->near_neighbours();
  if (places < 2) return nan;
  const double at = fraction * static_cast<double>(places - 1);
  const auto below = static_cast<std::size_t>(at);
  if (squared.size() < std::min(below + 2, places)) {
    leave_each_place_once(points);
    squared = NeighbourGrid(points, 1.0).neighbours();
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
