// Points in the cells of a square grid: what lies within a radius, in a fixed order.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace nucreg::mosaic {

/// Neighbours of any place in time that does not grow with the number of points, 12 B a point.
/// Points that are not finite are left out.
class PointGrid {
 public:
  /// `cell`: edge of a cell, > 0; enlarged if the grid would have many more cells than points.
  PointGrid(std::span<const float> x, std::span<const float> y, double cell);

  /// Calls f(index, square of the distance) for all points at most `radius` from (x, y): by cells,
  /// in a cell by rising index.
  template <typename F>
  void within(double x, double y, double radius, F&& f) const {
    if (index_.empty() || !std::isfinite(x) || !std::isfinite(y)) return;
    const std::int64_t c0 = column(x - radius), c1 = column(x + radius);
    const std::int64_t r0 = row(y - radius), r1 = row(y + radius);
    for (std::int64_t r = std::max<std::int64_t>(r0, 0); r <= std::min(r1, rows_ - 1); ++r)
      scan(r, c0, c1, x, y, radius * radius, f);
  }

 private:
  template <typename F>
  void scan(std::int64_t r, std::int64_t c0, std::int64_t c1, double x, double y, double square,
            F&& f) const {
    c0 = std::max<std::int64_t>(c0, 0);
    c1 = std::min(c1, columns_ - 1);
    if (c0 > c1) return;
    const std::uint32_t end = begin_[static_cast<std::size_t>(r * columns_ + c1 + 1)];
    for (std::uint32_t k = begin_[static_cast<std::size_t>(r * columns_ + c0)]; k < end; ++k) {
      const double dx = static_cast<double>(x_[k]) - x, dy = static_cast<double>(y_[k]) - y;
      const double d2 = dx * dx + dy * dy;
      if (d2 <= square) f(index_[k], d2);
    }
  }
  [[nodiscard]] std::int64_t column(double x) const {
    return static_cast<std::int64_t>(std::clamp(std::floor((x - x0_) / cell_), -1.0, 1e9));
  }
  [[nodiscard]] std::int64_t row(double y) const {
    return static_cast<std::int64_t>(std::clamp(std::floor((y - y0_) / cell_), -1.0, 1e9));
  }

  double x0_ = 0.0, y0_ = 0.0, cell_ = 1.0;
  std::int64_t columns_ = 0, rows_ = 0;
  std::vector<std::uint32_t> begin_, index_;
  std::vector<float> x_, y_;  // in the order of index_
};

}  // namespace nucreg::mosaic
