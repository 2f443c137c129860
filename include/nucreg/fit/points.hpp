// Point pairs: the same nucleus seen at 10x and at 40x.
#pragma once

#include <cstddef>
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
  void add(double at_x10, double at_y10, double at_x40, double at_y40) {
    x10.push_back(at_x10);
    y10.push_back(at_y10);
    x40.push_back(at_x40);
    y40.push_back(at_y40);
  }
  /// The i-th of other pairs, or of a view.
  void add(const auto& pairs, std::size_t i) {
    add(pairs.x10[i], pairs.y10[i], pairs.x40[i], pairs.y40[i]);
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
