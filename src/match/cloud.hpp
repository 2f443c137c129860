// One side of a match, ready to be searched.
#pragma once

#include <complex>
#include <cstdint>
#include <memory>
#include <vector>

#include "nucreg/fit/points.hpp"

namespace nucreg::matching {

using Complex = std::complex<double>;

struct Neighbour {
  std::uint32_t index = 0;
  double square = 0.0;  ///< of the distance, px^2
};

/// The distinct points of a set, in an order that keeps neighbours together, with a k-d tree.
class Cloud {
 public:
  /// Throws InputError with `side` as its key where the points are none; see match_nuclei().
  Cloud(const Points& points, const char* side);
  ~Cloud();
  Cloud(const Cloud&) = delete;
  Cloud& operator=(const Cloud&) = delete;

  [[nodiscard]] std::size_t size() const { return at_.size(); }
  [[nodiscard]] Complex at(std::uint32_t index) const { return at_[index]; }
  /// Index of a point in the set as given; of points that coincide, the first.
  [[nodiscard]] std::uint32_t original(std::uint32_t index) const { return original_[index]; }

  [[nodiscard]] Neighbour nearest(Complex p) const;
  /// The `count` points nearest to p, by rising distance; fewer if there are fewer.
  void nearest(Complex p, std::size_t count, std::vector<Neighbour>& out) const;

  /// Whether p lies within the convex hull of the points.
  [[nodiscard]] bool covers(Complex p) const;
  /// Standard deviation across the line along which the points spread most, over that along it.
  [[nodiscard]] double thickness() const;

 private:
  struct Tree;

  std::vector<Complex> at_;
  std::vector<std::uint32_t> original_;
  std::vector<Complex> lower_, upper_;  // chains of the hull, from left to right
  std::unique_ptr<Tree> tree_;
};

/// Points per px^2 around each point, from the distance to its sixth neighbour.
[[nodiscard]] std::vector<float> local_density(const Cloud& cloud);

}  // namespace nucreg::matching
