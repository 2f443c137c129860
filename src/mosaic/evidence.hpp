// What is known of pairs on this well: how far apart true ones lie, how dense chance ones are.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "matching.hpp"
#include "nucreg/mosaic/objects.hpp"
#include "point_grid.hpp"

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

/// One side as the pairing sees it. Borrowed columns, one entry per object.
struct SideView {
  std::span<const float> x, y;           ///< um; NaN: takes no part
  std::span<const std::uint8_t> shared;  ///< 1: within a field of the other side
  std::span<const std::uint32_t> tile;   ///< of the representative
  std::span<const float> area;           ///< empty if unknown

  [[nodiscard]] std::size_t size() const { return x.size(); }
};

/// All pairs at most `gate` apart, no probabilities yet.
[[nodiscard]] Candidates candidates_within(const SideView& ten, const SideView& forty, double gate);

/// Marginal probabilities of all candidates from their gains, by belief propagation.
void find_probabilities(Candidates& candidates, std::size_t tens, std::size_t forties, int rounds);

/// True pairs: displacement normal, standard deviation narrow_um per coordinate, times the root of
/// the factors of both tiles; in wide_part of them wide_um is added in quadrature (split nuclei).
struct Spread {
  double narrow_um = 0.3, wide_um = 2.0, wide_part = 0.05;
};

/// Densities, per um^2, smoothed over a few hundred nuclei.
struct Densities {
  double x0 = 0.0, y0 = 0.0, cell_um = 1.0;
  std::size_t columns = 0, rows = 0;
  std::vector<float> paired, ten_alone, forty_alone;

  [[nodiscard]] std::size_t cell(double x, double y) const;
};

/// Correlation of standardised log areas over pairs.
struct AreaEvidence {
  double ten_mean = 0, ten_sd = 1, forty_mean = 0, forty_sd = 1, correlation = 0;
};

/// Learns by expectation-maximisation and gives candidates their gains.
class Evidence {
 public:
  /// `spacing_um`: typical distance of neighbours; `tiles`: how many there are.
  Evidence(const Spread& start, double spacing_um, std::size_t tiles);

  /// Alternates gains, probabilities and what is learnt from them. Fixed rounds.
  void learn(Candidates& candidates, const SideView& ten, const SideView& forty, int rounds);
  /// Gains under what has been learnt.
  void weigh(Candidates& candidates, const SideView& ten, const SideView& forty) const;

  /// Beyond it a pair hardly ever gains.
  [[nodiscard]] double gate_um() const;
  [[nodiscard]] const Spread& spread() const { return spread_; }
  /// Mean density of 40x objects without a partner, per um^2; 0 before anything was learnt.
  [[nodiscard]] double chance_per_um2() const;
  [[nodiscard]] double area_correlation() const { return area_.correlation; }
  /// Part of a true pair's weight at this distance that is of the narrow part.
  [[nodiscard]] double narrow_share(double square, double factor) const;
  /// Of the variance of pairs of an object's tile against all.
  [[nodiscard]] double factor(std::uint32_t tile) const {
    return static_cast<double>(factor_[tile]);
  }

 private:
  void learn_densities(const Candidates& c, const SideView& ten, const SideView& forty);
  void learn_spread(const Candidates& c, const SideView& ten, const SideView& forty);
  void learn_factors(const Candidates& c, const SideView& ten, const SideView& forty);
  void learn_area(const Candidates& c, const SideView& ten, const SideView& forty);
  [[nodiscard]] double area_gain(float ten, float forty) const;

  Spread start_, spread_;
  double spacing_um_;
  Densities densities_;
  AreaEvidence area_;
  std::vector<float> factor_;
};

}  // namespace nucreg::mosaic
