// Residuals of single pairs and their derivatives by the parameters, for solvers that want a row of
// each.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

#include "nucreg/fit/model.hpp"

namespace nucreg {

/// Where a map takes a point; `inverse` of its denominator, 1 unless projective.
struct Mapped {
  double x, y, inverse;
};

[[nodiscard]] inline Mapped mapped(const MapEntries& map, double x, double y) {
  const auto& m = map.entries;
  const double inverse = map.projective ? 1.0 / (m[6] * x + m[7] * y + 1.0) : 1.0;
  return {(m[0] * x + m[1] * y + m[2]) * inverse, (m[3] * x + m[4] * y + m[5]) * inverse, inverse};
}

/// Derivatives of where a map takes one point, for a model of so many parameters.
template <int columns>
class PairRows {
 public:
  PairRows() = default;
  /// `map` has its derivative.
  explicit PairRows(const MapEntries& map) : projective_(map.projective) {
    for (Eigen::Index e = 0; e < map.derivative.rows(); ++e)
      for (Eigen::Index k = 0; k < columns; ++k)
        by_entry_[static_cast<std::size_t>(e)][static_cast<std::size_t>(k)] = map.derivative(e, k);
  }

  /// Those of the point from_x, from_y, which is mapped to `at`, by x and by y.
  void write(double from_x, double from_y, const Mapped& at, double* __restrict x,
             double* __restrict y) const {
    const double qx = from_x * at.inverse, qy = from_y * at.inverse;
    const auto& d = by_entry_;
    for (std::size_t k = 0; k < columns; ++k) {
      x[k] = qx * d[0][k] + qy * d[1][k] + at.inverse * d[2][k];
      y[k] = qx * d[3][k] + qy * d[4][k] + at.inverse * d[5][k];
    }
    if (!projective_) return;
    for (std::size_t k = 0; k < columns; ++k) {
      const double denominator = qx * d[6][k] + qy * d[7][k];
      x[k] -= at.x * denominator;
      y[k] -= at.y * denominator;
    }
  }

 private:
  std::array<std::array<double, columns>, 8> by_entry_{};
  bool projective_ = false;
};

/// `f` of the number of a model's parameters as a constant, so that the compiler unrolls loops over
/// them.
template <class F>
auto with_columns(Eigen::Index count, F&& f) {
  switch (count) {
    case 3:
      return f(std::integral_constant<int, 3>());
    case 4:
      return f(std::integral_constant<int, 4>());
    case 5:
      return f(std::integral_constant<int, 5>());
    case 6:
      return f(std::integral_constant<int, 6>());
    default:
      static_assert(max_parameters == 8);
      return f(std::integral_constant<int, 8>());
  }
}

}  // namespace nucreg
