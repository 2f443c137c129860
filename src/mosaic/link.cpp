#include "link.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>

#include "laid.hpp"
#include "point_cells.hpp"

namespace nucreg::mosaic {
namespace {

constexpr int shift_rounds = 4;
constexpr double pairs_per_cell = 6.0;

// The nuclei of a tile that may lie within the other.
struct Part {
  std::vector<double> x, y;
  std::vector<std::uint32_t> row;
  [[nodiscard]] std::size_t size() const { return x.size(); }
};

Part part_within(const TileNuclei& nuclei, const Laid& tile, const Laid& other, double margin_um) {
  Part out;
  const Footprint within(other, margin_um);
  for (std::uint32_t i = 0; i < nuclei.size(); ++i) {
    const Point p = lay(tile, {nuclei.px.x[i], nuclei.px.y[i]});
    if (!within(p)) continue;
    out.x.push_back(p[0]);
    out.y.push_back(p[1]);
    out.row.push_back(i);
  }
  return out;
}

struct Peak {
  Point shift_um{};
  double votes = 0.0, runner_up = 0.0;
  Point runner_up_um{};
};

// The commonest difference a - b, by a histogram of bins of half a gate, three
// by three of them.
Peak vote(const PointCells& a, const Part& b, double search_um, double gate_um) {
  const double bin = 0.5 * gate_um;
  const auto half = static_cast<std::int64_t>(std::ceil(search_um / bin));
  const std::int64_t n = 2 * half + 3;  // a border of one bin
  std::vector<std::uint32_t> count(static_cast<std::size_t>(n * n));
  const double reach = static_cast<double>(half) * bin;
  for (std::size_t j = 0; j < b.size(); ++j)
    a.each_in_box({b.x[j], b.y[j]}, reach, [&](std::uint32_t, double dx, double dy) {
      const auto ix = static_cast<std::int64_t>(std::floor(dx / bin + 0.5)) + half + 1;
      const auto iy = static_cast<std::int64_t>(std::floor(dy / bin + 0.5)) + half + 1;
      if (ix > 0 && iy > 0 && ix < n - 1 && iy < n - 1)
        ++count[static_cast<std::size_t>(iy * n + ix)];
    });
  const auto box = [&](std::int64_t ix, std::int64_t iy) {
    std::uint32_t sum = 0;
    for (std::int64_t y = iy - 1; y <= iy + 1; ++y)
      for (std::int64_t x = ix - 1; x <= ix + 1; ++x)
        sum += count[static_cast<std::size_t>(y * n + x)];
    return sum;
  };
  const auto centre = [&](std::int64_t ix, std::int64_t iy) {
    return Point{static_cast<double>(ix - half - 1) * bin,
                 static_cast<double>(iy - half - 1) * bin};
  };
  std::uint32_t best = 0, second = 0;
  std::int64_t bx = half + 1, by = half + 1, sx = bx, sy = by;
  for (std::int64_t iy = 1; iy < n - 1; ++iy)
    for (std::int64_t ix = 1; ix < n - 1; ++ix)
      if (const std::uint32_t sum = box(ix, iy); sum > best) {
        best = sum;
        bx = ix;
        by = iy;
      }
  for (std::int64_t iy = 1; iy < n - 1; ++iy)
    for (std::int64_t ix = 1; ix < n - 1; ++ix) {
      if (std::abs(ix - bx) <= 4 && std::abs(iy - by) <= 4) continue;
      if (const std::uint32_t sum = box(ix, iy); sum > second) {
        second = sum;
        sx = ix;
        sy = iy;
      }
    }
  return {centre(bx, by), static_cast<double>(best), static_cast<double>(second), centre(sx, sy)};
}

struct Pairs {
  std::vector<std::uint32_t> a, b;  // positions in the parts
  std::vector<double> dx, dy;       // a - b - shift
};

// Nearest to each other and within the gate.
Pairs mutual(const PointCells& a, const Part& part_a, const Part& part_b, const Point& shift_um,
             double gate_um) {
  Pairs out;
  constexpr std::uint32_t no_point = ~std::uint32_t{0};
  std::vector<std::uint32_t> of_a(part_a.size(), no_point);
  std::vector<double> distance(part_a.size(), gate_um * gate_um);
  std::vector<std::uint32_t> of_b(part_b.size(), no_point);
  for (std::uint32_t j = 0; j < part_b.size(); ++j) {
    double best = gate_um * gate_um;
    const Point at{part_b.x[j] + shift_um[0], part_b.y[j] + shift_um[1]};
    a.each_in_box(at, gate_um, [&](std::uint32_t i, double dx, double dy) {
      const double d2 = dx * dx + dy * dy;
      if (d2 < best) {
        best = d2;
        of_b[j] = i;
      }
      if (d2 < distance[i]) {
        distance[i] = d2;
        of_a[i] = j;
      }
    });
  }
  for (std::uint32_t j = 0; j < part_b.size(); ++j) {
    const std::uint32_t i = of_b[j];
    if (i == no_point || of_a[i] != j) continue;
    out.a.push_back(i);
    out.b.push_back(j);
    out.dx.push_back(part_a.x[i] - part_b.x[j] - shift_um[0]);
    out.dy.push_back(part_a.y[i] - part_b.y[j] - shift_um[1]);
  }
  return out;
}

// Counts of the parts that lie within the other tile, the shift being known.
double count_within(const Part& part, const Laid& other, const Point& shift_um) {
  const Footprint within(other, 0.0);
  double n = 0.0;
  for (std::size_t i = 0; i < part.size(); ++i)
    n += within({part.x[i] + shift_um[0], part.y[i] + shift_um[1]}) ? 1.0 : 0.0;
  return n;
}

void add(Point& sum, const Point& p) {
  sum[0] += p[0];
  sum[1] += p[1];
}

void scale(Point& p, double s) {
  p[0] *= s;
  p[1] *= s;
}

// Parts of the overlap, nearly square, over the box of the pairs in tile b.
class CellIndex {
 public:
  CellIndex(const std::vector<Point>& v, std::size_t most) {
    low_ = high_ = v.front();
    for (const Point& p : v)
      for (std::size_t k = 0; k < 2; ++k) {
        low_[k] = std::min(low_[k], p[k]);
        high_[k] = std::max(high_[k], p[k]);
      }
    const double wide = std::max(high_[0] - low_[0], 1e-9),
                 tall = std::max(high_[1] - low_[1], 1e-9);
    const double cells = static_cast<double>(most);
    nx_ = static_cast<std::size_t>(
        std::clamp(std::round(std::sqrt(cells * wide / tall)), 1.0, cells));
    ny_ = std::max<std::size_t>(1, most / nx_);
  }
  [[nodiscard]] std::size_t size() const { return nx_ * ny_; }
  [[nodiscard]] std::size_t operator()(const Point& p) const {
    return at(p[1], 1, ny_) * nx_ + at(p[0], 0, nx_);
  }

 private:
  [[nodiscard]] std::size_t at(double x, std::size_t k, std::size_t n) const {
    const double t = (x - low_[k]) / std::max(high_[k] - low_[k], 1e-9) * static_cast<double>(n);
    return std::min(n - 1, static_cast<std::size_t>(std::max(0.0, t)));
  }
  Point low_{}, high_{};
  std::size_t nx_ = 1, ny_ = 1;
};

Point about_middle(const TileNuclei& nuclei, const Laid& tile, std::uint32_t row) {
  return {nuclei.px.x[row] - tile.middle_px[0], nuclei.px.y[row] - tile.middle_px[1]};
}

Point times_radius(const Point& v, double half) {
  const double r2 = (v[0] * v[0] + v[1] * v[1]) / (half * half);
  return {v[0] * r2, v[1] * r2};
}

void fill_cells(LinkResult& out, const TileNuclei& a, const TileNuclei& b, const LinkTask& task,
                const Part& part_a, const Part& part_b, const Pairs& pairs) {
  const std::size_t n = pairs.a.size();
  if (n == 0) return;
  std::vector<Point> v_b(n);
  for (std::size_t k = 0; k < n; ++k) v_b[k] = about_middle(b, task.b, part_b.row[pairs.b[k]]);
  const auto wanted = static_cast<std::size_t>(static_cast<double>(n) / pairs_per_cell);
  const CellIndex index(v_b, std::clamp<std::size_t>(wanted, 1, LinkResult::max_cells));
  std::vector<LinkCell> cells(index.size());
  std::vector<Point> mean(index.size());
  for (std::size_t k = 0; k < n; ++k) {
    LinkCell& cell = cells[index(v_b[k])];
    const Point v = about_middle(a, task.a, part_a.row[pairs.a[k]]);
    cell.pairs += 1.0;
    add(cell.v_a, v);
    add(cell.q_a, times_radius(v, task.a.middle_px[0]));
    add(cell.v_b, v_b[k]);
    add(cell.q_b, times_radius(v_b[k], task.b.middle_px[0]));
    add(mean[index(v_b[k])], {pairs.dx[k], pairs.dy[k]});
  }
  std::size_t filled = 0;
  for (std::size_t c = 0; c < cells.size(); ++c) {
    if (cells[c].pairs == 0.0) continue;
    for (Point* p : {&cells[c].v_a, &cells[c].q_a, &cells[c].v_b, &cells[c].q_b, &mean[c]})
      scale(*p, 1.0 / cells[c].pairs);
    out.cell[filled++] = cells[c];
  }
  out.cells = static_cast<std::uint32_t>(filled);
  std::vector<double> distance;
  for (std::size_t k = 0; k < n; ++k) {
    const std::size_t c = index(v_b[k]);
    if (cells[c].pairs < 2.0) continue;
    const double dof = std::sqrt(cells[c].pairs / (cells[c].pairs - 1.0));
    distance.push_back(dof * std::hypot(pairs.dx[k] - mean[c][0], pairs.dy[k] - mean[c][1]));
  }
  out.scatter_um = median(std::move(distance)) / rayleigh_median;
}

}  // namespace

double median(std::vector<double> values, double of_none) {
  if (values.empty()) return of_none;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double log10_tail(double k, double n, double p) {
  if (!(n > 0.0) || k <= n * p) return 0.0;
  const double f = std::min(1.0, k / n), q = std::clamp(p, 1e-300, 1.0 - 1e-16);
  double divergence = f * std::log(f / q);
  if (f < 1.0) divergence += (1.0 - f) * std::log((1.0 - f) / (1.0 - q));
  return -n * divergence / std::numbers::ln10;
}

LinkResult find_link(const TileNuclei& a, const TileNuclei& b, const LinkTask& task) {
  LinkResult out;
  out.tile_a = task.tile_a;
  out.tile_b = task.tile_b;
  const double margin = task.search_um + task.gate_um;
  const Part part_a = part_within(a, task.a, task.b, margin);
  const Part part_b = part_within(b, task.b, task.a, margin);
  if (part_a.size() < 2 || part_b.size() < 2) return out;
  const PointCells grid(part_a.x, part_a.y, std::max(2.0 * task.gate_um, 0.25 * task.search_um));
  if (task.search_um > 0.0) {
    const Peak peak = vote(grid, part_b, task.search_um, task.gate_um);
    out.shift_um = peak.shift_um;
    out.runner_up = peak.votes > 0.0 ? peak.runner_up / peak.votes : 0.0;
    out.runner_up_um = peak.runner_up_um;
  }
  Pairs pairs;
  for (int round = 0; round < shift_rounds; ++round) {
    pairs = mutual(grid, part_a, part_b, out.shift_um, task.gate_um);
    if (pairs.a.empty() || task.search_um == 0.0 || round + 1 == shift_rounds) break;
    out.shift_um[0] += median(pairs.dx);
    out.shift_um[1] += median(pairs.dy);
  }
  out.pairs = static_cast<double>(pairs.a.size());
  out.common_b = count_within(part_b, task.a, out.shift_um);
  out.common_a = count_within(part_a, task.b, {-out.shift_um[0], -out.shift_um[1]});
  const double area = overlap_um2(task.a, task.b, out.shift_um);
  const double density = area > 0.0 ? out.common_a / area : 0.0;
  const double chance = -std::expm1(-density * std::numbers::pi * task.gate_um * task.gate_um);
  const double bins = 2.0 * task.search_um / task.gate_um;
  out.log10_significance =
      std::min(0.0, log10_tail(std::min(out.pairs, out.common_b), out.common_b, chance) +
                        std::log10(1.0 + bins * bins));
  fill_cells(out, a, b, task, part_a, part_b, pairs);
  return out;
}

namespace {

template <class Archive>
void laid(Archive& io, Laid& l) {
  for (double& v : l.camera) io(v);
  io(l.k1);
  for (Point* p : {&l.middle_px, &l.centre_um})
    for (double& v : *p) io(v);
  for (double& v : l.bend) io(v);
}

template <class Archive>
void fields(Archive& io, LinkTask& t) {
  io(t.tile_a);
  io(t.tile_b);
  laid(io, t.a);
  laid(io, t.b);
  io(t.search_um);
  io(t.gate_um);
}

template <class Archive>
void fields(Archive& io, LinkResult& r) {
  io(r.tile_a);
  io(r.tile_b);
  for (double* v :
       {&r.pairs, &r.common_a, &r.common_b, &r.log10_significance, &r.shift_um[0], &r.shift_um[1],
        &r.scatter_um, &r.runner_up, &r.runner_up_um[0], &r.runner_up_um[1]})
    io(*v);
  io(r.cells);
  r.cells = std::min<std::uint32_t>(r.cells, LinkResult::max_cells);
  for (std::size_t k = 0; k < r.cells; ++k) {
    LinkCell& c = r.cell[k];
    io(c.pairs);
    for (Point* p : {&c.v_a, &c.q_a, &c.v_b, &c.q_b})
      for (double& v : *p) io(v);
  }
}

struct Put {
  std::vector<double> out;
  template <class T>
  void operator()(T& v) {
    out.push_back(static_cast<double>(v));
  }
};

struct Get {
  std::span<const double> in;
  std::size_t at = 0;
  template <class T>
  void operator()(T& v) {
    if (at == in.size()) throw std::invalid_argument("too few numbers for a link");
    v = static_cast<T>(in[at++]);
  }
};

template <class T>
std::vector<double> packed(T value) {
  Put put;
  fields(put, value);
  return std::move(put.out);
}

template <class T>
T unpacked(std::span<const double> numbers) {
  T value;
  Get get{numbers};
  fields(get, value);
  return value;
}

}  // namespace

std::vector<double> pack(const LinkTask& task) {
  return packed(task);
}
std::vector<double> pack(const LinkResult& result) {
  return packed(result);
}
LinkTask unpack_link_task(std::span<const double> n) {
  return unpacked<LinkTask>(n);
}
LinkResult unpack_link_result(std::span<const double> n) {
  return unpacked<LinkResult>(n);
}

}  // namespace nucreg::mosaic
