// A small well with known nuclei, as both sides detect it: for tests of objects and assignment.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "nucreg/mosaic/assignment.hpp"

namespace nucreg::test {

struct SmallWellOptions {
  std::uint32_t seed = 1;
  double edge_um = 1500.0, spacing_um = 15.0;
  double missing = 0.1, spurious = 0.03, split = 0.0;
  double ten_noise_um = 0.26, forty_noise_um = 0.16, tile_error_um = 0.0;
  double ten_tile_um = 800.0, forty_tile_um = 400.0, overlap = 0.1;
  double forty_step_um = 0.0;              ///< between 40x tiles; 0: by the overlap
  std::function<Point(Point)> moved = {};  ///< of the second visit; none: identity
};

/// Tiles in rows over a square; 1 um per pixel. `truth`: nucleus per detection, -1 spurious.
struct SmallWell {
  std::vector<mosaic::WellTile> tiles;
  std::vector<mosaic::PlacedTile> placed;
  mosaic::Detections ten, forty;
  std::vector<int> ten_truth, forty_truth;
};

inline std::size_t add_tile(SmallWell& well, mosaic::Side side, double x0, double y0,
                            double edge_um) {
  well.tiles.push_back({.side = side, .name = "tile", .width_px = edge_um, .height_px = edge_um});
  mosaic::PlacedTile placed;
  placed.centre_um = {x0 + 0.5 * (edge_um - 1.0), y0 + 0.5 * (edge_um - 1.0)};
  placed.to_well = {1.0, 0.0, x0, 0.0, 1.0, y0};
  well.placed.push_back(placed);
  return well.tiles.size() - 1;
}

inline void detect(SmallWell& well, std::size_t tile, double x_um, double y_um, int nucleus) {
  const bool ten = well.tiles[tile].side == mosaic::Side::ten;
  mosaic::Detections& d = ten ? well.ten : well.forty;
  const AffineMap& map = well.placed[tile].to_well;
  d.tile.push_back(static_cast<std::uint32_t>(tile));
  d.x_um.push_back(static_cast<float>(x_um));
  d.y_um.push_back(static_cast<float>(y_um));
  d.border_px.push_back(mosaic::border_px(well.tiles[tile], x_um - map[2], y_um - map[5]));
  (ten ? well.ten_truth : well.forty_truth).push_back(nucleus);
}

/// Nuclei at random, none nearer than 0.4 spacings to another.
inline std::vector<Point> scattered_nuclei(double edge_um, double spacing_um,
                                           std::mt19937& random) {
  std::uniform_real_distribution<double> at(0.0, edge_um);
  std::vector<Point> out;
  const auto wanted = static_cast<std::size_t>(edge_um * edge_um / (spacing_um * spacing_um));
  const auto cells = static_cast<std::size_t>(edge_um / spacing_um) + 1;
  std::vector<std::vector<Point>> grid(cells * cells);
  for (std::size_t tries = 0; out.size() < wanted && tries < 20 * wanted; ++tries) {
    const Point p{at(random), at(random)};
    const auto c = static_cast<std::size_t>(p[0] / spacing_um);
    const auto r = static_cast<std::size_t>(p[1] / spacing_um);
    bool free = true;
    for (std::size_t rr = r - std::min<std::size_t>(r, 1); rr <= std::min(r + 1, cells - 1); ++rr)
      for (std::size_t cc = c - std::min<std::size_t>(c, 1); cc <= std::min(c + 1, cells - 1); ++cc)
        for (const Point& q : grid[rr * cells + cc])
          free &= std::hypot(p[0] - q[0], p[1] - q[1]) > 0.4 * spacing_um;
    if (!free) continue;
    grid[r * cells + c].push_back(p);
    out.push_back(p);
  }
  return out;
}

inline SmallWell make_small_well(const SmallWellOptions& o) {
  std::mt19937 random(o.seed);
  std::normal_distribution<double> normal(0.0, 1.0);
  std::uniform_real_distribution<double> part(0.0, 1.0);
  const std::vector<Point> nuclei = scattered_nuclei(o.edge_um, o.spacing_um, random);
  SmallWell well;
  for (const bool ten : {true, false}) {
    const double edge = ten ? o.ten_tile_um : o.forty_tile_um;
    const double step = ten || o.forty_step_um == 0.0 ? edge * (1.0 - o.overlap) : o.forty_step_um;
    const double noise = ten ? o.ten_noise_um : o.forty_noise_um;
    for (double y0 = -5.0; y0 < o.edge_um; y0 += step) {
      for (double x0 = -5.0; x0 < o.edge_um; x0 += step) {
        const std::size_t tile =
            add_tile(well, ten ? mosaic::Side::ten : mosaic::Side::forty, x0, y0, edge);
        const Point error{o.tile_error_um * normal(random), o.tile_error_um * normal(random)};
        const auto inside = [&](const Point& p) {
          return p[0] > x0 && p[1] > y0 && p[0] < x0 + edge - 1.0 && p[1] < y0 + edge - 1.0;
        };
        const auto show = [&](const Point& p, int nucleus) {
          if (!inside(p)) return;
          const Point d{error[0] + noise * normal(random), error[1] + noise * normal(random)};
          detect(well, tile, p[0] + d[0], p[1] + d[1], nucleus);
        };
        std::size_t count = 0;
        for (std::size_t n = 0; n < nuclei.size(); ++n) {
          const Point p = !ten && o.moved ? o.moved(nuclei[n]) : nuclei[n];
          if (!inside(p) || part(random) < o.missing) continue;
          ++count;
          if (part(random) >= o.split) {
            show(p, static_cast<int>(n));
            continue;
          }
          const Point d{2.0 * normal(random), 2.0 * normal(random)};
          show({p[0] + d[0], p[1] + d[1]}, static_cast<int>(n));
          show({p[0] - d[0], p[1] - d[1]}, static_cast<int>(n));
        }
        for (double k = 0.0; k < o.spurious * static_cast<double>(count); k += 1.0)
          show({x0 + edge * part(random), y0 + edge * part(random)}, -1);
      }
    }
  }
  return well;
}

struct Score {
  double recall = 0.0, precision = 0.0;
  std::size_t right = 0, wrong = 0, used_twice = 0;
};

inline Score score(const SmallWell& well, const mosaic::NucleusPairs& pairs) {
  std::set<int> ten(well.ten_truth.begin(), well.ten_truth.end()), both, found;
  for (const int n : well.forty_truth)
    if (n >= 0 && ten.contains(n)) both.insert(n);
  std::set<std::uint32_t> tens(pairs.ten.begin(), pairs.ten.end());
  std::set<std::uint32_t> forties(pairs.forty.begin(), pairs.forty.end());
  Score out;
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    const int a = well.ten_truth[pairs.ten[k]], b = well.forty_truth[pairs.forty[k]];
    if (a == b && a >= 0) {
      ++out.right;
      found.insert(a);
    } else {
      ++out.wrong;
    }
  }
  out.used_twice = 2 * pairs.size() - tens.size() - forties.size();
  out.recall =
      both.empty() ? 0.0 : static_cast<double>(found.size()) / static_cast<double>(both.size());
  out.precision =
      pairs.size() == 0 ? 0.0 : static_cast<double>(out.right) / static_cast<double>(pairs.size());
  return out;
}

}  // namespace nucreg::test
