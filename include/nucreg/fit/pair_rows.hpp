// Residuals of single pairs and their derivatives by the parameters, for solvers that want a row of
// each.
#pragma once

#include <array>
#include <cstddef>

#include "nucreg/fit/model.hpp"

namespace nucreg {

/// Where a map takes a point; `inverse` of its denominator, 1 unless projective.
struct Mapped {
  double x, y, inverse;
};

/// `m`: entries of the map.
[[nodiscard]] inline Mapped mapped(const std::array<double, 8>& m, bool projective, double x,
                                   double y) {
  const double inverse = projective ? 1.0 / (m[6] * x + m[7] * y + 1.0) : 1.0;
  return {(m[0] * x + m[1] * y + m[2]) * inverse, (m[3] * x + m[4] * y + m[5]) * inverse, inverse};
}
[[nodiscard]] inline Mapped mapped(const MapEntries& map, double x, double y) {
  return mapped(map.entries, map.projective, x, y);
}

/// Derivatives of where a map takes one point, for a model of so many parameters.
template <int columns>
class PairRows {
 public:
  PairRows() = default;
  /// `map` has its derivative.
  explicit PairRows(const MapEntries& map) {
    for (Eigen::Index e = 0; !entries_are_parameters && e < 6; ++e)
      for (Eigen::Index k = 0; k < columns; ++k)
        by_entry_[static_cast<std::size_t>(e)][static_cast<std::size_t>(k)] = map.derivative(e, k);
  }

  /// Those of the point from_x, from_y, which is mapped to `at`, by x and by y.
  void write(double from_x, double from_y, const Mapped& at, double* __restrict x,
             double* __restrict y) const {
    if constexpr (entries_are_parameters) {
      const double qx = from_x * at.inverse, qy = from_y * at.inverse;
      for (std::size_t k = 0; k < columns; ++k) x[k] = y[k] = 0.0;
      x[0] = y[3] = qx;
      x[1] = y[4] = qy;
      x[2] = y[5] = at.inverse;
      if constexpr (columns == 8) {
        x[6] = -at.x * qx;
        x[7] = -at.x * qy;
        y[6] = -at.y * qx;
        y[7] = -at.y * qy;
      }
    } else {
      const auto& d = by_entry_;
      for (std::size_t k = 0; k < columns; ++k) {
        x[k] = from_x * d[0][k] + from_y * d[1][k] + d[2][k];
        y[k] = from_x * d[3][k] + from_y * d[4][k] + d[5][k];
      }
    }
  }

 private:
  // Of affine and projective maps; the others are not projective.
  static constexpr bool entries_are_parameters = columns >= 6;
  std::array<std::array<double, columns>, 6> by_entry_{};
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
