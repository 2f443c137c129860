#include "back_map.hpp"

#include <cmath>

namespace nucreg::matching {
namespace {

// Weighted second moments about the weighted centres.
struct Moments {
  Complex forty = 0.0, ten = 0.0;  // centres
  double spread = 0.0;             // of |q|^2
  Complex square = 0.0;            // of q^2
  Complex along = 0.0;             // of p conj(q)
  Complex across = 0.0;            // of p q
};

Moments moments(std::span<const WeightedPair> pairs) {
  Moments m;
  double weight = 0.0;
  for (const WeightedPair& pair : pairs) {
    m.forty += pair.weight * pair.forty;
    m.ten += pair.weight * pair.ten;
    weight += pair.weight;
  }
  if (!(weight > 0.0)) return {};
  m.forty /= weight;
  m.ten /= weight;
  for (const WeightedPair& pair : pairs) {
    const Complex q = pair.forty - m.forty, p = pair.ten - m.ten;
    m.spread += pair.weight * std::norm(q);
    m.square += pair.weight * q * q;
    m.along += pair.weight * p * std::conj(q);
    m.across += pair.weight * p * q;
  }
  return m;
}

BackMap through_centres(BackMap map, const Moments& m) {
  map.shift = m.ten - map(m.forty);
  return map;
}

}  // namespace

AffineMap inverse(const BackMap& map) {
  const double det = map.determinant();
  const Complex along = std::conj(map.along) / det, across = -map.across / det;
  const Complex shift = -(along * map.shift + across * std::conj(map.shift));
  return {along.real() + across.real(), across.imag() - along.imag(), shift.real(),
          along.imag() + across.imag(), along.real() - across.real(), shift.imag()};
}

BackMap inverse(const AffineMap& map) {
  const auto& [a, b, tx, c, d, ty] = map;
  const Complex along(0.5 * (a + d), 0.5 * (c - b)), across(0.5 * (a - d), 0.5 * (c + b));
  const double det = std::norm(along) - std::norm(across);
  BackMap back{std::conj(along) / det, -across / det, 0.0};
  back.shift = -back(Complex(tx, ty));
  return back;
}

BackMap fit_similarity(std::span<const WeightedPair> pairs, bool mirrored) {
  const Moments m = moments(pairs);
  if (!(m.spread > 0.0)) return {};
  BackMap map;
  (mirrored ? map.across : map.along) = (mirrored ? m.across : m.along) / m.spread;
  return through_centres(map, m);
}

// Normal equations in q and conj(q): [spread, conj(square); square, spread].
BackMap fit_affine(std::span<const WeightedPair> pairs) {
  const Moments m = moments(pairs);
  const double det = m.spread * m.spread - std::norm(m.square);
  if (!(det > 1e-12 * m.spread * m.spread)) return {};
  BackMap map;
  map.along = (m.along * m.spread - m.across * std::conj(m.square)) / det;
  map.across = (m.across * m.spread - m.along * m.square) / det;
  return through_centres(map, m);
}

}  // namespace nucreg::matching
