#include "displacement.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace nucreg::mosaic {
namespace {

constexpr double nuclei_per_field_cell = 20.0;
constexpr double field_prior_pairs = 4.0;  // of the tile's mean

}  // namespace

LocalShift::LocalShift(const Detections& forty, std::span<const PlacedTile> placed)
    : forty_(forty), grids_(placed.size()), tiles_(placed.size()) {
  constexpr float inf = std::numeric_limits<float>::infinity();
  std::vector<std::array<float, 4>> box(placed.size(), {inf, inf, -inf, -inf});
  std::vector<std::uint32_t> count(placed.size(), 0);
  for (std::size_t d = 0; d < forty.size(); ++d) {
    const std::uint32_t t = forty.tile[d];
    if (!is_comparable(placed[t])) continue;
    ++count[t];
    box[t][0] = std::min(box[t][0], forty.x_um[d]);
    box[t][1] = std::min(box[t][1], forty.y_um[d]);
    box[t][2] = std::max(box[t][2], forty.x_um[d]);
    box[t][3] = std::max(box[t][3], forty.y_um[d]);
  }
  std::uint32_t first = 0;
  for (std::size_t t = 0; t < placed.size(); ++t) {
    if (count[t] == 0) continue;
    const double w = std::max(static_cast<double>(box[t][2] - box[t][0]), 1e-3);
    const double h = std::max(static_cast<double>(box[t][3] - box[t][1]), 1e-3);
    const double per = std::max(1.0, static_cast<double>(count[t]) / nuclei_per_field_cell);
    const double cell = std::max(std::sqrt(w * h / per), std::max(w, h) / 64.0);
    const auto cells = [&](double v) { return static_cast<std::uint32_t>(v / cell) + 1; };
    grids_[t] = {box[t][0], box[t][1], static_cast<float>(cell), cells(w), cells(h), first};
    first += grids_[t].columns * grids_[t].rows;
  }
  sums_.assign(first, {});
}

void LocalShift::learn(const Objects& objects, std::span<const Shift> moved,
                       const Partners& partners) {
  std::fill(sums_.begin(), sums_.end(), Sum{});
  std::fill(tiles_.begin(), tiles_.end(), Sum{});
  for (std::size_t d = 0; d < forty_.size(); ++d) {
    const std::uint32_t j = objects.of[d], t = forty_.tile[d];
    const Grid& g = grids_[t];
    const float w = partners.weight[j];
    if (g.columns == 0 || !(w > 0.0F)) continue;
    // Single precision may round what lies at the far edge into the next cell.
    const std::uint32_t column =
        std::min(static_cast<std::uint32_t>((forty_.x_um[d] - g.x0) / g.cell), g.columns - 1);
    const std::uint32_t row =
        std::min(static_cast<std::uint32_t>((forty_.y_um[d] - g.y0) / g.cell), g.rows - 1);
    const Shift before = moved.empty() ? Shift{} : moved[j];
    const float x = w * (forty_.x_um[d] - before.x - partners.x[j]);
    const float y = w * (forty_.y_um[d] - before.y - partners.y[j]);
    for (Sum* sum : {&sums_[g.first + row * g.columns + column], &tiles_[t]})
      sum->weight += w, sum->x += x, sum->y += y;
  }
}

Shift LocalShift::blend(std::uint32_t d, const Shift& own, double own_weight) const {
  const std::uint32_t t = forty_.tile[d];
  const Grid& g = grids_[t];
  if (g.columns == 0) return {};
  const double u = static_cast<double>((forty_.x_um[d] - g.x0) / g.cell);
  const double v = static_cast<double>((forty_.y_um[d] - g.y0) / g.cell);
  const std::int64_t column = std::min<std::int64_t>(static_cast<std::int64_t>(u), g.columns - 1);
  const std::int64_t row = std::min<std::int64_t>(static_cast<std::int64_t>(v), g.rows - 1);
  const auto weights = [](double s) {  // s within the cell, 0 to 1
    return std::array{0.5 * (1 - s) * (1 - s), 0.75 - (s - 0.5) * (s - 0.5), 0.5 * s * s};
  };
  const auto wx = weights(u - static_cast<double>(column));
  const auto wy = weights(v - static_cast<double>(row));
  double n = 0, x = 0, y = 0;
  for (std::int64_t r = -1; r <= 1; ++r) {
    for (std::int64_t c = -1; c <= 1; ++c) {
      if (row + r < 0 || row + r >= g.rows || column + c < 0 || column + c >= g.columns) continue;
      const Sum& sum =
          sums_[static_cast<std::size_t>(g.first + (row + r) * g.columns + column + c)];
      const double w = wx[static_cast<std::size_t>(c + 1)] * wy[static_cast<std::size_t>(r + 1)];
      n += w * static_cast<double>(sum.weight);
      x += w * static_cast<double>(sum.x);
      y += w * static_cast<double>(sum.y);
    }
  }
  const double self = wx[1] * wy[1] * own_weight;
  const double own_x = static_cast<double>(own.x), own_y = static_cast<double>(own.y);
  n -= self, x -= self * own_x, y -= self * own_y;
  // Shrunk to the mean of the tile, itself shrunk to 0; the B-spline weights of a cell are at most
  // 0.56, so that a few pairs count as a few.
  const Sum& all = tiles_[t];
  const double nt = static_cast<double>(all.weight) - own_weight + field_prior_pairs;
  const double mx = (static_cast<double>(all.x) - own_weight * own_x) / nt;
  const double my = (static_cast<double>(all.y) - own_weight * own_y) / nt;
  n = std::max(n, 0.0);
  return {static_cast<float>((x + field_prior_pairs * mx) / (n + field_prior_pairs)),
          static_cast<float>((y + field_prior_pairs * my) / (n + field_prior_pairs))};
}

}  // namespace nucreg::mosaic
