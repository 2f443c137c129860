// Tiles put together from nothing but their links.
#include <Eigen/Cholesky>
#include <algorithm>
#include <numeric>
#include <queue>
#include <tuple>

#include "well_fit.hpp"

namespace nucreg::mosaic {
namespace {

constexpr double first_inflation = 64.0;  // if nothing is known yet

using Adjacent = std::vector<std::vector<std::uint32_t>>;  // links of each tile

Adjacent adjacent(std::size_t tiles, const std::vector<LinkResult>& links) {
  Adjacent out(tiles);
  for (std::uint32_t l = 0; l < links.size(); ++l) {
    out[links[l].tile_a].push_back(l);
    out[links[l].tile_b].push_back(l);
  }
  return out;
}

// Bodies: tiles that links within their side tie together, placed along the links of most pairs
// (Prim's tree) from the first; then tiles without such links, each alone.
struct Bodies {
  std::vector<std::int32_t> of_tile;  // -1: no link at all
  std::vector<std::vector<std::uint32_t>> tiles;
};

Bodies bodies_of(WellModel& model, const std::vector<LinkResult>& links) {
  const Adjacent at = adjacent(model.side.size(), links);
  Bodies out{std::vector<std::int32_t>(model.side.size(), -1), {}};
  for (std::uint32_t root = 0; root < model.side.size(); ++root) {
    if (out.of_tile[root] >= 0 || at[root].empty()) continue;
    const auto body = static_cast<std::int32_t>(out.tiles.size());
    out.tiles.emplace_back();
    std::priority_queue<std::tuple<double, std::uint32_t, std::uint32_t>> open;  // pairs, link, to
    const auto reach = [&](std::uint32_t tile, const Point& centre) {
      out.of_tile[tile] = body;
      out.tiles.back().push_back(tile);
      model.placed[tile] = true;
      model.centre_um[tile] = centre;
      for (const std::uint32_t l : at[tile]) {
        const std::uint32_t to = links[l].tile_a == tile ? links[l].tile_b : links[l].tile_a;
        if (model.side[to] == model.side[tile] && out.of_tile[to] < 0)
          open.emplace(links[l].pairs, ~l, to);
      }
    };
    reach(root, model.centre_um[root]);
    while (!open.empty()) {
      const auto [pairs, key, to] = open.top();
      open.pop();
      if (out.of_tile[to] >= 0) continue;
      const LinkResult& link = links[~key];
      const Point start = model.centre_um[link.tile_a == to ? link.tile_b : link.tile_a];
      model.centre_um[to] = start;
      const Point d = error_of(model, link).shift_um;
      reach(to, to == link.tile_b ? plus(start, d) : minus(start, d));
    }
  }
  return out;
}

// Shifts whole bodies along the links across, the best tied first; components of bodies.
std::vector<std::int32_t> join_bodies(WellModel& model, const Bodies& bodies,
                                      const std::vector<LinkResult>& links) {
  const Adjacent at = adjacent(model.side.size(), links);
  const std::size_t n = bodies.tiles.size();
  std::vector<std::int32_t> component(n, -1);
  std::vector<double> tie(n);
  std::int32_t last = -1;
  const auto each_across = [&](std::size_t body, auto&& visit) {
    for (const std::uint32_t tile : bodies.tiles[body])
      for (const std::uint32_t l : at[tile]) {
        const std::uint32_t to = links[l].tile_a == tile ? links[l].tile_b : links[l].tile_a;
        const auto other = static_cast<std::size_t>(bodies.of_tile[to]);
        if (other != body) visit(links[l], tile, other);
      }
  };
  for (std::size_t round = 0; round < n; ++round) {
    std::size_t best = n;
    for (std::size_t b = 0; b < n; ++b) {
      if (component[b] >= 0) continue;
      if (best == n || tie[b] > tie[best] ||
          (tie[b] == tie[best] && bodies.tiles[b].size() > bodies.tiles[best].size()))
        best = b;
    }
    if (tie[best] == 0.0) {
      component[best] = ++last;
    } else {
      component[best] = last;
      std::vector<double> dx, dy;
      each_across(best, [&](const LinkResult& link, std::uint32_t tile, std::size_t other) {
        if (component[other] != last) return;
        const Point d = error_of(model, link).shift_um;
        const double sign = tile == link.tile_b ? 1.0 : -1.0;
        dx.push_back(sign * d[0]);
        dy.push_back(sign * d[1]);
      });
      const Point shift{median(dx), median(dy)};
      for (const std::uint32_t t : bodies.tiles[best])
        model.centre_um[t] = plus(model.centre_um[t], shift);
    }
    each_across(best, [&](const LinkResult& link, std::uint32_t, std::size_t other) {
      if (component[other] < 0) tie[other] += link.pairs;
    });
  }
  return component;
}

// Turns and stretches the 40x side as a whole to where the links across want it.
void align_sides(WellModel& model, const std::vector<LinkResult>& links,
                 const std::vector<bool>& part) {
  for (double scale_um = 64.0; scale_um >= 4.0; scale_um *= 0.5) {
    Eigen::Matrix4d normal = Eigen::Matrix4d::Zero();
    Eigen::Vector4d rhs = Eigen::Vector4d::Zero();
    Point mean{};
    double n = 0.0;
    for (const LinkResult& l : links)
      if (model.side[l.tile_a] != model.side[l.tile_b] && part[l.tile_b]) {
        mean = plus(mean, model.centre_um[l.tile_b]);
        n += 1.0;
      }
    if (n < 3.0) return;
    mean = {mean[0] / n, mean[1] / n};
    for (const LinkResult& l : links) {
      if (model.side[l.tile_a] == model.side[l.tile_b] || !part[l.tile_b]) continue;
      const Point d = error_of(model, l).shift_um, x = minus(model.centre_um[l.tile_b], mean);
      const double w = 1.0 / (1.0 + (d[0] * d[0] + d[1] * d[1]) / (scale_um * scale_um));
      Eigen::Matrix<double, 2, 4> j;
      j << 1, 0, x[0], -x[1], 0, 1, x[1], x[0];
      normal += w * j.transpose() * j;
      rhs += w * j.transpose() * Eigen::Vector2d(d[0], d[1]);
    }
    const Eigen::Vector4d u = normal.ldlt().solve(rhs);
    const Matrix2 turn{1.0 + u(2), -u(3), u(3), 1.0 + u(2)};
    for (std::size_t t = 0; t < part.size(); ++t)
      if (part[t]) {
        const Point x = times(turn, minus(model.centre_um[t], mean));
        model.centre_um[t] = {mean[0] + x[0] + u(0), mean[1] + x[1] + u(1)};
      }
    model.camera[1] = times(turn, model.camera[1]);
  }
}

}  // namespace

Assembly assemble(WellModel& model, const std::vector<LinkResult>& links, const Floors& floors) {
  Assembly out;
  model.placed.assign(model.side.size(), false);
  model.deformation = {};
  const Bodies bodies = bodies_of(model, links);
  std::vector<LinkResult> within;
  for (const LinkResult& l : links)
    if (model.side[l.tile_a] == model.side[l.tile_b]) within.push_back(l);
  // Tissue that moved between the visits bends no mosaic: each is made from its own overlaps first.
  // Scale and turn of its camera say nothing within a side: a spline without nodes keeps them.
  model.deformation.kind = DeformationKind::spline;
  if (!within.empty()) (void)fit_well(model, within, floors, first_inflation);
  model.deformation = {};
  const std::vector<std::int32_t> joined = join_bodies(model, bodies, links);
  // The component of most tiles is 0.
  std::vector<std::size_t> size(bodies.tiles.size());
  for (std::size_t b = 0; b < joined.size(); ++b)
    size[static_cast<std::size_t>(joined[b])] += bodies.tiles[b].size();
  std::vector<std::int32_t> order(size.size()), rank(size.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](std::int32_t l, std::int32_t r) {
    return size[static_cast<std::size_t>(l)] > size[static_cast<std::size_t>(r)];
  });
  for (std::size_t k = 0; k < order.size(); ++k)
    rank[static_cast<std::size_t>(order[k])] = static_cast<std::int32_t>(k);
  out.component.assign(model.side.size(), -1);
  for (std::size_t t = 0; t < model.side.size(); ++t)
    if (bodies.of_tile[t] >= 0)
      out.component[t] =
          rank[static_cast<std::size_t>(joined[static_cast<std::size_t>(bodies.of_tile[t])])];
  // One body that holds most of 40x is aligned; many are left to the fit, which starts softly.
  std::size_t largest = 0, forty = 0;
  for (std::size_t b = 0; b < bodies.tiles.size(); ++b) {
    if (model.side[bodies.tiles[b].front()] == Side::ten) continue;
    forty += bodies.tiles[b].size();
    if (largest == 0 || bodies.tiles[b].size() > bodies.tiles[largest - 1].size()) largest = b + 1;
  }
  double inflation = first_inflation;
  if (largest > 0 && 2 * bodies.tiles[largest - 1].size() > forty) {
    std::vector<bool> part(model.side.size());
    for (std::uint32_t t = 0; t < part.size(); ++t)
      part[t] = model.side[t] == Side::forty && model.placed[t];
    align_sides(model, links, part);
    inflation = 2.0;
  }
  out.fit = fit_well(model, links, floors, inflation);
  return out;
}

}  // namespace nucreg::mosaic
