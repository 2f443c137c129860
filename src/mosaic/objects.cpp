#include "nucreg/mosaic/objects.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "point_grid.hpp"

namespace nucreg::mosaic {
namespace {

constexpr double whole_noises = 3.5;  // from the middle of two pieces to the whole, 2.5 root 2
constexpr std::uint32_t no_object = std::numeric_limits<std::uint32_t>::max();

struct Near {
  float square;
  std::uint32_t a, b;  // detections, a < b
};

// Positions that can be compared: those of placed tiles, NaN for all others.
struct Positions {
  std::vector<float> x, y;
};

Positions comparable(const Detections& d, std::span<const PlacedTile> placed) {
  Positions out{d.x_um, d.y_um};
  for (std::size_t i = 0; i < d.size(); ++i)
    if (!is_comparable(placed[d.tile[i]]))
      out.x[i] = out.y[i] = std::numeric_limits<float>::quiet_NaN();
  return out;
}

double median_of(std::vector<float>& values) {
  if (values.empty()) return std::nan("");
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return static_cast<double>(*middle);
}

// Edge of a cell that holds about two detections if there are any.
double cell_um(const Positions& at) {
  double x0 = 0, x1 = 0, y0 = 0, y1 = 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < at.x.size(); ++i) {
    if (!std::isfinite(at.x[i])) continue;
    const double x = static_cast<double>(at.x[i]), y = static_cast<double>(at.y[i]);
    if (count++ == 0) x0 = x1 = x, y0 = y1 = y;
    x0 = std::min(x0, x), x1 = std::max(x1, x), y0 = std::min(y0, y), y1 = std::max(y1, y);
  }
  const double area = std::max(x1 - x0, 1e-3) * std::max(y1 - y0, 1e-3);
  return count == 0 ? 1.0 : std::sqrt(2.0 * area / static_cast<double>(count));
}

// Median distance to the nearest detection of the same tile, over a fixed sample.
double spacing(const Detections& d, const Positions& at, const PointGrid& grid, double cell) {
  std::vector<float> nearest;
  const std::size_t step = std::max<std::size_t>(1, d.size() / 20000);
  for (std::size_t i = 0; i < d.size(); i += step) {
    double best = std::numeric_limits<double>::infinity();
    for (double radius = 2.0 * cell; radius < 40.0 * cell && !(best <= radius * radius);
         radius *= 2.0) {
      grid.within(static_cast<double>(at.x[i]), static_cast<double>(at.y[i]), radius,
                  [&](std::uint32_t j, double d2) {
                    if (j != i && d.tile[j] == d.tile[i]) best = std::min(best, d2);
                  });
    }
    if (std::isfinite(best)) nearest.push_back(static_cast<float>(std::sqrt(best)));
  }
  return median_of(nearest);
}

// Objects as rings of detections.
class Rings {
 public:
  explicit Rings(std::size_t count) : next_(count) {
    std::iota(next_.begin(), next_.end(), std::uint32_t{0});
  }
  template <typename F>
  void for_each(std::uint32_t i, F&& f) const {
    std::uint32_t k = i;
    do {
      f(k);
      k = next_[k];
    } while (k != i);
  }
  [[nodiscard]] bool same(std::uint32_t a, std::uint32_t b) const {
    bool found = false;
    for_each(a, [&](std::uint32_t k) { found |= k == b; });
    return found;
  }
  [[nodiscard]] bool alone(std::uint32_t a) const { return next_[a] == a; }
  void join(std::uint32_t a, std::uint32_t b) { std::swap(next_[a], next_[b]); }

 private:
  std::vector<std::uint32_t> next_;
};

bool may_join(const Rings& rings, const Near& near, const Detections& d, const Positions& at,
              double gate) {
  bool fits = true;
  rings.for_each(near.a, [&](std::uint32_t i) {
    rings.for_each(near.b, [&](std::uint32_t j) {
      const double dx = static_cast<double>(at.x[i]) - static_cast<double>(at.x[j]);
      const double dy = static_cast<double>(at.y[i]) - static_cast<double>(at.y[j]);
      fits &= d.tile[i] != d.tile[j] && dx * dx + dy * dy <= gate * gate;
    });
  });
  return fits;
}

// A nucleus that one tile shows whole and another in two pieces.
struct Pieces {
  std::uint32_t whole = 0;
  std::array<std::uint32_t, 2> piece{};
};

class PieceFinder {
 public:
  /// `off_um`: how far two detections of one nucleus may lie apart.
  PieceFinder(const Detections& d, const Positions& at, const PointGrid& grid, double off_um)
      : d_(d), at_(at), grid_(grid), off_um_(off_um) {}

  /// `around`: detections of other tiles near `whole`.
  void find(std::uint32_t whole, std::span<const std::uint32_t> around, std::vector<Pieces>& out) {
    for (std::size_t a = 0; a < around.size(); ++a)
      for (std::size_t b = a + 1; b < around.size(); ++b) {
        const std::uint32_t p = around[a], q = around[b];
        if (d_.tile[p] != d_.tile[q] || off_middle(whole, p, q) > off_um_) continue;
        // Where the tile of one shows what the other shows, these are nuclei.
        if (!shows(d_.tile[p], whole) && !shows(d_.tile[whole], p) && !shows(d_.tile[whole], q))
          out.push_back({whole, {p, q}});
      }
  }

 private:
  [[nodiscard]] double off_middle(std::uint32_t whole, std::uint32_t p, std::uint32_t q) const {
    const auto off = [&](const std::vector<float>& v) {
      return 0.5 * (static_cast<double>(v[p]) + static_cast<double>(v[q])) -
             static_cast<double>(v[whole]);
    };
    return std::hypot(off(at_.x), off(at_.y));
  }
  [[nodiscard]] bool shows(std::uint32_t tile, std::uint32_t nucleus) const {
    bool found = false;
    grid_.within(static_cast<double>(at_.x[nucleus]), static_cast<double>(at_.y[nucleus]), off_um_,
                 [&](std::uint32_t i, double) { found |= d_.tile[i] == tile; });
    return found;
  }

  const Detections& d_;
  const Positions& at_;
  const PointGrid& grid_;
  double off_um_;
};

void number_objects(const Detections& d, const Positions& at, const Rings& rings, Objects& out) {
  out.of.assign(d.size(), no_object);
  for (std::uint32_t i = 0; i < d.size(); ++i) {
    if (out.of[i] != no_object) continue;
    const auto object = static_cast<std::uint32_t>(out.size());
    double x = 0, y = 0;
    std::uint32_t best = i, count = 0;
    rings.for_each(i, [&](std::uint32_t k) {
      out.of[k] = object;
      x += static_cast<double>(at.x[k]);
      y += static_cast<double>(at.y[k]);
      ++count;
      if (d.border_px[k] > d.border_px[best] || (d.border_px[k] == d.border_px[best] && k < best))
        best = k;
    });
    out.x_um.push_back(static_cast<float>(x / count));
    out.y_um.push_back(static_cast<float>(y / count));
    out.representative.push_back(best);
    out.detections.push_back(count);
  }
  out.flags.assign(out.size(), 0);
  out.x_um.shrink_to_fit();
  out.y_um.shrink_to_fit();
  out.representative.shrink_to_fit();
  out.detections.shrink_to_fit();
}

// From pairs of detections that became one object: the median of the squared distance of two
// coordinates with variance 2 noise^2 is 4 ln 2 noise^2; it does not mind a few split nuclei.
double noise_of(const std::vector<Near>& near, const Objects& objects) {
  std::vector<float> squares;
  for (const Near& n : near)
    if (objects.of[n.a] == objects.of[n.b]) squares.push_back(n.square);
  return squares.size() < 10 ? std::nan("") : std::sqrt(median_of(squares) / (4.0 * std::log(2.0)));
}

}  // namespace

float border_px(const WellTile& tile, double x_px, double y_px) {
  return static_cast<float>(std::min(std::min(x_px, tile.width_px - 1.0 - x_px),
                                     std::min(y_px, tile.height_px - 1.0 - y_px)));
}

bool is_comparable(const PlacedTile& tile) {
  return std::ranges::all_of(tile.to_well, [](double v) { return std::isfinite(v); }) &&
         determinant(tile.to_well) != 0.0;
}

Objects find_objects(const Detections& d, std::span<const PlacedTile> placed, double noise_um) {
  const Positions at = comparable(d, placed);
  const double cell = cell_um(at);
  const PointGrid grid(at.x, at.y, cell);
  Objects out;
  out.spacing_um = spacing(d, at, grid, cell);
  // Wide enough for blurred tiles and split nuclei, narrow against the distance of neighbours.
  out.gate_um =
      std::isfinite(out.spacing_um)
          ? std::min(std::max(8.0 * noise_um, 0.3 * out.spacing_um), 0.45 * out.spacing_um)
          : 8.0 * noise_um;
  const double split_um = std::isfinite(out.spacing_um) ? 0.4 * out.spacing_um : 0.0;
  std::vector<Near> near;
  std::vector<std::uint32_t> split, around;
  std::vector<Pieces> pieces;
  PieceFinder finder(d, at, grid, std::min(whole_noises * noise_um, 0.5 * out.gate_um));
  for (std::uint32_t i = 0; i < d.size(); ++i) {
    around.clear();
    grid.within(static_cast<double>(at.x[i]), static_cast<double>(at.y[i]),
                std::max(out.gate_um, split_um), [&](std::uint32_t j, double d2) {
                  if (i != j && d.tile[i] == d.tile[j]) {
                    if (d2 <= split_um * split_um) split.push_back(i);
                  } else if (i != j && d2 <= out.gate_um * out.gate_um) {
                    around.push_back(j);
                    if (i < j) near.push_back({static_cast<float>(d2), i, j});
                  }
                });
    if (around.size() > 1) finder.find(i, around, pieces);
  }
  std::sort(near.begin(), near.end(), [](const Near& p, const Near& q) {
    return p.square != q.square ? p.square < q.square : p.a != q.a ? p.a < q.a : p.b < q.b;
  });
  Rings rings(d.size());
  for (const Pieces& n : pieces) {
    if (!rings.alone(n.piece[0]) || !rings.alone(n.piece[1])) continue;
    for (const std::uint32_t piece : n.piece) {
      rings.join(n.whole, piece);
      split.push_back(piece);
    }
  }
  for (const Near& n : near)
    if (!rings.same(n.a, n.b) && may_join(rings, n, d, at, out.gate_um)) rings.join(n.a, n.b);
  number_objects(d, at, rings, out);
  for (const std::uint32_t i : split) out.flags[out.of[i]] |= split_flag;
  out.noise_um = noise_of(near, out);
  return out;
}

}  // namespace nucreg::mosaic
