// One-to-one matching of greatest gain on a sparse graph, exact within components.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace nucreg::mosaic {

/// Numbers below `count`, each in a set of its own until sets are joined.
class DisjointSets {
 public:
  explicit DisjointSets(std::size_t count) : parent_(count), size_(count, 1) {
    std::iota(parent_.begin(), parent_.end(), std::uint32_t{0});
  }
  std::uint32_t root(std::uint32_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  [[nodiscard]] std::uint32_t size(std::uint32_t root) const { return size_[root]; }
  /// False, and nothing done, if the joined set would have more than `limit` members.
  bool join(std::uint32_t a, std::uint32_t b, std::size_t limit = std::size_t(-1)) {
    a = root(a), b = root(b);
    if (a == b) return true;
    if (std::size_t{size_[a]} + size_[b] > limit) return false;
    if (size_[a] < size_[b]) std::swap(a, b);
    parent_[b] = a;
    size_[a] += size_[b];
    return true;
  }

 private:
  std::vector<std::uint32_t> parent_, size_;
};

/// Columns of equal length, one row per edge between object `ten` and object `forty`.
struct EdgeView {
  std::span<const std::uint32_t> ten, forty;
  std::span<const float> gain;

  [[nodiscard]] std::size_t size() const { return gain.size(); }
};

struct Matching {
  std::vector<std::uint32_t> edges;  ///< the chosen ones, rising
  std::vector<float> margin;         ///< per chosen edge: loss of the sum if it is forbidden
  std::size_t components = 0;        ///< with at least one edge of positive gain
  std::size_t largest = 0;           ///< objects of the largest, before it was cut
  std::size_t cut = 0;               ///< edges left out because a component was too large
};

/// The matching with the greatest sum of gains; edges without a positive gain are never part of
/// it. A component with more than `max_objects` is cut: its edges are taken by falling gain and
/// left out where they would join more.
[[nodiscard]] Matching best_matching(const EdgeView& edges, std::size_t tens, std::size_t forties,
                                     std::size_t max_objects);

}  // namespace nucreg::mosaic
