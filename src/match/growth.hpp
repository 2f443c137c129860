// Hypotheses and their test: constellations that look the same propose a map; does what it predicts
// come true, ring by ring, more often than by chance? And the search: from two clouds to the map
// that explains both, or to none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "cloud.hpp"
#include "nucreg/match/match.hpp"

namespace nucreg::matching {

// Local constellations that look the same at every magnification, turn and mirroring.

/// A nucleus c and three of its neighbours n1, n2, n3 by rising distance, described by the complex
/// ratios (n1 - c) / (n3 - c) and (n2 - c) / (n3 - c), as four numbers. No shift, turn or scale
/// changes them; a mirrored constellation has the conjugate ones.
struct Constellation {
  std::array<float, 4> shape{};
  std::array<std::uint32_t, 4> points{};  ///< c n1 n2 n3
};

/// Those of one nucleus: every three of its five nearest neighbours. Left out are those with a
/// neighbour so near that noise turns it anywhere.
[[nodiscard]] std::vector<Constellation> constellations_of(const Cloud& cloud,
                                                           std::uint32_t centre);

/// Constellations around chosen nuclei of a cloud, searched by shape.
class ConstellationIndex {
 public:
  ConstellationIndex(const Cloud& cloud, const std::vector<std::uint32_t>& centres);
  ~ConstellationIndex();
  ConstellationIndex(const ConstellationIndex&) = delete;
  ConstellationIndex& operator=(const ConstellationIndex&) = delete;

  /// Those most alike, at most three, best first.
  void most_alike(const std::array<float, 4>& shape, std::vector<Constellation>& out) const;

 private:
  struct Tree;

  std::vector<std::array<float, 4>> shapes_;
  // For each shape the nucleus, which is a place in around_, and which three of its neighbours. The
  // indices of the neighbours are kept once for each nucleus: memory.
  std::vector<std::uint32_t> nucleus_;
  std::vector<std::uint8_t> triple_;
  std::vector<std::array<std::uint32_t, 6>> around_;  // itself and its neighbours, nearest first
  std::unique_ptr<Tree> tree_;
};

/// 10x, ready to be searched: what a match needs that depends on 10x alone.
struct Target {
  explicit Target(const Points& ten);

  Cloud cloud;
  std::vector<float> density;      ///< points per px^2 around each
  double typical_radius_px = 0.0;  ///< within which a nucleus mostly counts as a coincidence
  ConstellationIndex index;        ///< of all nuclei
};

/// log10 of the probability of `hits` or more among `trials` that each succeed with probability p
/// in (0, 1): the tail of the binomial distribution. Where the probabilities differ, with p their
/// mean, it is an upper bound for hits > trials p + 1 (Hoeffding, "On the distribution of the
/// number of successes in independent trials", 1956). 0 for hits up to the mean.
[[nodiscard]] double log10_tail(std::size_t trials, std::size_t hits, double p);

/// p = along q + across conj(q) + shift. A similarity has across = 0, a mirrored one along = 0.
struct BackMap {
  Complex along = 0.0, across = 0.0, shift = 0.0;

  [[nodiscard]] Complex operator()(Complex q) const {
    const double ar = along.real(), ai = along.imag(), cr = across.real(), ci = across.imag();
    const double x = q.real(), y = q.imag();
    return {(ar + cr) * x + (ci - ai) * y + shift.real(),
            (ai + ci) * x + (ar - cr) * y + shift.imag()};
  }
  /// Area at 10x of a unit area at 40x, negative if mirrored.
  [[nodiscard]] double determinant() const { return std::norm(along) - std::norm(across); }
};

/// The other way round, and back; the map must be invertible.
[[nodiscard]] AffineMap inverse(const BackMap& map);
[[nodiscard]] BackMap inverse(const AffineMap& map);

/// A nucleus at 40x, the one that it may be at 10x, and how much that counts.
struct WeightedPair {
  Complex forty, ten;
  double weight = 1.0;
};

/// Weighted least squares. Pairs that do not determine a map give along = across = 0.
[[nodiscard]] BackMap fit_similarity(std::span<const WeightedPair> pairs, bool mirrored);
[[nodiscard]] BackMap fit_affine(std::span<const WeightedPair> pairs);

/// A map that was grown over all nuclei.
struct Grown {
  BackMap map;
  bool mirrored = false;
  double log10_chance = 0.0;  ///< of this one hypothesis, all rings together
  /// -log10 of the chance of the coincidences of all nuclei with the last map. A shift by a period
  /// of nearly regular nuclei has as many within the widest distance, but few within the narrowest.
  double evidence = 0.0;
};

/// Grows maps from constellations outwards: a ring of nuclei around the constellation is mapped
/// back, coincidences with nuclei of 10x are counted, and only then the map is fitted to all
/// within the ring; the next ring holds twice as many. A coincidence is a nucleus of 10x
/// within a distance that chance gives with a set probability at the local density, so that no
/// noise level needs to be known; three such probabilities are counted side by side.
class Growth {
 public:
  /// Keeps references to both.
  Growth(const Target& ten, const Cloud& forty);

  /// Nothing if some ring says that the map is wrong. `corresponding` are indices of 10x nuclei
  /// for the points of `seed`, a constellation at 40x; `map` is fitted to these four.
  [[nodiscard]] std::optional<Grown> grow(const Constellation& seed,
                                          const std::array<std::uint32_t, 4>& corresponding,
                                          const BackMap& map, bool mirrored);

 private:
  struct Count;

  void count(std::uint32_t forty, const BackMap& map, Count& into);
  void order_by_distance(std::uint32_t centre, std::size_t count);
  [[nodiscard]] std::optional<BackMap> refit(std::size_t inner, const BackMap& map, bool mirrored);

  const Cloud& ten_;
  const std::vector<float>& density_;  // of 10x
  const Cloud& forty_;
  // The growth that last used a nucleus of 10x, and one of 40x.
  std::vector<std::uint32_t> claimed_by_, counted_by_;
  std::uint32_t growth_ = 0;
  // Room that is used again and again.
  std::vector<std::uint32_t> order_;
  std::vector<Neighbour> first_ring_, near_;
  std::uint32_t first_ring_centre_ = 0xffffffff;
  std::vector<WeightedPair> pairs_;
  std::vector<double> distances_;
};

struct Found {
  std::optional<Grown> best;        ///< significant over all hypotheses tried
  bool ambiguous = false;           ///< another map explains about as much
  double log10_significance = 0.0;  ///< of the best, or of the best that is not significant
  std::uint64_t hypotheses = 0;
};

/// Distance of the stage's point, mapped by `map`, from the nearest place that the stage names,
/// 10x px.
[[nodiscard]] double distance_px(const StagePrior& stage, const BackMap& map);

/// Tries hypotheses in random order until one is significant, then some more that may rival it.
[[nodiscard]] Found search(const Target& ten, const Cloud& forty, Growth& growth,
                           const MatchOptions& options);

}  // namespace nucreg::matching
