#include "point_grid.hpp"

#include <limits>

namespace nucreg::mosaic {

PointGrid::PointGrid(std::span<const float> x, std::span<const float> y, double cell) {
  double x1 = -std::numeric_limits<double>::infinity(), y1 = x1;
  x0_ = y0_ = std::numeric_limits<double>::infinity();
  std::size_t count = 0;
  const auto finite = [&](std::size_t i) { return std::isfinite(x[i]) && std::isfinite(y[i]); };
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!finite(i)) continue;
    x0_ = std::min<double>(x0_, static_cast<double>(x[i]));
    y0_ = std::min<double>(y0_, static_cast<double>(y[i]));
    x1 = std::max<double>(x1, static_cast<double>(x[i]));
    y1 = std::max<double>(y1, static_cast<double>(y[i]));
    ++count;
  }
  if (count == 0) return;
  cell_ = cell;
  const double most = static_cast<double>(count) + 1024.0;
  while (((x1 - x0_) / cell_ + 1.0) * ((y1 - y0_) / cell_ + 1.0) > most) cell_ *= 1.5;
  columns_ = column(x1) + 1;
  rows_ = row(y1) + 1;
  begin_.assign(static_cast<std::size_t>(columns_ * rows_ + 1), 0);
  const auto cell_of = [&](std::size_t i) {
    return static_cast<std::size_t>(row(static_cast<double>(y[i])) * columns_ +
                                    column(static_cast<double>(x[i])));
  };
  for (std::size_t i = 0; i < x.size(); ++i)
    if (finite(i)) ++begin_[cell_of(i) + 1];
  for (std::size_t c = 1; c < begin_.size(); ++c) begin_[c] += begin_[c - 1];
  index_.resize(count);
  x_.resize(count);
  y_.resize(count);
  std::vector<std::uint32_t> next(begin_.begin(), begin_.end() - 1);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!finite(i)) continue;
    const std::uint32_t k = next[cell_of(i)]++;
    index_[k] = static_cast<std::uint32_t>(i);
    x_[k] = x[i];
    y_[k] = y[i];
  }
}

}  // namespace nucreg::mosaic
