#include "lookup.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "laid.hpp"
#include "point_cells.hpp"

namespace nucreg::mosaic {
namespace {

constexpr std::size_t indexed_neighbours = 5;
constexpr std::size_t asked_per_axis = 7;  // nuclei that are asked, spread over the tile
constexpr std::size_t order_step = 19;     // from one nucleus to the next, far from it
constexpr std::size_t first_voters = 12;   // if no three of them agree, no more are asked
constexpr double bin_tolerances = 6.0;     // width of a bin of shifts: lens and deformation
constexpr std::size_t filter_bits = std::size_t{1} << 21;

struct Cloud {
  std::vector<double> x, y;
};

Cloud laid_out(const TileNuclei& nuclei, const Matrix2& camera) {
  Cloud out;
  for (std::size_t i = 0; i < nuclei.size(); ++i) {
    const Point p = times(camera, Point{nuclei.px.x[i], nuclei.px.y[i]});
    out.x.push_back(p[0]);
    out.y.push_back(p[1]);
  }
  return out;
}

double typical_spacing(const Cloud& cloud) {
  const auto [x0, x1] = std::ranges::minmax(cloud.x);
  const auto [y0, y1] = std::ranges::minmax(cloud.y);
  return std::sqrt(std::max((x1 - x0) * (y1 - y0), 1e-12) / static_cast<double>(cloud.x.size()));
}

// Vectors to the nearest others, nearest first; fewer than asked for if they
// are too far away.
void nearest(const PointCells& grid, const Point& p, std::uint32_t self, std::size_t count,
             double spacing, std::vector<Point>& out) {
  struct Found {
    double d2;
    Point d;
  };
  std::vector<Found> found;
  for (double reach = 1.6 * spacing;; reach *= 2.0) {
    found.clear();
    grid.each_in_box(p, reach, [&](std::uint32_t i, double dx, double dy) {
      const double d2 = dx * dx + dy * dy;
      if (i != self && d2 <= reach * reach) found.push_back({d2, {dx, dy}});
    });
    if (found.size() >= count || reach > 6.0 * spacing) break;
  }
  const std::size_t n = std::min(count, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(n), found.end(),
                    [](const Found& l, const Found& r) {
                      return std::tie(l.d2, l.d[0], l.d[1]) < std::tie(r.d2, r.d[0], r.d[1]);
                    });
  out.clear();
  for (std::size_t k = 0; k < n; ++k) out.push_back(found[k].d);
}

std::int32_t cell_of(double v, double cell) {
  return static_cast<std::int32_t>(std::floor(v / cell));
}

std::uint64_t key_of(const std::array<std::int32_t, 4>& c) {
  std::uint64_t key = 0;
  for (const std::int32_t v : c) key = key << 16 | (static_cast<std::uint64_t>(v) & 0xffffU);
  return key;
}

std::size_t bucket_of(std::uint64_t key, std::size_t mask) {
  return static_cast<std::size_t>((key * 0x9e3779b97f4a7c15ULL) >> 32) & mask;
}

// Votes for shifts in bins, each shift in the four grids of bins that are half
// a bin apart.
class ShiftVotes {
 public:
  ShiftVotes(double bin, std::size_t shifts) : bin_(bin) {
    std::size_t size = 64;
    while (size < 8 * shifts) size *= 2;
    slots_.resize(size);
  }
  void add(const Point& shift, std::uint32_t voter) {
    for (std::int32_t grid = 0; grid < 4; ++grid) {
      const double ox = grid & 1 ? 0.5 : 0.0, oy = grid & 2 ? 0.5 : 0.0;
      const auto ix = static_cast<std::int64_t>(std::floor(shift[0] / bin_ + ox));
      const auto iy = static_cast<std::int64_t>(std::floor(shift[1] / bin_ + oy));
      Slot& slot = find(
          static_cast<std::uint64_t>((ix & 0x3fffffff) << 32 | (iy & 0x3fffffff) << 2 | grid) + 1);
      if (slot.votes > 0 && slot.voter == voter) continue;  // a nucleus has one vote
      slot.voter = voter;
      ++slot.votes;
      slot.sum[0] += shift[0];
      slot.sum[1] += shift[1];
      if (slot.votes > best_.votes) best_ = slot;
    }
  }
  [[nodiscard]] ConstellationIndex::Hit best() const {
    if (best_.votes == 0) return {};
    const double n = best_.votes;
    return {{best_.sum[0] / n, best_.sum[1] / n}, n, 0.0};
  }

 private:
  struct Slot {
    std::uint64_t key = 0;
    std::uint32_t votes = 0, voter = 0;
    Point sum{};
  };
  Slot& find(std::uint64_t key) {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = bucket_of(key, mask);; at = (at + 1) & mask) {
      if (slots_[at].key == key) return slots_[at];
      if (slots_[at].key == 0) {
        slots_[at].key = key;
        return slots_[at];
      }
    }
  }
  double bin_;
  std::vector<Slot> slots_;
  Slot best_;
};

}  // namespace

ConstellationIndex::ConstellationIndex(const TileNuclei& nuclei,
                                       const std::array<double, 4>& camera, double tolerance_um)
    : tolerance_um_(tolerance_um) {
  if (nuclei.size() < 3) return;
  const Cloud cloud = laid_out(nuclei, camera);
  const double spacing = typical_spacing(cloud), cell = 2.0 * tolerance_um;
  const PointCells grid(cloud.x, cloud.y, spacing);
  std::vector<Entry> entries;
  entries.reserve(nuclei.size() * indexed_neighbours * (indexed_neighbours - 1));
  std::vector<Point> near;
  for (std::uint32_t i = 0; i < nuclei.size(); ++i) {
    nearest(grid, {cloud.x[i], cloud.y[i]}, i, indexed_neighbours, spacing, near);
    for (const Point& f : near)
      for (const Point& s : near) {
        if (&f == &s) continue;
        entries.push_back({key_of({cell_of(f[0], cell), cell_of(f[1], cell), cell_of(s[0], cell),
                                   cell_of(s[1], cell)}),
                           {static_cast<float>(f[0]), static_cast<float>(f[1]),
                            static_cast<float>(s[0]), static_cast<float>(s[1])},
                           {static_cast<float>(cloud.x[i]), static_cast<float>(cloud.y[i])}});
      }
  }
  std::size_t size = 1024;
  while (size < entries.size()) size *= 2;
  bucket_.assign(size + 1, 0);
  filled_.assign(filter_bits / 64, 0);
  for (const Entry& e : entries) {
    ++bucket_[bucket_of(e.cell, size - 1) + 1];
    const std::size_t bit = bucket_of(e.cell, filter_bits - 1);
    filled_[bit / 64] |= std::uint64_t{1} << bit % 64;
  }
  for (std::size_t b = 1; b < bucket_.size(); ++b) bucket_[b] += bucket_[b - 1];
  entries_.resize(entries.size());
  std::vector<std::uint32_t> next(bucket_.begin(), bucket_.end() - 1);
  for (const Entry& e : entries) entries_[next[bucket_of(e.cell, size - 1)]++] = e;
}

Constellations constellations_of(const TileNuclei& b, const std::array<double, 4>& camera) {
  Constellations out;
  if (b.size() < 3) return out;
  const Cloud cloud = laid_out(b, camera);
  const double spacing = typical_spacing(cloud);
  const PointCells grid(cloud.x, cloud.y, spacing);
  // The nucleus that is nearest to the middle of its field, of each field that
  // has one.
  const auto [x0, x1] = std::ranges::minmax(b.px.x);
  const auto [y0, y1] = std::ranges::minmax(b.px.y);
  constexpr double fields = asked_per_axis;
  std::array<std::uint32_t, asked_per_axis * asked_per_axis> chosen{};
  std::array<double, asked_per_axis * asked_per_axis> off{};
  off.fill(2.0);
  for (std::uint32_t i = 0; i < b.size(); ++i) {
    const double fx = (b.px.x[i] - x0) / std::max(x1 - x0, 1e-9) * fields;
    const double fy = (b.px.y[i] - y0) / std::max(y1 - y0, 1e-9) * fields;
    const double ix = std::min(std::floor(fx), fields - 1),
                 iy = std::min(std::floor(fy), fields - 1);
    const std::size_t field = static_cast<std::size_t>(iy * fields + ix);
    const double d = std::max(std::abs(fx - ix - 0.5), std::abs(fy - iy - 0.5));
    if (d < off[field]) {
      off[field] = d;
      chosen[field] = i;
    }
  }
  std::vector<Point> near;
  for (std::size_t k = 0; k < chosen.size(); ++k) {
    const std::size_t field = k * order_step % chosen.size();
    if (off[field] > 1.0) continue;
    const std::uint32_t i = chosen[field];
    nearest(grid, {cloud.x[i], cloud.y[i]}, i, Voter::neighbours, spacing, near);
    if (near.size() < 2) continue;
    Voter voter{{cloud.x[i], cloud.y[i]}, {}, static_cast<std::uint32_t>(near.size())};
    for (std::size_t n = 0; n < near.size(); ++n)
      voter.vector[n] = {static_cast<float>(near[n][0]), static_cast<float>(near[n][1])};
    out.push_back(voter);
  }
  return out;
}

void ConstellationIndex::find(const std::array<float, 4>& vectors, const Point& at,
                              std::uint32_t index, std::vector<Found>& found) const {
  const double cell = 2.0 * tolerance_um_;
  const auto tolerance = static_cast<float>(tolerance_um_);
  const std::size_t mask = bucket_.size() - 2;
  std::array<std::int32_t, 4> low{}, high{}, c{};
  for (std::size_t k = 0; k < 4; ++k) {
    low[k] = cell_of(static_cast<double>(vectors[k]) - tolerance_um_, cell);
    high[k] = cell_of(static_cast<double>(vectors[k]) + tolerance_um_, cell);
  }
  for (c[0] = low[0]; c[0] <= high[0]; ++c[0])
    for (c[1] = low[1]; c[1] <= high[1]; ++c[1])
      for (c[2] = low[2]; c[2] <= high[2]; ++c[2])
        for (c[3] = low[3]; c[3] <= high[3]; ++c[3]) {
          const std::uint64_t key = key_of(c);
          const std::size_t bit = bucket_of(key, filter_bits - 1);
          if (!(filled_[bit / 64] >> bit % 64 & 1)) continue;
          const std::size_t bucket = bucket_of(key, mask);
          for (std::uint32_t e = bucket_[bucket]; e < bucket_[bucket + 1]; ++e) {
            const Entry& entry = entries_[e];
            if (entry.cell != key) continue;
            bool alike = true;
            for (std::size_t k = 0; k < 4; ++k)
              alike &= std::abs(entry.vectors[k] - vectors[k]) <= tolerance;
            if (alike)
              found.push_back({{static_cast<double>(entry.at[0]) - at[0],
                                static_cast<double>(entry.at[1]) - at[1]},
                               index});
          }
        }
}

void ConstellationIndex::find(const Voter& voter, std::uint32_t index,
                              std::vector<Found>& found) const {
  for (std::size_t s = 1; s < voter.size; ++s)
    for (std::size_t f = 0; f < s; ++f)
      find({voter.vector[f][0], voter.vector[f][1], voter.vector[s][0], voter.vector[s][1]},
           voter.at, index, found);
}

ConstellationIndex::Hit ConstellationIndex::look_up(const Constellations& asked,
                                                    bool thorough) const {
  if (entries_.empty() || asked.empty()) return {};
  std::vector<Found> found;
  std::uint32_t next = 0;
  const auto ask = [&](std::size_t most) {
    for (; next < std::min(most, asked.size()); ++next) find(asked[next], next, found);
    ShiftVotes votes(bin_tolerances * tolerance_um_, found.size());
    for (const Found& f : found) votes.add(f.shift_um, f.voter);
    Hit hit = votes.best();
    hit.asked = next;
    return hit;
  };
  if (thorough) return ask(asked.size());
  const Hit first = ask(first_voters);
  return first.votes < 3.0 ? first : ask(asked.size());
}

}  // namespace nucreg::mosaic
