#include "split_nuclei.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "incidence.hpp"
#include "point_grid.hpp"

namespace nucreg::mosaic {
namespace {

struct Piece {
  std::uint32_t edge;
  double x, y;
};

// Of the pieces around a centre, those two whose middle is nearest to it, if it is near enough.
void join_around(double x, double y, std::span<const Piece> pieces, double near, double far,
                 std::vector<std::array<std::uint32_t, 2>>& joined) {
  double best = near * near;
  std::array<std::uint32_t, 2> found{};
  bool any = false;
  for (std::size_t a = 0; a < pieces.size(); ++a) {
    for (std::size_t b = a + 1; b < pieces.size(); ++b) {
      const Piece &p = pieces[a], &q = pieces[b];
      const double mx = 0.5 * (p.x + q.x) - x, my = 0.5 * (p.y + q.y) - y;
      if (mx * mx + my * my > best || std::hypot(p.x - q.x, p.y - q.y) < 2.0 * far) continue;
      best = mx * mx + my * my;
      found = {p.edge, q.edge};
      any = true;
    }
  }
  if (any) joined.push_back(found);
}

}  // namespace

void join_pieces(Candidates& c, const SideView& ten, const SideView& forty, double narrow_um,
                 std::span<std::uint8_t> ten_flags, std::span<std::uint8_t> forty_flags) {
  std::vector<std::array<std::uint32_t, 2>> joined;
  std::vector<Piece> pieces;
  for (const bool around_ten : {true, false}) {
    const SideView& side = around_ten ? ten : forty;
    const SideView& other = around_ten ? forty : ten;
    const std::vector<std::uint32_t>& others = around_ten ? c.forty : c.ten;
    const Incidence at(around_ten ? c.ten : c.forty, side.size());
    const std::size_t before = joined.size();
    for (std::size_t o = 0; o < side.size(); ++o) {
      if (at.of(o).size() < 2) continue;
      pieces.clear();
      for (const std::uint32_t e : at.of(o))
        pieces.push_back(
            {e, static_cast<double>(other.x[others[e]]), static_cast<double>(other.y[others[e]])});
      join_around(static_cast<double>(side.x[o]), static_cast<double>(side.y[o]), pieces,
                  2.5 * narrow_um, 2.0 * narrow_um, joined);
    }
    for (std::size_t k = before; k < joined.size(); ++k) {
      for (const std::uint32_t e : joined[k]) {
        (around_ten ? forty_flags : ten_flags)[others[e]] |= split_flag;
        (around_ten ? ten_flags : forty_flags)[(around_ten ? c.ten : c.forty)[e]] |= merged_flag;
      }
    }
  }
  std::vector<float> sum(joined.size());
  for (std::size_t k = 0; k < joined.size(); ++k)
    sum[k] = std::min(1.0F, c.probability[joined[k][0]] + c.probability[joined[k][1]]);
  for (std::size_t k = 0; k < joined.size(); ++k)
    for (const std::uint32_t e : joined[k]) c.probability[e] = std::max(c.probability[e], sum[k]);
}

std::vector<std::uint8_t> second_pieces(std::span<const ObjectPair> pairs, const SideView& ten,
                                        const SideView& forty,
                                        std::span<const std::uint8_t> ten_flags,
                                        std::span<const std::uint8_t> forty_flags, double reach,
                                        double narrow_um) {
  std::vector<std::uint8_t> second(pairs.size(), 0);
  std::vector<std::uint32_t> split;  // pairs with both ends flagged
  std::vector<float> x, y;
  for (std::uint32_t k = 0; k < pairs.size(); ++k) {
    if ((ten_flags[pairs[k].ten] & forty_flags[pairs[k].forty] & split_flag) == 0) continue;
    split.push_back(k);
    x.push_back(ten.x[pairs[k].ten]);
    y.push_back(ten.y[pairs[k].ten]);
  }
  const PointGrid grid(x, y, reach);
  for (std::uint32_t a = 0; a < split.size(); ++a) {
    grid.within(static_cast<double>(x[a]), static_cast<double>(y[a]), reach,
                [&](std::uint32_t b, double) {
                  const ObjectPair &p = pairs[split[a]], &q = pairs[split[b]];
                  if (b <= a) return;
                  const double fx = static_cast<double>(forty.x[q.forty] - forty.x[p.forty]);
                  const double fy = static_cast<double>(forty.y[q.forty] - forty.y[p.forty]);
                  const double tx = static_cast<double>(x[b] - x[a]);
                  const double ty = static_cast<double>(y[b] - y[a]);
                  if (std::hypot(fx, fy) > reach || std::hypot(fx - tx, fy - ty) < 4.0 * narrow_um)
                    return;
                  second[split[q.probability > p.probability ? a : b]] = 1;
                });
  }
  return second;
}

}  // namespace nucreg::mosaic
