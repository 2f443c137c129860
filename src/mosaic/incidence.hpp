// The edges of a graph by the objects that they touch.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace nucreg::mosaic {

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

}  // namespace nucreg::mosaic
