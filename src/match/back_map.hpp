// Maps from 40x back to 10x, as the search uses them: it asks which nucleus of 10x is near.
#pragma once

#include <cstddef>
#include <span>

#include "cloud.hpp"
#include "nucreg/match/match.hpp"

namespace nucreg::matching {

/// p = along q + across conj(q) + shift. A similarity has across = 0, a mirrored one along = 0.
struct BackMap {
  Complex along = 0.0, across = 0.0, shift = 0.0;

  [[nodiscard]] Complex operator()(Complex q) const {
    const double ar = along.real(), ai = along.imag(), cr = across.real(), ci = across.imag();
    const double x = q.real(), y = q.imag();
    return {(ar + cr) * x + (ci - ai) * y + shift.real(),
            (ai + ci) * x + (ar - cr) * y + shift.imag()};
  }
  /// Area at 10x of a unit area at 40x, negative where mirrored.
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

}  // namespace nucreg::matching
