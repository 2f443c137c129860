#include "nucreg/mosaic/assignment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "displacement.hpp"
#include "evidence.hpp"
#include "matching.hpp"
#include "nucreg/core/error.hpp"
#include "split_nuclei.hpp"

namespace nucreg::mosaic {
namespace {

constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

void check_columns(const Detections& d, std::size_t tiles, const char* side) {
  const std::size_t n = d.size();
  if (d.x_um.size() != n || d.y_um.size() != n || d.border_px.size() != n ||
      (!d.area_um2.empty() && d.area_um2.size() != n))
    throw InputError(fmt::format("the columns of the {} nuclei differ in length", side));
  for (const std::uint32_t t : d.tile)
    if (t >= tiles)
      throw InputError(
          fmt::format("a {} nucleus is of tile {}, but there are only {} tiles", side, t, tiles));
}

// Per object what the pairing needs besides the position.
struct ObjectFacts {
  std::vector<std::uint8_t> shared;
  std::vector<std::uint32_t> tile;
  std::vector<float> area;
};

// Marks the objects that lie within the field of a tile of the other side.
std::vector<std::uint8_t> shared_with(const Objects& objects, const Detections& other,
                                      std::span<const WellTile> tiles,
                                      std::span<const PlacedTile> placed) {
  std::vector<std::uint8_t> of_other(tiles.size(), 0), shared(objects.size(), 0);
  for (const std::uint32_t t : other.tile) of_other[t] = 1;
  const PointGrid grid(objects.x_um, objects.y_um,
                       objects.spacing_um > 0.0 ? 3.0 * objects.spacing_um : 1.0);
  for (std::size_t t = 0; t < tiles.size(); ++t) {
    if (of_other[t] == 0 || !is_placed(placed[t])) continue;
    const double w = tiles[t].width_px, h = tiles[t].height_px;
    const Point centre = apply(placed[t].to_well, {0.5 * (w - 1.0), 0.5 * (h - 1.0)});
    double radius = 0.0;
    for (const Point corner : {Point{0, 0}, Point{w, 0}, Point{0, h}, Point{w, h}}) {
      const Point at = apply(placed[t].to_well, corner);
      radius = std::max(radius, std::hypot(at[0] - centre[0], at[1] - centre[1]));
    }
    const AffineMap to_px = invert(placed[t].to_well);
    grid.within(centre[0], centre[1], radius, [&](std::uint32_t i, double) {
      const Point px = apply(
          to_px, {static_cast<double>(objects.x_um[i]), static_cast<double>(objects.y_um[i])});
      if (px[0] >= -0.5 && px[1] >= -0.5 && px[0] <= w - 0.5 && px[1] <= h - 0.5) shared[i] = 1;
    });
  }
  return shared;
}

ObjectFacts facts_of(const Objects& objects, const Detections& own, const Detections& other,
                     std::span<const WellTile> tiles, std::span<const PlacedTile> placed) {
  ObjectFacts out{shared_with(objects, other, tiles, placed), {}, {}};
  out.tile.reserve(objects.size());
  for (const std::uint32_t d : objects.representative) out.tile.push_back(own.tile[d]);
  if (!own.area_um2.empty())
    for (const std::uint32_t d : objects.representative) out.area.push_back(own.area_um2[d]);
  return out;
}

// The pairing while it is worked out.
class Pairing {
 public:
  Pairing(const Detections& ten, const Detections& forty, std::span<const WellTile> tiles,
          std::span<const PlacedTile> placed, const AssignmentOptions& options)
      : ten_(ten), forty_(forty), tiles_(tiles), placed_(placed), options_(options) {
    check_columns(ten, placed.size(), "10x");
    check_columns(forty, placed.size(), "40x");
    out_.ten = find_objects(ten, tiles, placed, options.ten_noise_um);
    out_.forty = find_objects(forty, tiles, placed, options.forty_noise_um);
    ten_facts_ = facts_of(out_.ten, ten, forty, tiles, placed);
    forty_facts_ = facts_of(out_.forty, forty, ten, tiles, placed);
    forty_x_ = out_.forty.x_um;
    forty_y_ = out_.forty.y_um;
    offset_.assign(out_.forty.size(), Point{0.0, 0.0});
  }

  WellAssignment run();

 private:
  [[nodiscard]] SideView ten_view() const {
    return {out_.ten.x_um, out_.ten.y_um, ten_facts_.shared, ten_facts_.tile, ten_facts_.area};
  }
  [[nodiscard]] SideView forty_view() const {
    return {forty_x_, forty_y_, forty_facts_.shared, forty_facts_.tile, forty_facts_.area};
  }
  [[nodiscard]] double noise(const Objects& objects, double guess) const {
    return std::isfinite(objects.noise_um) ? objects.noise_um : guess;
  }
  void learn_shift(LocalShift& shift, const Candidates& c, const Evidence& evidence);
  void move_objects(const LocalShift* shift);
  void give_pairs(const Candidates& c, const LocalShift& shift, double narrow_um);
  void give_reasons(const Candidates& c, const Matching& matching);
  void count_decoys(const Evidence& evidence, double gate);
  void summarize(const Evidence& evidence);

  const Detections &ten_, &forty_;
  std::span<const WellTile> tiles_;
  std::span<const PlacedTile> placed_;
  AssignmentOptions options_;
  WellAssignment out_;
  ObjectFacts ten_facts_, forty_facts_;
  std::vector<float> forty_x_, forty_y_;  // of 40x objects, corrected
  std::vector<Point> offset_;             // of 40x objects in moved regions
  std::vector<float> partner_x_, partner_y_, weight_;
};

void Pairing::learn_shift(LocalShift& shift, const Candidates& c, const Evidence& evidence) {
  partner_x_.assign(out_.forty.size(), 0.0F);
  partner_y_ = weight_ = partner_x_;
  for (std::size_t e = 0; e < c.size(); ++e) {
    const std::uint32_t i = c.ten[e], j = c.forty[e];
    if (c.probability[e] < 0.5F || c.probability[e] <= weight_[j]) continue;
    const double factor =
        evidence.factor(ten_facts_.tile[i]) * evidence.factor(forty_facts_.tile[j]);
    partner_x_[j] = out_.ten.x_um[i];
    partner_y_[j] = out_.ten.y_um[i];
    weight_[j] = c.probability[e] * static_cast<float>(evidence.narrow_share(
                                        static_cast<double>(c.square[e]), factor));
  }
  shift.learn(out_.forty, offset_, partner_x_, partner_y_, weight_);
}

// Corrected positions: means over the detections of an object.
void Pairing::move_objects(const LocalShift* shift) {
  std::vector<std::uint32_t> count(out_.forty.size(), 0);
  std::vector<Point> sum(out_.forty.size(), Point{0.0, 0.0});
  for (std::uint32_t d = 0; d < forty_.size(); ++d) {
    const std::uint32_t j = out_.forty.of[d];
    const Point s = shift != nullptr ? shift->at(d) : Point{0.0, 0.0};
    sum[j][0] += static_cast<double>(forty_.x_um[d]) - offset_[j][0] - s[0];
    sum[j][1] += static_cast<double>(forty_.y_um[d]) - offset_[j][1] - s[1];
    ++count[j];
  }
  for (std::size_t j = 0; j < count.size(); ++j) {
    if (!std::isfinite(out_.forty.x_um[j])) continue;
    forty_x_[j] = static_cast<float>(sum[j][0] / count[j]);
    forty_y_[j] = static_cast<float>(sum[j][1] / count[j]);
  }
}

WellAssignment Pairing::run() {
  const double spacing = std::isfinite(out_.ten.spacing_um)     ? out_.ten.spacing_um
                         : std::isfinite(out_.forty.spacing_um) ? out_.forty.spacing_um
                                                                : 20.0;
  const double noise = std::hypot(this->noise(out_.ten, options_.ten_noise_um),
                                  this->noise(out_.forty, options_.forty_noise_um));
  Evidence evidence({1.5 * noise, std::max(0.15 * spacing, 3.0 * noise), 0.05}, spacing,
                    tiles_.size());
  LocalShift shift(forty_, placed_);
  Candidates c;
  double gate = std::max(0.5 * spacing, 6.0 * noise);
  for (int pass = 0; pass < 4; ++pass) {
    c = candidates_within(ten_view(), forty_view(), gate);
    evidence.learn(c, ten_view(), forty_view(), pass == 0 ? 5 : 3);
    gate = evidence.gate_um();
    if (pass == 3) break;
    if (pass == 1) {
      std::vector<float> p10(out_.ten.size(), 0.0F), p40(out_.forty.size(), 0.0F);
      for (std::size_t e = 0; e < c.size(); ++e)
        p10[c.ten[e]] += c.probability[e], p40[c.forty[e]] += c.probability[e];
      out_.summary.moved = find_moved(ten_view(), forty_view(), p10, p40, spacing,
                                      evidence.spread().narrow_um, offset_);
      if (!out_.summary.moved.empty()) {
        move_objects(nullptr);
        c = candidates_within(ten_view(), forty_view(), gate);
        evidence.learn(c, ten_view(), forty_view(), 3);
      }
    }
    learn_shift(shift, c, evidence);
    move_objects(&shift);
  }
  evidence.weigh(c, ten_view(), forty_view());
  find_probabilities(c, out_.ten.size(), out_.forty.size(), 20);
  out_.summary.gate_um = gate;
  const double narrow = evidence.spread().narrow_um;
  join_pieces(c, ten_view(), forty_view(), narrow, out_.ten.flags, out_.forty.flags);
  give_pairs(c, shift, narrow);
  count_decoys(evidence, gate);
  summarize(evidence);
  return std::move(out_);
}

void Pairing::give_pairs(const Candidates& c, const LocalShift& shift, double narrow_um) {
  const Matching matching =
      best_matching(c.view(), out_.ten.size(), out_.forty.size(), options_.max_component);
  out_.summary.components = matching.components;
  out_.summary.largest_component = matching.largest;
  out_.summary.cut_edges = matching.cut;
  NucleusPairs& p = out_.pairs;
  std::vector<Point> rest(out_.forty.size(), Point{0.0, 0.0});
  std::vector<std::uint32_t> count(out_.forty.size(), 0);
  for (std::uint32_t d = 0; d < forty_.size(); ++d) {
    const std::uint32_t j = out_.forty.of[d];
    const Point own{
        static_cast<double>(forty_.x_um[d]) - offset_[j][0] - static_cast<double>(partner_x_[j]),
        static_cast<double>(forty_.y_um[d]) - offset_[j][1] - static_cast<double>(partner_y_[j])};
    const Point s = shift.without(d, own, static_cast<double>(weight_[j]));
    rest[j][0] += static_cast<double>(forty_.x_um[d]) - offset_[j][0] - s[0];
    rest[j][1] += static_cast<double>(forty_.y_um[d]) - offset_[j][1] - s[1];
    ++count[j];
  }
  std::vector<ObjectPair> chosen;
  std::vector<float> margin;
  for (std::size_t k = 0; k < matching.edges.size(); ++k) {
    const std::uint32_t e = matching.edges[k];
    if (static_cast<double>(c.probability[e]) < options_.min_probability) continue;
    chosen.push_back({c.ten[e], c.forty[e], c.probability[e]});
    margin.push_back(matching.margin[k]);
  }
  const std::vector<std::uint8_t> second =
      second_pieces(chosen, ten_view(), forty_view(), out_.ten.flags, out_.forty.flags,
                    0.5 * out_.ten.spacing_um, narrow_um);
  // Rows rise with the row of the 10x representative.
  std::vector<std::uint32_t> rows;
  for (std::uint32_t k = 0; k < chosen.size(); ++k)
    if (second[k] == 0) rows.push_back(k);
  const auto ten_row = [&](std::uint32_t k) { return out_.ten.representative[chosen[k].ten]; };
  std::sort(rows.begin(), rows.end(),
            [&](std::uint32_t a, std::uint32_t b) { return ten_row(a) < ten_row(b); });
  for (const std::uint32_t k : rows) {
    const std::uint32_t i = chosen[k].ten, j = chosen[k].forty;
    const double x = static_cast<double>(out_.ten.x_um[i]);
    const double y = static_cast<double>(out_.ten.y_um[i]);
    p.ten.push_back(out_.ten.representative[i]);
    p.forty.push_back(out_.forty.representative[j]);
    p.distance_um.push_back(static_cast<float>(std::hypot(
        static_cast<double>(out_.forty.x_um[j]) - x, static_cast<double>(out_.forty.y_um[j]) - y)));
    p.heldout_distance_um.push_back(
        static_cast<float>(std::hypot(rest[j][0] / count[j] - x, rest[j][1] / count[j] - y)));
    p.probability.push_back(chosen[k].probability);
    p.margin.push_back(margin[k]);
  }
  // q: mean of 1 - probability over all pairs at least as probable.
  std::vector<std::uint32_t> order(p.size());
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return p.probability[a] > p.probability[b];
  });
  p.q_value.assign(p.size(), 0.0F);
  double wrong = 0.0;
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    while (end < order.size() && p.probability[order[end]] == p.probability[order[begin]])
      wrong += 1.0 - static_cast<double>(p.probability[order[end++]]);
    const auto q = static_cast<float>(wrong / static_cast<double>(end));
    for (; begin < end; ++begin) p.q_value[order[begin]] = q;
  }
  out_.summary.expected_wrong = wrong;
  give_reasons(c, matching);
}

void Pairing::give_reasons(const Candidates& c, const Matching& matching) {
  std::vector<Unpaired> ten(out_.ten.size(), Unpaired::outside);
  std::vector<Unpaired> forty(out_.forty.size(), Unpaired::outside);
  for (std::size_t i = 0; i < ten.size(); ++i)
    if (ten_facts_.shared[i] != 0) ten[i] = Unpaired::no_candidate;
  for (std::size_t j = 0; j < forty.size(); ++j)
    if (forty_facts_.shared[j] != 0) forty[j] = Unpaired::no_candidate;
  for (std::size_t e = 0; e < c.size(); ++e) {
    // A candidate that would gain nothing even alone is none.
    if (c.gain[e] <= 0.0F) continue;
    ten[c.ten[e]] = Unpaired::beaten;
    forty[c.forty[e]] = Unpaired::beaten;
  }
  for (const std::uint32_t e : matching.edges) {
    // Of two pieces of one nucleus the second is beaten by the first.
    const bool probable = static_cast<double>(c.probability[e]) >= options_.min_probability;
    ten[c.ten[e]] = forty[c.forty[e]] = probable ? Unpaired::beaten : Unpaired::ambiguous;
  }
  for (std::size_t k = 0; k < out_.pairs.size(); ++k) {
    ten[out_.ten.of[out_.pairs.ten[k]]] = Unpaired::paired;
    forty[out_.forty.of[out_.pairs.forty[k]]] = Unpaired::paired;
  }
  const auto spread = [](const Objects& objects, const std::vector<Unpaired>& reason) {
    std::vector<Unpaired> out;
    out.reserve(objects.of.size());
    for (const std::uint32_t o : objects.of) out.push_back(reason[o]);
    return out;
  };
  out_.ten_unpaired = spread(out_.ten, ten);
  out_.forty_unpaired = spread(out_.forty, forty);
}

void Pairing::count_decoys(const Evidence& evidence, double gate) {
  constexpr double steps[] = {0.9999, 0.999, 0.99, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.0};
  auto& decoys = out_.summary.decoys;
  const auto count = [&](std::span<const float> probability, double share,
                         double DecoyPoint::*field) {
    for (DecoyPoint& point : decoys)
      for (const float p : probability)
        if (static_cast<double>(p) >= point.min_probability) point.*field += share;
  };
  for (const double s : steps)
    if (s >= options_.min_probability) decoys.push_back({.min_probability = s});
  if (decoys.empty() || decoys.back().min_probability > options_.min_probability)
    decoys.push_back({.min_probability = options_.min_probability});
  for (DecoyPoint& point : decoys) {
    for (const float p : out_.pairs.probability) {
      if (static_cast<double>(p) < point.min_probability) continue;
      ++point.pairs;
      point.expected_wrong += 1.0 - static_cast<double>(p);
    }
  }
  // Only objects without a partner can form a chance pair; true partners are far when shifted.
  std::vector<float> tx = out_.ten.x_um, ty = out_.ten.y_um, fx, fy;
  for (std::size_t d = 0; d < ten_.size(); ++d)
    if (out_.ten_unpaired[d] == Unpaired::paired) tx[out_.ten.of[d]] = std::nanf("");
  std::vector<std::uint8_t> paired(out_.forty.size(), 0);
  for (std::size_t d = 0; d < forty_.size(); ++d)
    if (out_.forty_unpaired[d] == Unpaired::paired) paired[out_.forty.of[d]] = 1;
  const SideView ten{tx, ty, ten_facts_.shared, ten_facts_.tile, ten_facts_.area};
  const double spacing = out_.ten.spacing_um > 0.0 ? out_.ten.spacing_um : 10.0 * gate;
  for (std::size_t k = 0; k < options_.decoys; ++k) {
    const double angle = 2.0 * std::numbers::pi * (static_cast<double>(k) + 0.25) /
                         static_cast<double>(options_.decoys);
    const double length = (3.0 + 2.0 * static_cast<double>(k % 3) / 2.0) * spacing;
    fx = forty_x_;
    fy = forty_y_;
    for (std::size_t j = 0; j < fx.size(); ++j) {
      fx[j] = paired[j] != 0 ? std::nanf("") : fx[j] + static_cast<float>(length * std::cos(angle));
      fy[j] += static_cast<float>(length * std::sin(angle));
    }
    const SideView forty{fx, fy, forty_facts_.shared, forty_facts_.tile, forty_facts_.area};
    Candidates c = candidates_within(ten, forty, gate);
    evidence.weigh(c, ten, forty);
    find_probabilities(c, ten.size(), forty.size(), 10);
    const Matching m = best_matching(c.view(), ten.size(), forty.size(), options_.max_component);
    std::vector<float> probability;
    for (const std::uint32_t e : m.edges) probability.push_back(c.probability[e]);
    count(probability, 1.0 / static_cast<double>(options_.decoys), &DecoyPoint::decoy_wrong);
  }
}

void Pairing::summarize(const Evidence& evidence) {
  AssignmentSummary& s = out_.summary;
  for (const std::uint8_t v : ten_facts_.shared) s.ten_shared += v;
  for (const std::uint8_t v : forty_facts_.shared) s.forty_shared += v;
  const auto part = [&](std::size_t of) {
    return of == 0 ? nan : static_cast<double>(out_.pairs.size()) / static_cast<double>(of);
  };
  s.ten_paired = part(s.ten_shared);
  s.forty_paired = part(s.forty_shared);
  s.narrow_um = evidence.spread().narrow_um;
  s.wide_um = evidence.spread().wide_um;
  s.wide_part = evidence.spread().wide_part;
  s.chance_per_um2 = evidence.chance_per_um2();
  s.area_correlation = evidence.area_correlation();
  s.ten_noise_um = noise(out_.ten, options_.ten_noise_um);
  s.forty_noise_um = noise(out_.forty, options_.forty_noise_um);
  std::vector<double> paired(tiles_.size(), 0.0), shared(tiles_.size(), 0.0);
  const auto count = [&](const Detections& d, const Objects& o, const ObjectFacts& facts,
                         const std::vector<Unpaired>& reason) {
    for (std::size_t k = 0; k < d.size(); ++k) {
      if (facts.shared[o.of[k]] == 0) continue;
      shared[d.tile[k]] += 1.0;
      paired[d.tile[k]] += reason[k] == Unpaired::paired ? 1.0 : 0.0;
    }
  };
  count(ten_, out_.ten, ten_facts_, out_.ten_unpaired);
  count(forty_, out_.forty, forty_facts_, out_.forty_unpaired);
  s.match_rate.assign(tiles_.size(), nan);
  for (std::size_t t = 0; t < tiles_.size(); ++t)
    if (shared[t] > 0.0) s.match_rate[t] = paired[t] / shared[t];
}

}  // namespace

std::string_view unpaired_name(Unpaired reason) {
  switch (reason) {
    case Unpaired::paired:
      return "paired";
    case Unpaired::outside:
      return "outside";
    case Unpaired::no_candidate:
      return "no_candidate";
    case Unpaired::beaten:
      return "beaten";
    case Unpaired::ambiguous:
      return "ambiguous";
  }
  return "";
}

WellAssignment assign_nuclei(const Detections& ten, const Detections& forty,
                             std::span<const WellTile> tiles, std::span<const PlacedTile> placed,
                             const AssignmentOptions& options) {
  return Pairing(ten, forty, tiles, placed, options).run();
}

}  // namespace nucreg::mosaic
