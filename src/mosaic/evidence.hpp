// What is known of pairs on this well: how far apart true ones lie, how dense chance ones are; and
// what follows from it for split nuclei and for decoys.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fields.hpp"
#include "matching.hpp"
#include "nucreg/mosaic/assignment.hpp"
#include "nucreg/mosaic/objects.hpp"

namespace nucreg::mosaic {

/// Candidate pairs, sorted by `ten`, then `forty`.
struct Candidates {
  std::vector<std::uint32_t> ten, forty;
  std::vector<float> square;       ///< of the distance, um^2
  std::vector<float> gain;         ///< log likelihood over leaving both alone
  std::vector<float> probability;  ///< marginal over all assignments

  [[nodiscard]] std::size_t size() const { return ten.size(); }
  [[nodiscard]] EdgeView view() const { return {ten, forty, gain}; }
};

/// Objects of one side as the pairing sees them. Borrowed columns, one entry per object.
struct SideView {
  std::span<const float> x, y;           ///< um; NaN: takes no part
  std::span<const std::uint8_t> shared;  ///< 1: within a field of the other side
  std::span<const std::uint32_t> representative;
  const Detections* detections = nullptr;

  [[nodiscard]] std::size_t size() const { return x.size(); }
  [[nodiscard]] std::uint32_t tile(std::size_t i) const {
    return detections->tile[representative[i]];
  }
  [[nodiscard]] bool has_area() const { return !detections->area_um2.empty(); }
  [[nodiscard]] float area(std::size_t i) const { return detections->area_um2[representative[i]]; }
};

/// All pairs at most `gate` apart, no probabilities yet.
[[nodiscard]] Candidates candidates_within(const SideView& ten, const SideView& forty, double gate);

/// Marginal probabilities of candidates, by belief propagation where objects have several.
class Marginals {
 public:
  /// For these candidates, whatever their gains.
  Marginals(const Candidates& candidates, std::size_t tens, std::size_t forties);
  /// Sets the probabilities from the gains.
  void find(Candidates& candidates, int rounds);

 private:
  std::vector<std::uint32_t> busy_;      // edges with a neighbour, rising
  std::vector<std::uint32_t> by_forty_;  // places in busy_ sorted by the 40x object
  std::vector<float> weight_, to_ten_, to_forty_;
};

/// True pairs: displacement normal, standard deviation narrow_um per coordinate, times the root of
/// the factors of both tiles; in wide_part of them wide_um is added in quadrature (split nuclei).
struct Spread {
  double narrow_um = 0.3, wide_um = 2.0, wide_part = 0.05;
};

/// Correlation of standardised log areas over pairs.
struct AreaEvidence {
  double ten_mean = 0, ten_sd = 1, forty_mean = 0, forty_sd = 1, correlation = 0;
};

/// Densities of objects with and without a partner, smoothed over a few hundred nuclei.
class Densities {
 public:
  /// Cells over the shared objects of both sides.
  Densities(const SideView& ten, const SideView& forty, const SharedFields& fields);

  /// From the probabilities of candidates; before anything is known (no candidates), half of the
  /// rarer side has a partner.
  void learn(const Candidates& candidates, const SideView& ten);
  /// log(paired / (ten alone x forty alone)) at a place; densities per um^2.
  [[nodiscard]] double log_ratio(double x, double y) const {
    return static_cast<double>(log_ratio_[cell(x, y)]);
  }

 private:
  struct Sums {
    double paired = 0, tens = 0, forties = 0, area_um2 = 0;
  };
  [[nodiscard]] std::size_t cell(double x, double y) const;
  [[nodiscard]] Sums around(std::size_t cell) const;

  CellGrid grid_;
  std::vector<float> area_;  // of each cell that both sides show, um^2
  std::vector<float> paired_, tens_, forties_, log_ratio_;
};

/// Learns by expectation-maximisation and gives candidates their gains.
class Evidence {
 public:
  /// `spacing_um`: typical distance of neighbours; `tiles`: how many there are.
  Evidence(const Spread& start, double spacing_um, std::size_t tiles, const SideView& ten,
           const SideView& forty, const SharedFields& fields);

  /// Alternates gains, probabilities and what is learnt from them. Fixed rounds.
  void learn(Candidates& candidates, const SideView& ten, const SideView& forty, int rounds);
  /// Gains under what has been learnt.
  void weigh(Candidates& candidates, const SideView& ten, const SideView& forty) const;

  /// Beyond it a pair hardly ever gains.
  [[nodiscard]] double gate_um() const;
  [[nodiscard]] const Spread& spread() const { return spread_; }
  [[nodiscard]] double area_correlation() const { return area_.correlation; }
  /// Part of a true pair's weight at this distance that is of the narrow part.
  [[nodiscard]] double narrow_share(double square, double factor) const;
  /// Of the variance of pairs of two tiles against all.
  [[nodiscard]] double factor(std::uint32_t ten_tile, std::uint32_t forty_tile) const {
    return static_cast<double>(factor_[ten_tile] * factor_[forty_tile]);
  }

 private:
  void learn_spread(const Candidates& c, const SideView& ten, const SideView& forty);
  void learn_factors(const Candidates& c, const SideView& own, const SideView& other, bool of_ten);
  void learn_area(const Candidates& c, const SideView& ten, const SideView& forty);
  [[nodiscard]] double area_gain(float ten, float forty) const;

  Spread start_, spread_;
  double spacing_um_;
  Densities densities_;
  AreaEvidence area_;
  std::vector<float> factor_;  // per tile
};

// The edges of a graph by the objects that they touch.

/// For each object the numbers of its edges, rising.
class Incidence {
 public:
  /// object[e]: which of `objects` objects edge e touches.
  Incidence(std::span<const std::uint32_t> object, std::size_t objects) : begin_(objects + 1, 0) {
    for (const std::uint32_t o : object) ++begin_[o + 1];
    for (std::size_t o = 0; o < objects; ++o) begin_[o + 1] += begin_[o];
    edge_.resize(object.size());
    std::vector<std::uint32_t> next(begin_.begin(), begin_.end() - 1);
    for (std::uint32_t e = 0; e < object.size(); ++e) edge_[next[object[e]]++] = e;
  }
  [[nodiscard]] std::size_t objects() const { return begin_.size() - 1; }
  [[nodiscard]] std::span<const std::uint32_t> of(std::size_t object) const {
    return std::span(edge_).subspan(begin_[object], begin_[object + 1] - begin_[object]);
  }

 private:
  std::vector<std::uint32_t> begin_, edge_;
};

// Nuclei that one side shows in two pieces: either piece is the right partner, but only one.

/// Where two candidates of an object lie to either side of it, with their middle on it, they are
/// taken for its pieces: they get split_flag, the object merged_flag, and each of the two pairs is
/// right with the probability of both together. `narrow_um`: of Spread. Works both ways.
void join_pieces(Candidates& candidates, const SideView& ten, const SideView& forty,
                 double narrow_um, std::span<std::uint8_t> ten_flags,
                 std::span<std::uint8_t> forty_flags);

/// A pair of objects, by index, as chosen.
struct ObjectPair {
  std::uint32_t ten = 0, forty = 0;
  float probability = 0.0F;
};

/// Per pair 1 if it joins two pieces of a nucleus that a better pair joins already. Two nuclei lie
/// to each other at 10x as they do at 40x; pieces do not. If both sides' ends are flagged as split
/// and within half a spacing, that suffices; else both pairs have to be off to opposite sides, and
/// none of their ends merged_flag: another piece would explain that.
[[nodiscard]] std::vector<std::uint8_t> second_pieces(std::span<const ObjectPair> pairs,
                                                      const SideView& ten, const SideView& forty,
                                                      std::span<const std::uint8_t> ten_flags,
                                                      std::span<const std::uint8_t> forty_flags,
                                                      double spacing_um, double narrow_um);

/// Nuclei that one side shows as one. Per object of a side 1: it has no partner, since one side
/// shows as one nucleus what the other shows as two.
struct MergedNuclei {
  std::vector<std::uint8_t> ten, forty;
};

/// Looks for objects of one side that lie between two of the other, of which at most one is paired,
/// and that with it; the one gets merged_flag. `area_ratio`: of a 10x nucleus to its partner, if
/// areas distinguish nuclei; then the two divide the distance by their areas, whose sum is that of
/// the one. 0: it lies in the middle.
[[nodiscard]] MergedNuclei find_merged(std::span<const ObjectPair> pairs, const SideView& ten,
                                       const SideView& forty, double spacing_um, double narrow_um,
                                       double area_ratio, std::span<std::uint8_t> ten_flags,
                                       std::span<std::uint8_t> forty_flags);

// Chance pairs, counted: what the same machinery pairs when one side is shifted.

/// Rows by falling probability: pairs and what their posteriors expect to be wrong of them.
[[nodiscard]] std::vector<DecoyPoint> posterior_curve(std::span<const float> probability,
                                                      double min_probability);

/// Adds what decoys say. Only objects without a partner take part, since only they can form a
/// chance pair: those of the 40x side are shifted by 3 to 5 spacings in `directions` directions and
/// paired with those of the 10x side under the same evidence. ten_free, forty_free: per object, 1:
/// without a partner.
void add_decoys(std::vector<DecoyPoint>& curve, const Evidence& evidence, const SideView& ten,
                const SideView& forty, std::span<const std::uint8_t> ten_free,
                std::span<const std::uint8_t> forty_free, double spacing_um, std::size_t directions,
                std::size_t max_component);

}  // namespace nucreg::mosaic
