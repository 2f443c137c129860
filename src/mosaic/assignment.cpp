#include "nucreg/mosaic/assignment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "displacement.hpp"
#include "evidence.hpp"
#include "matching.hpp"
#include "nucreg/core/error.hpp"

namespace nucreg::mosaic {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

void check_columns(const Detections& d, std::span<const WellTile> tiles,
                   std::span<const PlacedTile> placed, const char* side) {
  const std::size_t n = d.size();
  if (d.x_um.size() != n || d.y_um.size() != n || d.border_px.size() != n ||
      (!d.area_um2.empty() && d.area_um2.size() != n))
    throw InputError(fmt::format("the columns of the {} nuclei differ in length", side));
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t t = d.tile[i];
    if (t >= placed.size())
      throw InputError(fmt::format("a {} nucleus is of tile {}, but there are only {} tiles", side,
                                   t, placed.size()));
    if (is_comparable(placed[t]) && !(std::isfinite(d.x_um[i]) && std::isfinite(d.y_um[i])))
      throw InputError(fmt::format("the position of nucleus {} of tile {} is not a finite number",
                                   i, tiles[t].name));
  }
}

// The pairing while it is worked out. 10x objects stay, those of the 40x side are moved onto them.
class Pairing {
 public:
  Pairing(Detections ten, Detections forty, std::span<const WellTile> tiles,
          std::span<const PlacedTile> placed, const AssignmentOptions& options)
      : ten_(std::move(ten)),
        forty_(std::move(forty)),
        tiles_(tiles),
        options_(options),
        shift_(forty_, placed) {
    out_.ten = find_objects(ten_, placed, options.ten_noise_um);
    out_.forty = find_objects(forty_, placed, options.forty_noise_um);
    for (auto* column : {&ten_.x_um, &ten_.y_um, &ten_.border_px, &forty_.border_px})
      *column = std::vector<float>();  // only objects need them
    fields_ = {fields_of(ten_, tiles, placed), fields_of(forty_, tiles, placed)};
    ten_shared_ = within_fields(out_.ten, fields_.forty);
    forty_shared_ = within_fields(out_.forty, fields_.ten);
    x_ = out_.forty.x_um;
    y_ = out_.forty.y_um;
    spacing_um_ = out_.ten.spacing_um > 0.0     ? out_.ten.spacing_um
                  : out_.forty.spacing_um > 0.0 ? out_.forty.spacing_um
                                                : 20.0 * options.ten_noise_um;
    out_.summary.ten_noise_um = known_or(out_.ten.noise_um, options.ten_noise_um);
    out_.summary.forty_noise_um = known_or(out_.forty.noise_um, options.forty_noise_um);
  }

  WellAssignment run();

 private:
  static double known_or(double value, double guess) {
    constexpr double min_um = 1e-3;  // what single precision resolves
    return std::isfinite(value) ? std::max(value, min_um) : guess;
  }
  [[nodiscard]] SideView ten_view() const {
    return {out_.ten.x_um, out_.ten.y_um, ten_shared_, out_.ten.representative, &ten_};
  }
  [[nodiscard]] SideView forty_view() const {
    return {x_, y_, forty_shared_, out_.forty.representative, &forty_};
  }
  [[nodiscard]] Spread first_spread() const {
    const double noise = std::hypot(out_.summary.ten_noise_um, out_.summary.forty_noise_um);
    return {1.5 * noise, std::max(0.15 * spacing_um_, 3.0 * noise), 0.05};
  }
  Candidates learn(Evidence& evidence);
  void find_moved_regions(const Candidates& c, const Evidence& evidence);
  void learn_shift(const Candidates& c, const Evidence& evidence);
  template <typename ShiftOf>
  void move_objects(ShiftOf&& shift_of);
  [[nodiscard]] Shift moved(std::uint32_t object) const {
    return moved_.empty() ? Shift{} : moved_[object];
  }

  void choose_pairs(Candidates c, const Evidence& evidence);
  void write_pairs(std::span<const ObjectPair> chosen, std::span<const float> margin);
  void give_q_values();
  /// Per object, as if those that are paired had no partner.
  struct Reasons {
    std::vector<Unpaired> ten, forty;
  };
  [[nodiscard]] Reasons reasons_of(const Candidates& c, const Matching& matching) const;
  void give_reasons(Reasons reasons, const MergedNuclei& merged);
  [[nodiscard]] double area_ratio(std::span<const ObjectPair> pairs) const;
  void count_decoys(const Evidence& evidence);
  void summarize(const Evidence& evidence);

  Detections ten_, forty_;  // columns that are no longer needed are empty
  std::span<const WellTile> tiles_;
  AssignmentOptions options_;
  LocalShift shift_;
  WellAssignment out_;
  double spacing_um_ = 0.0;
  SharedFields fields_;
  std::vector<std::uint8_t> ten_shared_, forty_shared_;
  std::vector<float> x_, y_;  // of 40x objects, corrected
  std::vector<Shift> moved_;  // of 40x objects; empty: none
  Partners partners_;         // those that shift_ was learnt from
};

void Pairing::learn_shift(const Candidates& c, const Evidence& evidence) {
  partners_.weight.assign(out_.forty.size(), 0.0F);
  partners_.x.resize(out_.forty.size());
  partners_.y.resize(out_.forty.size());
  const SideView ten = ten_view(), forty = forty_view();
  for (std::size_t e = 0; e < c.size(); ++e) {
    const std::uint32_t i = c.ten[e], j = c.forty[e];
    if (c.probability[e] <= 0.5F) continue;  // at most one edge of an object passes
    const double share = evidence.narrow_share(static_cast<double>(c.square[e]),
                                               evidence.factor(ten.tile(i), forty.tile(j)));
    partners_.x[j] = ten.x[i];
    partners_.y[j] = ten.y[i];
    partners_.weight[j] = c.probability[e] * static_cast<float>(share);
  }
  shift_.learn(out_.forty, moved_, partners_);
  move_objects([&](std::uint32_t d) { return shift_.at(d); });
}

// Corrected positions: means over the detections of an object.
template <typename ShiftOf>
void Pairing::move_objects(ShiftOf&& shift_of) {
  std::fill(x_.begin(), x_.end(), 0.0F);
  std::fill(y_.begin(), y_.end(), 0.0F);
  for (std::uint32_t d = 0; d < forty_.size(); ++d) {
    const std::uint32_t j = out_.forty.of[d];
    const float part = 1.0F / static_cast<float>(out_.forty.detections[j]);
    const Shift s = shift_of(d), before = moved(j);
    x_[j] += part * (forty_.x_um[d] - before.x - s.x);
    y_[j] += part * (forty_.y_um[d] - before.y - s.y);
  }
  for (std::size_t j = 0; j < x_.size(); ++j)
    if (!std::isfinite(out_.forty.x_um[j])) x_[j] = y_[j] = std::numeric_limits<float>::quiet_NaN();
}

void Pairing::find_moved_regions(const Candidates& c, const Evidence& evidence) {
  PairedPart paired{std::vector<float>(out_.ten.size(), 0.0F),
                    std::vector<float>(out_.forty.size(), 0.0F)};
  for (std::size_t e = 0; e < c.size(); ++e) {
    paired.ten[c.ten[e]] += c.probability[e];
    paired.forty[c.forty[e]] += c.probability[e];
  }
  MovedNuclei found =
      find_moved(ten_view(), forty_view(), paired, spacing_um_, evidence.spread().narrow_um);
  moved_ = std::move(found.shift);
  out_.summary.moved = std::move(found.regions);
}

// Pairs, what they teach, and corrected positions in turn; the last candidates with their gains.
Candidates Pairing::learn(Evidence& evidence) {
  const SideView ten = ten_view(), forty = forty_view();
  Candidates c;
  const auto look = [&](double gate, int rounds) {
    c = {};  // never two lists at once
    c = candidates_within(ten, forty, gate);
    evidence.learn(c, ten, forty, rounds);
  };
  look(std::max(0.5 * spacing_um_, evidence.gate_um()), 5);
  learn_shift(c, evidence);
  look(evidence.gate_um(), 2);
  find_moved_regions(c, evidence);
  if (!moved_.empty()) {
    move_objects([](std::uint32_t) { return Shift{}; });
    look(evidence.gate_um(), 2);
  }
  learn_shift(c, evidence);
  look(evidence.gate_um(), 2);
  learn_shift(c, evidence);
  look(evidence.gate_um(), 2);
  evidence.weigh(c, ten, forty);
  Marginals(c, ten.size(), forty.size()).find(c, 20);
  return c;
}

WellAssignment Pairing::run() {
  Evidence evidence(first_spread(), spacing_um_, tiles_.size(), ten_view(), forty_view(), fields_);
  Candidates c = learn(evidence);
  const double narrow = evidence.spread().narrow_um;
  join_pieces(c, ten_view(), forty_view(), narrow, out_.ten.flags, out_.forty.flags);
  choose_pairs(std::move(c), evidence);
  count_decoys(evidence);
  summarize(evidence);
  return std::move(out_);
}

void Pairing::choose_pairs(Candidates c, const Evidence& evidence) {
  const double narrow_um = evidence.spread().narrow_um;
  Matching matching =
      best_matching(c.view(), out_.ten.size(), out_.forty.size(), options_.max_component);
  out_.summary.components = matching.components;
  std::vector<ObjectPair> chosen;
  std::vector<float> margin;
  chosen.reserve(matching.edges.size());
  margin.reserve(matching.edges.size());
  for (std::size_t k = 0; k < matching.edges.size(); ++k) {
    const std::uint32_t e = matching.edges[k];
    if (static_cast<double>(c.probability[e]) < options_.min_probability) continue;
    chosen.push_back({c.ten[e], c.forty[e], c.probability[e]});
    margin.push_back(matching.margin[k]);
  }
  Reasons reasons = reasons_of(c, matching);
  c = {};  // what follows needs room
  matching = {};
  const std::vector<std::uint8_t> second = second_pieces(
      chosen, ten_view(), forty_view(), out_.ten.flags, out_.forty.flags, spacing_um_, narrow_um);
  std::size_t kept = 0;
  for (std::size_t k = 0; k < chosen.size(); ++k)
    if (second[k] == 0) chosen[kept] = chosen[k], margin[kept++] = margin[k];
  chosen.resize(kept);
  margin.resize(kept);
  write_pairs(chosen, margin);
  give_q_values();
  const double ratio = evidence.area_correlation() > 0.0 ? area_ratio(chosen) : 0.0;
  give_reasons(std::move(reasons), find_merged(chosen, ten_view(), forty_view(), spacing_um_,
                                               narrow_um, ratio, out_.ten.flags, out_.forty.flags));
}

// Median of a 10x area over that of its partner.
double Pairing::area_ratio(std::span<const ObjectPair> pairs) const {
  const SideView ten = ten_view(), forty = forty_view();
  std::vector<float> ratios;
  for (const ObjectPair& p : pairs)
    if (forty.area(p.forty) > 0.0F) ratios.push_back(ten.area(p.ten) / forty.area(p.forty));
  if (ratios.empty()) return 0.0;
  const auto middle = ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2);
  std::nth_element(ratios.begin(), middle, ratios.end());
  return static_cast<double>(*middle);
}

void Pairing::write_pairs(std::span<const ObjectPair> chosen, std::span<const float> margin) {
  // Positions without what a pair itself has taught; x_, y_ are put back below.
  move_objects([&](std::uint32_t d) {
    const std::uint32_t j = out_.forty.of[d];
    const Shift before = moved(j);
    return shift_.without(
        d, {forty_.x_um[d] - before.x - partners_.x[j], forty_.y_um[d] - before.y - partners_.y[j]},
        static_cast<double>(partners_.weight[j]));
  });
  const auto apart = [&](const std::vector<float>& x, const std::vector<float>& y,
                         const ObjectPair& pair) {
    return std::hypot(x[pair.forty] - out_.ten.x_um[pair.ten],
                      y[pair.forty] - out_.ten.y_um[pair.ten]);
  };
  std::vector<std::uint32_t> rows(chosen.size());
  std::iota(rows.begin(), rows.end(), std::uint32_t{0});
  const auto ten_row = [&](std::uint32_t k) { return out_.ten.representative[chosen[k].ten]; };
  std::sort(rows.begin(), rows.end(),
            [&](std::uint32_t a, std::uint32_t b) { return ten_row(a) < ten_row(b); });
  NucleusPairs& p = out_.pairs;
  for (auto* column : {&p.ten, &p.forty}) column->reserve(rows.size());
  for (auto* column : {&p.distance_um, &p.heldout_distance_um, &p.probability, &p.margin})
    column->reserve(rows.size());
  for (const std::uint32_t k : rows) {
    p.ten.push_back(ten_row(k));
    p.forty.push_back(out_.forty.representative[chosen[k].forty]);
    p.distance_um.push_back(apart(out_.forty.x_um, out_.forty.y_um, chosen[k]));
    p.heldout_distance_um.push_back(apart(x_, y_, chosen[k]));
    p.probability.push_back(chosen[k].probability);
    p.margin.push_back(margin[k]);
  }
  move_objects([&](std::uint32_t d) { return shift_.at(d); });
}

// Mean of 1 - probability over all pairs at least as probable.
void Pairing::give_q_values() {
  NucleusPairs& p = out_.pairs;
  std::vector<std::uint32_t> order(p.size());
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return p.probability[a] != p.probability[b] ? p.probability[a] > p.probability[b] : a < b;
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
}

Pairing::Reasons Pairing::reasons_of(const Candidates& c, const Matching& matching) const {
  const auto start = [](const std::vector<std::uint8_t>& shared) {
    std::vector<Unpaired> out;
    out.reserve(shared.size());
    for (const std::uint8_t s : shared)
      out.push_back(s != 0 ? Unpaired::no_candidate : Unpaired::outside);
    return out;
  };
  Reasons out{start(ten_shared_), start(forty_shared_)};
  // A candidate that would gain nothing even alone is none.
  for (std::size_t e = 0; e < c.size(); ++e)
    if (c.gain[e] > 0.0F) out.ten[c.ten[e]] = out.forty[c.forty[e]] = Unpaired::beaten;
  for (const std::uint32_t e : matching.edges)
    if (static_cast<double>(c.probability[e]) < options_.min_probability)
      out.ten[c.ten[e]] = out.forty[c.forty[e]] = Unpaired::ambiguous;
  return out;
}

void Pairing::give_reasons(Reasons reasons, const MergedNuclei& merged) {
  std::vector<Unpaired>&ten = reasons.ten, &forty = reasons.forty;
  for (std::size_t i = 0; i < ten.size(); ++i)
    if (merged.ten[i] != 0) ten[i] = Unpaired::merged;
  for (std::size_t j = 0; j < forty.size(); ++j)
    if (merged.forty[j] != 0) forty[j] = Unpaired::merged;
  for (std::size_t k = 0; k < out_.pairs.size(); ++k) {
    ten[out_.ten.of[out_.pairs.ten[k]]] = Unpaired::paired;
    forty[out_.forty.of[out_.pairs.forty[k]]] = Unpaired::paired;
  }
  const auto per_detection = [](const Objects& objects, const std::vector<Unpaired>& reason) {
    std::vector<Unpaired> out;
    out.reserve(objects.of.size());
    for (const std::uint32_t o : objects.of) out.push_back(reason[o]);
    return out;
  };
  out_.ten_unpaired = per_detection(out_.ten, ten);
  out_.forty_unpaired = per_detection(out_.forty, forty);
}

void Pairing::count_decoys(const Evidence& evidence) {
  out_.summary.decoys = posterior_curve(out_.pairs.probability, options_.min_probability);
  if (options_.decoys == 0) return;
  const auto without_partner = [](const Objects& objects, const std::vector<Unpaired>& reason) {
    std::vector<std::uint8_t> out(objects.size());
    for (std::size_t o = 0; o < out.size(); ++o)
      out[o] = reason[objects.representative[o]] != Unpaired::paired ? 1 : 0;
    return out;
  };
  add_decoys(out_.summary.decoys, evidence, ten_view(), forty_view(),
             without_partner(out_.ten, out_.ten_unpaired),
             without_partner(out_.forty, out_.forty_unpaired), spacing_um_, options_.decoys,
             options_.max_component);
}

void Pairing::summarize(const Evidence& evidence) {
  AssignmentSummary& s = out_.summary;
  for (const std::uint8_t v : ten_shared_) s.ten_shared += v;
  for (const std::uint8_t v : forty_shared_) s.forty_shared += v;
  std::vector<double> paired(tiles_.size(), 0.0), shared(tiles_.size(), 0.0);
  const auto count = [&](const Detections& d, const Objects& objects,
                         const std::vector<std::uint8_t>& is_shared,
                         const std::vector<Unpaired>& reason) {
    for (std::size_t k = 0; k < d.size(); ++k) {
      // Who has a partner is in both fields, even if its own position lies at the very edge.
      if (is_shared[objects.of[k]] == 0 && reason[k] != Unpaired::paired) continue;
      shared[d.tile[k]] += 1.0;
      paired[d.tile[k]] += reason[k] == Unpaired::paired ? 1.0 : 0.0;
    }
    double objects_paired = 0.0, objects_shared = 0.0;
    for (std::size_t o = 0; o < objects.size(); ++o) {
      if (is_shared[o] == 0 && reason[objects.representative[o]] != Unpaired::paired) continue;
      objects_shared += 1.0;
      objects_paired += reason[objects.representative[o]] == Unpaired::paired ? 1.0 : 0.0;
    }
    return objects_shared > 0.0 ? objects_paired / objects_shared : nan;
  };
  s.ten_paired = count(ten_, out_.ten, ten_shared_, out_.ten_unpaired);
  s.forty_paired = count(forty_, out_.forty, forty_shared_, out_.forty_unpaired);
  s.match_rate.assign(tiles_.size(), nan);
  for (std::size_t t = 0; t < tiles_.size(); ++t)
    if (shared[t] > 0.0) s.match_rate[t] = paired[t] / shared[t];
  s.narrow_um = evidence.spread().narrow_um;
  s.area_correlation = evidence.area_correlation();
  s.gate_um = evidence.gate_um();
}

}  // namespace

WellAssignment assign_nuclei(Detections ten, Detections forty, std::span<const WellTile> tiles,
                             std::span<const PlacedTile> placed, const AssignmentOptions& options) {
  check_columns(ten, tiles, placed, "10x");
  check_columns(forty, tiles, placed, "40x");
  return Pairing(std::move(ten), std::move(forty), tiles, placed, options).run();
}

}  // namespace nucreg::mosaic
