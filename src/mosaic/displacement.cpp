#include "displacement.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace nucreg::mosaic {
namespace {

constexpr double nuclei_per_cell = 20.0;
constexpr double prior_pairs = 4.0;  // of the tile's mean

}  // namespace

LocalShift::LocalShift(const Detections& forty, std::span<const PlacedTile> placed)
    : forty_(forty), grids_(placed.size()), tiles_(placed.size()) {
  constexpr float inf = std::numeric_limits<float>::infinity();
  std::vector<std::array<float, 4>> box(placed.size(), {inf, inf, -inf, -inf});
  std::vector<std::uint32_t> count(placed.size(), 0);
  for (std::size_t d = 0; d < forty.size(); ++d) {
    const std::uint32_t t = forty.tile[d];
    if (!is_placed(placed[t])) continue;
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
    const double per = std::max(1.0, static_cast<double>(count[t]) / nuclei_per_cell);
    const double cell = std::max(std::sqrt(w * h / per), std::max(w, h) / 64.0);
    const auto cells = [&](double v) { return static_cast<std::uint32_t>(v / cell) + 1; };
    grids_[t] = {box[t][0], box[t][1], static_cast<float>(cell), cells(w), cells(h), first};
    first += grids_[t].columns * grids_[t].rows;
  }
  sums_.assign(first, {});
}

void LocalShift::learn(const Objects& objects, std::span<const Point> offset,
                       std::span<const float> ten_x, std::span<const float> ten_y,
                       std::span<const float> weight) {
  std::fill(sums_.begin(), sums_.end(), Sum{});
  std::fill(tiles_.begin(), tiles_.end(), Sum{});
  for (std::size_t d = 0; d < forty_.size(); ++d) {
    const std::uint32_t j = objects.of[d], t = forty_.tile[d];
    const Grid& g = grids_[t];
    if (g.columns == 0 || !(weight[j] > 0.0F)) continue;
    const auto column = static_cast<std::uint32_t>((forty_.x_um[d] - g.x0) / g.cell);
    const auto row = static_cast<std::uint32_t>((forty_.y_um[d] - g.y0) / g.cell);
    const float w = weight[j];
    const float x = w * (forty_.x_um[d] - static_cast<float>(offset[j][0]) - ten_x[j]);
    const float y = w * (forty_.y_um[d] - static_cast<float>(offset[j][1]) - ten_y[j]);
    for (Sum* sum : {&sums_[g.first + row * g.columns + column], &tiles_[t]})
      sum->weight += w, sum->x += x, sum->y += y;
  }
}

Point LocalShift::blend(std::uint32_t d, const Point& own, double own_weight) const {
  const std::uint32_t t = forty_.tile[d];
  const Grid& g = grids_[t];
  if (g.columns == 0) return {0.0, 0.0};
  const double u = static_cast<double>((forty_.x_um[d] - g.x0) / g.cell);
  const double v = static_cast<double>((forty_.y_um[d] - g.y0) / g.cell);
  const auto column = static_cast<std::int64_t>(u), row = static_cast<std::int64_t>(v);
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
  n -= self, x -= self * own[0], y -= self * own[1];
  // Shrunk to the mean of the tile, itself shrunk to 0; the B-spline weights of a cell are at most
  // 0.56, so that a few pairs count as a few.
  const Sum& all = tiles_[t];
  const double nt = static_cast<double>(all.weight) - own_weight + prior_pairs;
  const double mx = (static_cast<double>(all.x) - own_weight * own[0]) / nt;
  const double my = (static_cast<double>(all.y) - own_weight * own[1]) / nt;
  n = std::max(n, 0.0);
  return {(x + prior_pairs * mx) / (n + prior_pairs), (y + prior_pairs * my) / (n + prior_pairs)};
}

namespace {

struct Vote {
  Point shift{};
  double count = 0;
};

// The shift for which most pairs (forty in the block, ten within reach) vote, if chance does not
// explain it; found with bins of a third of the tolerance, summed 3 x 3.
class VoteCounter {
 public:
  VoteCounter(double reach, double tolerance)
      : bin_(tolerance / 1.5),
        half_(static_cast<std::int64_t>(reach / bin_) + 2),
        size_(static_cast<std::size_t>(2 * half_ + 1)),
        counts_(size_ * size_) {}

  void clear() { std::fill(counts_.begin(), counts_.end(), 0), total_ = 0; }
  void add(double dx, double dy) {
    const auto c = static_cast<std::int64_t>(std::lround(dx / bin_)) + half_;
    const auto r = static_cast<std::int64_t>(std::lround(dy / bin_)) + half_;
    ++counts_[static_cast<std::size_t>(r) * size_ + static_cast<std::size_t>(c)];
    ++total_;
  }
  [[nodiscard]] Vote best() const {
    Vote out;
    for (std::size_t r = 1; r + 1 < size_; ++r) {
      for (std::size_t c = 1; c + 1 < size_; ++c) {
        double n = 0, x = 0, y = 0;
        for (std::size_t rr = r - 1; rr <= r + 1; ++rr) {
          for (std::size_t cc = c - 1; cc <= c + 1; ++cc) {
            const double k = counts_[rr * size_ + cc];
            n += k, x += k * static_cast<double>(cc), y += k * static_cast<double>(rr);
          }
        }
        if (n <= out.count) continue;
        const double half = static_cast<double>(half_);
        out = {{(x / n - half) * bin_, (y / n - half) * bin_}, n};
      }
    }
    return out;
  }
  /// Votes that chance gives to a place.
  [[nodiscard]] double chance(double reach) const {
    return static_cast<double>(total_) * 9.0 * bin_ * bin_ / (3.14159265358979 * reach * reach);
  }

 private:
  double bin_;
  std::int64_t half_;
  std::size_t size_;
  std::vector<std::uint16_t> counts_;
  std::size_t total_ = 0;
};

// Objects of a side by blocks of some hundred nuclei.
struct Blocks {
  double x0 = 0, y0 = 0, edge = 1;
  std::size_t columns = 0, rows = 0;
  std::vector<std::vector<std::uint32_t>> members;

  Blocks(const SideView& side, double edge_um) : edge(edge_um) {
    double x1 = 0, y1 = 0;
    bool any = false;
    for (std::size_t i = 0; i < side.size(); ++i) {
      const double x = static_cast<double>(side.x[i]), y = static_cast<double>(side.y[i]);
      if (side.shared[i] == 0 || !std::isfinite(x) || !std::isfinite(y)) continue;
      if (!any) x0 = x1 = x, y0 = y1 = y;
      any = true;
      x0 = std::min(x0, x), x1 = std::max(x1, x), y0 = std::min(y0, y), y1 = std::max(y1, y);
    }
    if (!any) return;
    columns = static_cast<std::size_t>((x1 - x0) / edge) + 1;
    rows = static_cast<std::size_t>((y1 - y0) / edge) + 1;
    members.resize(columns * rows);
    for (std::uint32_t i = 0; i < side.size(); ++i) {
      const double x = static_cast<double>(side.x[i]), y = static_cast<double>(side.y[i]);
      if (side.shared[i] == 0 || !std::isfinite(x) || !std::isfinite(y)) continue;
      members[static_cast<std::size_t>((y - y0) / edge) * columns +
              static_cast<std::size_t>((x - x0) / edge)]
          .push_back(i);
    }
  }
  template <typename F>
  void around(std::size_t block, F&& f) const {
    const std::size_t r = block / columns, c = block % columns;
    for (std::size_t rr = r - std::min<std::size_t>(r, 1); rr <= std::min(r + 1, rows - 1); ++rr)
      for (std::size_t cc = c - std::min<std::size_t>(c, 1); cc <= std::min(c + 1, columns - 1);
           ++cc)
        f(rr * columns + cc);
  }
};

}  // namespace

std::vector<MovedRegion> find_moved(const SideView& ten, const SideView& forty,
                                    std::span<const float> ten_probability,
                                    std::span<const float> forty_probability, double spacing_um,
                                    double narrow_um, std::span<Point> offset) {
  std::vector<MovedRegion> regions;
  if (!(spacing_um > 0.0)) return regions;
  const double edge = 12.0 * spacing_um, reach = 5.0 * spacing_um;
  const double tolerance = std::max(2.5 * narrow_um, 0.08 * spacing_um);
  const Blocks blocks(forty, edge);
  if (blocks.columns == 0) return regions;
  // Blocks whose rate is far below that of the well.
  std::vector<float> rate(blocks.members.size(), 1.0F), sorted;
  for (std::size_t b = 0; b < rate.size(); ++b) {
    if (blocks.members[b].size() < 12) continue;
    double sum = 0;
    for (const std::uint32_t j : blocks.members[b])
      sum += static_cast<double>(forty_probability[j]);
    rate[b] = static_cast<float>(sum / static_cast<double>(blocks.members[b].size()));
    sorted.push_back(rate[b]);
  }
  if (sorted.empty()) return regions;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() * 3 / 4);
  std::nth_element(sorted.begin(), middle, sorted.end());
  const float low = std::min(0.75F * *middle, 0.6F);
  const PointGrid grid(ten.x, ten.y, 1.5 * spacing_um);
  VoteCounter votes(reach, tolerance);
  std::vector<Vote> won(blocks.members.size());
  bool any = false;
  for (std::size_t b = 0; b < won.size(); ++b) {
    if (blocks.members[b].size() < 12 || rate[b] > low) continue;
    votes.clear();
    for (const std::uint32_t j : blocks.members[b]) {
      if (forty_probability[j] > 0.9F && rate[b] > 0.3F) continue;
      const double x = static_cast<double>(forty.x[j]), y = static_cast<double>(forty.y[j]);
      grid.within(x, y, reach, [&](std::uint32_t i, double) {
        if (ten_probability[i] > 0.9F && rate[b] > 0.3F) return;
        votes.add(x - static_cast<double>(ten.x[i]), y - static_cast<double>(ten.y[i]));
      });
    }
    const Vote best = votes.best();
    const double chance = votes.chance(reach);
    if (best.count < 8.0 || best.count < chance + 6.0 * std::sqrt(chance + 1.0)) continue;
    won[b] = best;
    any = true;
  }
  if (!any) return regions;
  // Each nucleus of those blocks and their neighbours takes the shift that most neighbours agree
  // on.
  const PointGrid near(forty.x, forty.y, 1.5 * spacing_um);
  const auto hits = [&](std::uint32_t j, const Point& shift) {
    bool hit = false;
    grid.within(static_cast<double>(forty.x[j]) - shift[0],
                static_cast<double>(forty.y[j]) - shift[1], tolerance,
                [&](std::uint32_t, double) { hit = true; });
    return hit;
  };
  std::vector<Point> chosen(forty.size(), Point{0.0, 0.0});
  for (std::size_t b = 0; b < won.size(); ++b) {
    std::vector<Point> shifts{{0.0, 0.0}};
    blocks.around(b, [&](std::size_t other) {
      if (won[other].count == 0) return;
      const Point& s = won[other].shift;
      for (const Point& known : shifts)
        if (std::hypot(known[0] - s[0], known[1] - s[1]) < 0.7 * tolerance) return;
      shifts.push_back(s);
    });
    if (shifts.size() == 1) continue;
    for (const std::uint32_t j : blocks.members[b]) {
      std::vector<std::uint32_t> around;
      near.within(static_cast<double>(forty.x[j]), static_cast<double>(forty.y[j]),
                  2.5 * spacing_um, [&](std::uint32_t k, double) { around.push_back(k); });
      std::size_t best = 0, most = 0;
      for (std::size_t s = 0; s < shifts.size(); ++s) {
        std::size_t count = 0;
        for (const std::uint32_t k : around) count += hits(k, shifts[s]) ? 1 : 0;
        if (count > most + (best == 0 && s > 0 ? 1 : 0) || s == 0) best = s, most = count;
      }
      chosen[j] = shifts[best];
    }
  }
  // Blocks with one shift in common are one region.
  for (std::size_t b = 0; b < won.size(); ++b) {
    if (won[b].count == 0) continue;
    MovedRegion* region = nullptr;
    for (MovedRegion& r : regions)
      if (std::hypot(r.shift_um[0] - won[b].shift[0], r.shift_um[1] - won[b].shift[1]) <
          3.0 * tolerance)
        region = &r;
    if (region == nullptr) {
      regions.push_back({.shift_um = won[b].shift});
      region = &regions.back();
    }
    for (const std::uint32_t j : blocks.members[b]) {
      if (chosen[j][0] == 0.0 && chosen[j][1] == 0.0) continue;
      region->centre_um[0] += static_cast<double>(forty.x[j]);
      region->centre_um[1] += static_cast<double>(forty.y[j]);
      ++region->nuclei;
    }
  }
  for (MovedRegion& r : regions)
    for (double& v : r.centre_um) v /= std::max(1.0, static_cast<double>(r.nuclei));
  std::erase_if(regions, [](const MovedRegion& r) { return r.nuclei == 0; });
  for (std::size_t j = 0; j < forty.size(); ++j)
    offset[j][0] += chosen[j][0], offset[j][1] += chosen[j][1];
  return regions;
}

}  // namespace nucreg::mosaic
