// Points in square cells: who is near a place.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "nucreg/core/affine.hpp"

namespace nucreg::mosaic {

class PointCells {
 public:
  /// Borrows the columns; they must not be empty.
  PointCells(const std::vector<double>& x, const std::vector<double>& y, double cell_um) {
    low_ = {*std::ranges::min_element(x), *std::ranges::min_element(y)};
    const Point high{*std::ranges::max_element(x), *std::ranges::max_element(y)};
    // No more cells than a few per point, whatever the extent.
    const double extent = std::max({high[0] - low_[0], high[1] - low_[1], 1e-9});
    cell_ = std::max(cell_um, extent / std::sqrt(4.0 * static_cast<double>(x.size()) + 64.0));
    nx_ = 1 + static_cast<std::int64_t>((high[0] - low_[0]) / cell_);
    ny_ = 1 + static_cast<std::int64_t>((high[1] - low_[1]) / cell_);
    start_.assign(static_cast<std::size_t>(nx_ * ny_) + 1, 0);
    std::vector<std::size_t> cell(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      cell[i] = static_cast<std::size_t>(at(y[i], 1) * nx_ + at(x[i], 0));
      ++start_[cell[i] + 1];
    }
    for (std::size_t c = 1; c < start_.size(); ++c) start_[c] += start_[c - 1];
    std::vector<std::uint32_t> next(start_.begin(), start_.end() - 1);
    entry_.resize(x.size());
    for (std::size_t i = 0; i < x.size(); ++i)
      entry_[next[cell[i]]++] = {x[i], y[i], static_cast<std::uint32_t>(i)};
  }

  /// visit(index, dx, dy) for each point with |dx|, |dy| <= reach_um, d = point
  /// - p.
  template <class Visit>
  void each_in_box(const Point& p, double reach_um, Visit&& visit) const {
    const std::int64_t x0 = clamped(p[0] - reach_um, 0, nx_), x1 = clamped(p[0] + reach_um, 0, nx_);
    const std::int64_t y0 = clamped(p[1] - reach_um, 1, ny_), y1 = clamped(p[1] + reach_um, 1, ny_);
    for (std::int64_t iy = y0; iy <= y1; ++iy) {
      const std::size_t row = static_cast<std::size_t>(iy * nx_);
      const std::uint32_t first = start_[row + static_cast<std::size_t>(x0)];
      const std::uint32_t last = start_[row + static_cast<std::size_t>(x1) + 1];
      for (std::uint32_t k = first; k < last; ++k) {
        const double dx = entry_[k].x - p[0], dy = entry_[k].y - p[1];
        if (std::abs(dx) <= reach_um && std::abs(dy) <= reach_um) visit(entry_[k].index, dx, dy);
      }
    }
  }

 private:
  struct Entry {
    double x, y;
    std::uint32_t index;
  };
  [[nodiscard]] std::int64_t at(double v, std::size_t k) const {
    return static_cast<std::int64_t>((v - low_[k]) / cell_);
  }
  [[nodiscard]] std::int64_t clamped(double v, std::size_t k, std::int64_t n) const {
    const double cell = std::floor((v - low_[k]) / cell_);
    return static_cast<std::int64_t>(std::clamp(cell, 0.0, static_cast<double>(n - 1)));
  }

  Point low_{};
  double cell_ = 1.0;
  std::int64_t nx_ = 1, ny_ = 1;
  std::vector<std::uint32_t> start_;
  std::vector<Entry> entry_;
};

}  // namespace nucreg::mosaic
