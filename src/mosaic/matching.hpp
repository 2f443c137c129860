// One-to-one matching of greatest gain on a sparse graph, exact within components.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nucreg::mosaic {

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
