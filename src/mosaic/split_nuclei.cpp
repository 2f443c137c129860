#include "evidence.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "point_grid.hpp"

namespace nucreg::mosaic {
namespace {

struct Piece {
  std::uint32_t edge;
  double x, y;
};

// Among the pieces around a centre those two whose middle is nearest to it, if it is near enough.
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

// Two pairs that lie side by side, before it is known whether they are two pairs of pieces.
class PairOfPairs {
 public:
  PairOfPairs(const ObjectPair& p, const ObjectPair& q, const SideView& ten, const SideView& forty)
      : tens_(between(ten, p.ten, q.ten)), forties_(between(forty, p.forty, q.forty)) {
    const Point at_p{coordinate(forty.x, p.forty) - coordinate(ten.x, p.ten),
                     coordinate(forty.y, p.forty) - coordinate(ten.y, p.ten)};
    const Point at_q{coordinate(forty.x, q.forty) - coordinate(ten.x, q.ten),
                     coordinate(forty.y, q.forty) - coordinate(ten.y, q.ten)};
    differ_ = std::hypot(at_q[0] - at_p[0], at_q[1] - at_p[1]);
    sum_ = std::hypot(at_q[0] + at_p[0], at_q[1] + at_p[1]);
  }
  /// Between the ends at a side, um.
  [[nodiscard]] double tens_um() const { return tens_; }
  [[nodiscard]] double forties_um() const { return forties_; }
  /// How much the distances of the two pairs differ as vectors, um.
  [[nodiscard]] double differ_um() const { return differ_; }
  /// Both lie about one middle: the pairs are off by as much to opposite sides.
  [[nodiscard]] bool opposite() const { return sum_ <= 0.5 * differ_; }

 private:
  static double coordinate(std::span<const float> values, std::uint32_t object) {
    return static_cast<double>(values[object]);
  }
  static double between(const SideView& side, std::uint32_t a, std::uint32_t b) {
    return std::hypot(coordinate(side.x, b) - coordinate(side.x, a),
                      coordinate(side.y, b) - coordinate(side.y, a));
  }
  double tens_ = 0.0, forties_ = 0.0, differ_ = 0.0, sum_ = 0.0;
};

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
                                        std::span<const std::uint8_t> forty_flags,
                                        double spacing_um, double narrow_um) {
  const double close = 0.5 * spacing_um;
  std::vector<std::uint8_t> second(pairs.size(), 0);
  std::vector<std::uint32_t> off;  // pairs that are so far apart that their ends may be pieces
  std::vector<float> x, y;
  for (std::uint32_t k = 0; k < pairs.size(); ++k) {
    const ObjectPair& p = pairs[k];
    const bool flagged = ((ten_flags[p.ten] | forty_flags[p.forty]) & split_flag) != 0;
    const double apart = std::hypot(static_cast<double>(forty.x[p.forty] - ten.x[p.ten]),
                                    static_cast<double>(forty.y[p.forty] - ten.y[p.ten]));
    if (!flagged && apart < 1.5 * narrow_um) continue;
    off.push_back(k);
    x.push_back(ten.x[p.ten]);
    y.push_back(ten.y[p.ten]);
  }
  const auto all_have = [&](const ObjectPair& p, const ObjectPair& q, bool of_ten) {
    const int flags =
        of_ten ? ten_flags[p.ten] & ten_flags[q.ten] : forty_flags[p.forty] & forty_flags[q.forty];
    return (flags & split_flag) != 0;
  };
  const auto explained = [&](const ObjectPair& p) {  // by a piece that has no partner
    return ((ten_flags[p.ten] | forty_flags[p.forty]) & merged_flag) != 0;
  };
  const auto of_one_nucleus = [&](const ObjectPair& p, const ObjectPair& q) {
    const PairOfPairs both(p, q, ten, forty);
    if (both.forties_um() > spacing_um) return false;
    const bool of_tens = all_have(p, q, true) && both.tens_um() <= close;
    const bool of_forties = all_have(p, q, false) && both.forties_um() <= close;
    if (of_tens && of_forties) return both.differ_um() >= 4.0 * narrow_um;
    const double least = of_tens || of_forties ? 4.0 : 6.0;
    // Where nearly all pairs lie on each other, a few that do not are no pieces yet.
    return both.differ_um() >= std::max(least * narrow_um, 0.1 * spacing_um) && both.opposite() &&
           !explained(p) && !explained(q);
  };
  const PointGrid grid(x, y, spacing_um);
  for (std::uint32_t a = 0; a < off.size(); ++a) {
    grid.within(static_cast<double>(x[a]), static_cast<double>(y[a]), spacing_um,
                [&](std::uint32_t b, double) {
                  const ObjectPair &p = pairs[off[a]], &q = pairs[off[b]];
                  if (b > a && of_one_nucleus(p, q))
                    second[off[q.probability > p.probability ? a : b]] = 1;
                });
  }
  return second;
}

namespace {

constexpr std::uint32_t alone = std::numeric_limits<std::uint32_t>::max();

// One side's objects as wholes, the other's as the two that they may be.
class MergedFinder {
 public:
  MergedFinder(const SideView& wholes, const SideView& parts,
               const std::vector<std::uint32_t>& partner_of_whole,
               const std::vector<std::uint32_t>& partner_of_part, double reach_um, double narrow_um,
               double area_ratio)
      : wholes_(wholes),
        parts_(parts),
        partner_of_whole_(partner_of_whole),
        partner_of_part_(partner_of_part),
        reach_um_(reach_um),
        narrow_um_(narrow_um),
        area_ratio_(area_ratio),
        whole_at_(wholes.x, wholes.y, reach_um),
        part_at_(lonely_x(), parts.y, reach_um) {}

  void find(std::span<std::uint8_t> whole_marks, std::span<std::uint8_t> part_marks,
            std::span<std::uint8_t> whole_flags) const {
    for (std::uint32_t p = 0; p < parts_.size(); ++p) {
      if (!is_lonely(p)) continue;
      Best best{2.5 * narrow_um_};
      whole_at_.within(at(parts_.x, p), at(parts_.y, p), reach_um_, [&](std::uint32_t o, double) {
        if (wholes_.shared[o] == 0) return;
        if (partner_of_whole_[o] != alone) return consider(o, p, partner_of_whole_[o], best);
        part_at_.within(at(wholes_.x, o), at(wholes_.y, o), reach_um_,
                        [&](std::uint32_t q, double) {
                          if (q != p) consider(o, p, q, best);
                        });
      });
      if (best.whole == alone) continue;
      whole_flags[best.whole] |= merged_flag;
      part_marks[p] = 1;
      if (partner_of_whole_[best.whole] == alone) whole_marks[best.whole] = 1;
    }
  }

 private:
  struct Best {
    double off_um;
    std::uint32_t whole = alone;
  };

  static double at(std::span<const float> v, std::uint32_t i) { return static_cast<double>(v[i]); }

  [[nodiscard]] bool is_lonely(std::uint32_t part) const {
    return parts_.shared[part] != 0 && partner_of_part_[part] == alone;
  }
  // NaN: no part of the grid.
  [[nodiscard]] std::vector<float> lonely_x() const {
    std::vector<float> x(parts_.x.begin(), parts_.x.end());
    for (std::uint32_t p = 0; p < x.size(); ++p)
      if (!is_lonely(p)) x[p] = std::numeric_limits<float>::quiet_NaN();
    return x;
  }

  void consider(std::uint32_t o, std::uint32_t p, std::uint32_t q, Best& best) const {
    const double dx = at(parts_.x, q) - at(parts_.x, p), dy = at(parts_.y, q) - at(parts_.y, p);
    const double apart = std::hypot(dx, dy);
    if (apart < 4.0 * narrow_um_ || apart > 2.0 * reach_um_) return;
    double share = 0.5;  // of q
    if (area_ratio_ > 0.0) {
      constexpr double max_off = 1.5;
      const double a = at_area(parts_, p), b = at_area(parts_, q), sum = area_ratio_ * (a + b);
      const double ratio = at_area(wholes_, o) / sum;
      if (!(ratio > 1.0 / max_off && ratio < max_off)) return;
      share = b / (a + b);
    }
    const double off = std::hypot(at(parts_.x, p) + share * dx - at(wholes_.x, o),
                                  at(parts_.y, p) + share * dy - at(wholes_.y, o));
    if (off > best.off_um) return;
    best = {off, o};
  }
  static double at_area(const SideView& side, std::uint32_t i) {
    return static_cast<double>(side.area(i));
  }

  const SideView &wholes_, &parts_;
  const std::vector<std::uint32_t>&partner_of_whole_, &partner_of_part_;
  double reach_um_, narrow_um_, area_ratio_;
  PointGrid whole_at_, part_at_;
};

}  // namespace

MergedNuclei find_merged(std::span<const ObjectPair> pairs, const SideView& ten,
                         const SideView& forty, double spacing_um, double narrow_um,
                         double area_ratio, std::span<std::uint8_t> ten_flags,
                         std::span<std::uint8_t> forty_flags) {
  constexpr double reach = 0.6;  // of the distance of neighbours
  std::vector<std::uint32_t> of_ten(ten.size(), alone), of_forty(forty.size(), alone);
  for (const ObjectPair& p : pairs) {
    of_ten[p.ten] = p.forty;
    of_forty[p.forty] = p.ten;
  }
  MergedNuclei out{std::vector<std::uint8_t>(ten.size(), 0),
                   std::vector<std::uint8_t>(forty.size(), 0)};
  const double reach_um = std::max(reach * spacing_um, 2.0 * narrow_um);
  MergedFinder(ten, forty, of_ten, of_forty, reach_um, narrow_um, area_ratio)
      .find(out.ten, out.forty, ten_flags);
  MergedFinder(forty, ten, of_forty, of_ten, reach_um, narrow_um,
               area_ratio > 0.0 ? 1.0 / area_ratio : 0.0)
      .find(out.forty, out.ten, forty_flags);
  return out;
}

}  // namespace nucreg::mosaic
