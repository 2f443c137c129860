// How like itself the pattern of the nuclei of a tile is, shifted by a few spacings.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "placer_state.hpp"
#include "point_cells.hpp"

namespace nucreg::mosaic {
namespace {

constexpr std::size_t min_nuclei = 100;  // of fewer, the best shift has many by chance
constexpr std::size_t max_asked = 400;
constexpr double farthest = 3.0, nearest = 0.5;  // shifts, in spacings
constexpr double bin = 0.04;

// Counts of shifts in square bins, so that any box of bins is summed at once.
class ShiftCounts {
 public:
  ShiftCounts() : sum_(side * side, 0) {}
  void add(double x, double y) {  // in spacings
    const std::size_t ix = at(x), iy = at(y);
    if (ix < side && iy < side) ++sum_[iy * side + ix];
  }
  void sum_up() {
    for (std::size_t y = 0; y < side; ++y)
      for (std::size_t x = 0; x < side; ++x) {
        std::uint32_t& here = sum_[y * side + x];
        if (x > 0) here += sum_[y * side + x - 1];
        if (y > 0) here += sum_[(y - 1) * side + x];
        if (x > 0 && y > 0) here -= sum_[(y - 1) * side + x - 1];
      }
  }
  /// The fullest square of the area of a disc of this radius.
  [[nodiscard]] std::uint32_t max_within(double radius) const {
    const auto width =
        static_cast<std::size_t>(std::round(std::sqrt(std::numbers::pi) * radius / bin));
    const std::size_t w = std::max<std::size_t>(1, width);
    std::uint32_t most = 0;
    for (std::size_t y = w; y < side; ++y)
      for (std::size_t x = w; x < side; ++x)
        most = std::max(most, sum_[y * side + x] + sum_[(y - w) * side + x - w] -
                                  sum_[(y - w) * side + x] - sum_[y * side + x - w]);
    return most;
  }

 private:
  static constexpr std::size_t side = static_cast<std::size_t>(2.0 * farthest / bin) + 2;
  static std::size_t at(double v) {
    return static_cast<std::size_t>(std::max(0.0, (v + farthest) / bin)) + 1;
  }
  std::vector<std::uint32_t> sum_;
};

}  // namespace

std::array<double, own_gates.size()> own_parts(const TileNuclei& nuclei, double spacing_px) {
  std::array<double, own_gates.size()> out{};
  const std::size_t n = nuclei.size();
  if (n < min_nuclei || !(spacing_px > 0.0)) return out;
  const PointCells grid(nuclei.px.x, nuclei.px.y, spacing_px);
  const auto [x0, x1] = std::ranges::minmax(nuclei.px.x);
  const auto [y0, y1] = std::ranges::minmax(nuclei.px.y);
  const double reach = farthest * spacing_px;
  ShiftCounts counts;
  double asked = 0.0;
  const std::size_t step = 1 + n / max_asked;
  for (std::size_t i = 0; i < n; i += step) {
    const double x = nuclei.px.x[i], y = nuclei.px.y[i];
    // A shift must not lead out of the tile.
    if (x < x0 + reach || x > x1 - reach || y < y0 + reach || y > y1 - reach) continue;
    asked += 1.0;
    grid.each_in_box({x, y}, reach, [&](std::uint32_t, double dx, double dy) {
      if (std::max(std::abs(dx), std::abs(dy)) >= nearest * spacing_px)
        counts.add(dx / spacing_px, dy / spacing_px);
    });
  }
  if (asked < 0.4 * static_cast<double>(min_nuclei)) return out;
  counts.sum_up();
  for (std::size_t k = 0; k < own_gates.size(); ++k)
    out[k] = std::min(1.0, static_cast<double>(counts.max_within(own_gates[k])) / asked);
  return out;
}

}  // namespace nucreg::mosaic
