// Point pairs: the same nucleus seen at 10x and at 40x.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace nucreg {

/// n pairs as four arrays of equal length (structure of arrays). x10, y10: 10x px; x40, y40: 40x
/// px.
struct PointPairs {
  std::vector<double> x10, y10, x40, y40;

  [[nodiscard]] std::size_t size() const { return x10.size(); }
  void resize(std::size_t n) {
    for (auto* column : {&x10, &y10, &x40, &y40}) column->resize(n);
  }
};

/// n points of one frame.
struct Points {
  std::vector<double> x, y;

  [[nodiscard]] std::size_t size() const { return x.size(); }
};

/// Borrowed pairs; the frame is the owner's.
struct PairsView {
  const double* x10 = nullptr;
  const double* y10 = nullptr;
  const double* x40 = nullptr;
  const double* y40 = nullptr;
  std::size_t size = 0;

  PairsView() = default;
  PairsView(const PointPairs& pairs)  // NOLINT: a view is meant to be taken silently
      : x10(pairs.x10.data()),
        y10(pairs.y10.data()),
        x40(pairs.x40.data()),
        y40(pairs.y40.data()),
        size(pairs.size()) {}
};

}  // namespace nucreg
