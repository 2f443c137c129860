#include "growth.hpp"

#include <nanoflann.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace nucreg::matching {
namespace {

constexpr std::size_t neighbours = 5;
constexpr std::size_t max_alike = 3;
constexpr double min_ratio = 0.15;          // of the nearest to the farthest neighbour
constexpr float largest_difference = 0.3f;  // of two shapes that are taken for alike

}  // namespace

namespace {

// Neighbours of which a constellation is made, by rising distance.
struct Triple {
  std::uint8_t first, second, third;
};

constexpr std::array<Triple, 10> triples = [] {
  std::array<Triple, 10> out{};
  std::size_t n = 0;
  for (std::uint8_t k = 2; k < neighbours; ++k)
    for (std::uint8_t j = 1; j < k; ++j)
      for (std::uint8_t i = 0; i < j; ++i) out[n++] = {i, j, k};
  return out;
}();

void neighbours_of(const Cloud& cloud, std::uint32_t centre, std::vector<Neighbour>& near) {
  cloud.nearest(cloud.at(centre), neighbours + 1, near);
  std::erase_if(near, [&](const Neighbour& n) { return n.index == centre; });
}

// take(t, shape) for each of the triples that makes a constellation.
template <class Take>
void each_shape(const Cloud& cloud, std::uint32_t centre, const std::vector<Neighbour>& near,
                Take&& take) {
  const Complex c = cloud.at(centre);
  for (std::size_t t = 0; t < triples.size(); ++t) {
    const auto [i, j, k] = triples[t];
    if (k >= near.size()) return;
    if (near[i].square < min_ratio * min_ratio * near[k].square) continue;
    const Complex far = cloud.at(near[k].index) - c;
    // Not by 1.0 / far, which the standard wants to be right for infinite parts as well.
    const Complex unit = std::conj(far) / std::norm(far);
    const Complex z1 = (cloud.at(near[i].index) - c) * unit;
    const Complex z2 = (cloud.at(near[j].index) - c) * unit;
    take(static_cast<std::uint8_t>(t),
         std::array{static_cast<float>(z1.real()), static_cast<float>(z1.imag()),
                    static_cast<float>(z2.real()), static_cast<float>(z2.imag())});
  }
}

}  // namespace

std::vector<Constellation> constellations_of(const Cloud& cloud, std::uint32_t centre) {
  std::vector<Neighbour> near;
  neighbours_of(cloud, centre, near);
  std::vector<Constellation> out;
  each_shape(cloud, centre, near, [&](std::uint8_t t, const std::array<float, 4>& shape) {
    const auto [i, j, k] = triples[t];
    out.push_back({shape, {centre, near[i].index, near[j].index, near[k].index}});
  });
  return out;
}

struct ConstellationIndex::Tree {
  struct Adaptor {
    const std::vector<std::array<float, 4>>& shapes;
    [[nodiscard]] std::size_t kdtree_get_point_count() const { return shapes.size(); }
    [[nodiscard]] float kdtree_get_pt(std::uint32_t i, std::size_t axis) const {
      return shapes[i][axis];
    }
    template <class Box>
    bool kdtree_get_bbox(Box&) const {
      return false;
    }
  };
  using Index =
      nanoflann::KDTreeSingleIndexAdaptor<nanoflann::L2_Simple_Adaptor<float, Adaptor, float>,
                                          Adaptor, 4, std::uint32_t>;
  explicit Tree(const std::vector<std::array<float, 4>>& shapes)
      : adaptor{shapes}, index(4, adaptor, nanoflann::KDTreeSingleIndexAdaptorParams(16)) {}
  Adaptor adaptor;
  Index index;
};

ConstellationIndex::ConstellationIndex(const Cloud& cloud,
                                       const std::vector<std::uint32_t>& centres) {
  shapes_.reserve(triples.size() * centres.size());
  nucleus_.reserve(triples.size() * centres.size());
  triple_.reserve(triples.size() * centres.size());
  around_.reserve(centres.size());
  std::vector<Neighbour> near;
  for (const std::uint32_t centre : centres) {
    neighbours_of(cloud, centre, near);
    each_shape(cloud, centre, near, [&](std::uint8_t t, const std::array<float, 4>& shape) {
      shapes_.push_back(shape);
      nucleus_.push_back(static_cast<std::uint32_t>(around_.size()));
      triple_.push_back(t);
    });
    auto& points = around_.emplace_back();
    points[0] = centre;
    for (std::size_t i = 0; i < near.size(); ++i) points[i + 1] = near[i].index;
  }
  tree_ = std::make_unique<Tree>(shapes_);
}

ConstellationIndex::~ConstellationIndex() = default;

void ConstellationIndex::most_alike(const std::array<float, 4>& shape,
                                    std::vector<Constellation>& out) const {
  out.clear();
  std::array<std::uint32_t, max_alike> ids{};
  std::array<float, max_alike> squares{};
  const std::size_t found =
      tree_->index.knnSearch(shape.data(), max_alike, ids.data(), squares.data());
  for (std::size_t i = 0; i < found; ++i) {
    if (squares[i] > largest_difference * largest_difference) break;
    const std::array<std::uint32_t, 6>& points = around_[nucleus_[ids[i]]];
    const auto [first, second, third] = triples[triple_[ids[i]]];
    out.push_back(
        {shapes_[ids[i]], {points[0], points[first + 1], points[second + 1], points[third + 1]}});
  }
}

double log10_tail(std::size_t trials, std::size_t hits, double p) {
  const auto n = static_cast<double>(trials), k = static_cast<double>(hits);
  if (k <= n * p || hits == 0) return 0.0;
  const double first = std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0) +
                       k * std::log(p) + (n - k) * std::log1p(-p);
  // Beyond the mean each term is a falling fraction of the one before.
  double sum = 1.0, term = 1.0;
  for (double i = k; i < n && term > 1e-17 * sum; ++i) {
    term *= (n - i) / (i + 1.0) * p / (1.0 - p);
    sum += term;
  }
  return std::fmin(0.0, (first + std::log(sum)) * std::numbers::log10e);
}

namespace {

// Weighted second moments about the weighted centres.
struct PairMoments {
  Complex forty = 0.0, ten = 0.0;  // centres
  double spread = 0.0;             // of |q|^2
  Complex square = 0.0;            // of q^2
  Complex along = 0.0;             // of p conj(q)
  Complex across = 0.0;            // of p q
};

PairMoments moments(std::span<const WeightedPair> pairs) {
  PairMoments m;
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

BackMap through_centres(BackMap map, const PairMoments& m) {
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
  const PairMoments m = moments(pairs);
  if (!(m.spread > 0.0)) return {};
  BackMap map;
  (mirrored ? map.across : map.along) = (mirrored ? m.across : m.along) / m.spread;
  return through_centres(map, m);
}

// Normal equations in q and conj(q): [spread, conj(square); square, spread].
BackMap fit_affine(std::span<const WeightedPair> pairs) {
  const PairMoments m = moments(pairs);
  const double det = m.spread * m.spread - std::norm(m.square);
  if (!(det > 1e-12 * m.spread * m.spread)) return {};
  BackMap map;
  map.along = (m.along * m.spread - m.across * std::conj(m.square)) / det;
  map.across = (m.across * m.spread - m.along * m.square) / det;
  return through_centres(map, m);
}

namespace {

// Probabilities of a coincidence by chance. The widest bears the error of a map extrapolated from
// one constellation; the narrow ones make few nuclei count for more.
constexpr std::array<double, 3> coincidence{0.1, 0.03, 0.01};
constexpr std::size_t first_ring = 8;
constexpr std::size_t ring_growth = 2;
constexpr std::size_t max_by_tree = 256;
// A hypothesis is continued beyond a ring if chance is as good at most this often, log10: the more
// nuclei a ring holds, the farther from it a wrong map is.
double go_on(std::size_t inner) {
  return inner < 16 ? -1.3 : inner < 32 ? -2.0 : -4.0;
}
// Below, an affine fit would follow the noise.
constexpr std::size_t min_for_affine = 24;

}  // namespace

struct Growth::Count {
  std::size_t trials = 0;
  std::array<std::size_t, coincidence.size()> hits{};

  [[nodiscard]] double log10_chance() const {
    double best = 0.0;
    for (std::size_t i = 0; i < hits.size(); ++i)
      best = std::min(best, log10_tail(trials, hits[i], coincidence[i]));
    return std::min(0.0, best + std::log10(static_cast<double>(coincidence.size())));
  }
};

namespace {

std::vector<std::uint32_t> all_of(const Cloud& cloud) {
  std::vector<std::uint32_t> out(cloud.size());
  std::iota(out.begin(), out.end(), 0u);
  return out;
}

}  // namespace

Target::Target(const Points& ten)
    : cloud(ten, "ten"), density(local_density(cloud)), index(cloud, all_of(cloud)) {
  if (density.empty()) return;
  std::vector<float> sorted = density;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  typical_radius_px = std::sqrt(coincidence[0] / (std::numbers::pi * static_cast<double>(*middle)));
}

Growth::Growth(const Target& ten, const Cloud& forty)
    : ten_(ten.cloud),
      density_(ten.density),
      forty_(forty),
      claimed_by_(ten_.size(), 0),
      counted_by_(forty.size(), 0) {}

// Each nucleus once in a growth, and no two by the same of 10x.
void Growth::count(std::uint32_t forty, const BackMap& map, Count& into) {
  if (std::exchange(counted_by_[forty], growth_) == growth_) return;
  const Complex p = map(forty_.at(forty));
  if (!ten_.covers(p)) return;
  ++into.trials;
  const Neighbour near = ten_.nearest(p);
  const double by_chance =
      std::numbers::pi * near.square * static_cast<double>(density_[near.index]);
  if (by_chance >= coincidence[0] || claimed_by_[near.index] == growth_) return;
  claimed_by_[near.index] = growth_;
  for (std::size_t i = 0; i < coincidence.size(); ++i)
    if (by_chance < coincidence[i]) ++into.hits[i];
}

// Two rounds of least squares with Cauchy weights: what coincides by chance lies farther away.
std::optional<BackMap> Growth::refit(std::size_t inner, const BackMap& map, bool mirrored) {
  BackMap fitted = map;
  for (int round = 0; round < 2; ++round) {
    pairs_.clear();
    distances_.clear();
    for (std::size_t i = 0; i < inner; ++i) {
      const Complex q = forty_.at(order_[i]), p = fitted(q);
      const Neighbour near = ten_.nearest(p);
      const double by_chance =
          std::numbers::pi * near.square * static_cast<double>(density_[near.index]);
      if (by_chance >= coincidence[0]) continue;
      pairs_.push_back({q, ten_.at(near.index), near.square});
      distances_.push_back(near.square);
    }
    if (pairs_.size() < 3) return std::nullopt;
    const auto middle = distances_.begin() + static_cast<std::ptrdiff_t>(distances_.size() / 2);
    std::nth_element(distances_.begin(), middle, distances_.end());
    const double scale = 4.0 * *middle + 1e-12;
    for (WeightedPair& pair : pairs_) pair.weight = 1.0 / (1.0 + pair.weight / scale);
    fitted = pairs_.size() < min_for_affine ? fit_similarity(pairs_, mirrored) : fit_affine(pairs_);
    if (!(std::abs(fitted.determinant()) > 0.0) || (fitted.determinant() < 0.0) != mirrored)
      return std::nullopt;
  }
  return fitted;
}

// Makes order_ hold at least `count` nuclei by distance from the centre. A k-d tree is good for a
// few; for more, all are sorted.
void Growth::order_by_distance(std::uint32_t centre, std::size_t count) {
  if (count <= order_.size()) return;
  const Complex c = forty_.at(centre);
  if (count <= max_by_tree) {
    forty_.nearest(c, count, near_);
  } else {
    near_.resize(forty_.size());
    for (std::uint32_t i = 0; i < forty_.size(); ++i) near_[i] = {i, std::norm(forty_.at(i) - c)};
    std::sort(near_.begin(), near_.end(),
              [](const Neighbour& a, const Neighbour& b) { return a.square < b.square; });
  }
  order_.resize(near_.size());
  std::transform(near_.begin(), near_.end(), order_.begin(),
                 [](const Neighbour& n) { return n.index; });
}

std::optional<Grown> Growth::grow(const Constellation& seed,
                                  const std::array<std::uint32_t, 4>& corresponding,
                                  const BackMap& map, bool mirrored) {
  ++growth_;
  for (const std::uint32_t i : corresponding) claimed_by_[i] = growth_;
  for (const std::uint32_t i : seed.points) counted_by_[i] = growth_;
  const std::uint32_t centre = seed.points[0];
  if (first_ring_centre_ != centre) forty_.nearest(forty_.at(centre), first_ring, first_ring_);
  first_ring_centre_ = centre;  // hypotheses come centre by centre

  Grown grown{.map = map, .mirrored = mirrored};
  Count all;
  for (const Neighbour& near : first_ring_) count(near.index, grown.map, all);
  grown.log10_chance = all.log10_chance();
  if (grown.log10_chance > go_on(first_ring)) return std::nullopt;

  order_.clear();
  for (const Neighbour& near : first_ring_) order_.push_back(near.index);
  for (std::size_t inner = order_.size();;) {
    const std::optional<BackMap> fitted = refit(inner, grown.map, mirrored);
    if (!fitted) return std::nullopt;
    grown.map = *fitted;
    if (inner == forty_.size()) break;
    const std::size_t outer = std::min(forty_.size(), ring_growth * inner);
    order_by_distance(centre, outer);
    for (std::size_t i = inner; i < outer; ++i) count(order_[i], grown.map, all);
    inner = outer;
    grown.log10_chance = all.log10_chance();
    if (grown.log10_chance > go_on(inner)) return std::nullopt;
  }
  // With the last map, over all: what rivals are compared by.
  ++growth_;
  Count last;
  for (std::uint32_t i = 0; i < forty_.size(); ++i) count(i, grown.map, last);
  grown.evidence = -last.log10_chance();
  return grown;
}

}  // namespace nucreg::matching
