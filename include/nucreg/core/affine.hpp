// Affine maps of the plane: X = a x + b y + tx, Y = c x + d y + ty.
#pragma once

#include <array>

namespace nucreg {

/// a b tx c d ty, in this order everywhere: in files, on the command line and in memory. The frames
/// and units are its owner's: name a map after them, such as `ten_to_forty`.
using AffineMap = std::array<double, 6>;
using Point = std::array<double, 2>;
/// The same without a shift: a b c d.
using Matrix2 = std::array<double, 4>;

inline constexpr AffineMap identity_map{1, 0, 0, 0, 1, 0};

[[nodiscard]] constexpr Point apply(const AffineMap& map, const Point& p) {
  return {map[0] * p[0] + map[1] * p[1] + map[2], map[3] * p[0] + map[4] * p[1] + map[5]};
}

/// Area of the image of a unit square; negative if the map mirrors, 0 if it has no inverse.
[[nodiscard]] constexpr double determinant(const AffineMap& map) {
  return map[0] * map[4] - map[1] * map[3];
}

[[nodiscard]] constexpr double determinant(const Matrix2& map) {
  return map[0] * map[3] - map[1] * map[2];
}

/// The map that applies `first`, then `second`.
[[nodiscard]] constexpr AffineMap compose(const AffineMap& second, const AffineMap& first) {
  const Point shift = apply(second, {first[2], first[5]});
  return {second[0] * first[0] + second[1] * first[3],
          second[0] * first[1] + second[1] * first[4],
          shift[0],
          second[3] * first[0] + second[4] * first[3],
          second[3] * first[1] + second[4] * first[4],
          shift[1]};
}

/// The inverse; not finite if the determinant is 0.
[[nodiscard]] constexpr AffineMap invert(const AffineMap& map) {
  const double det = determinant(map);
  const double a = map[4] / det, b = -map[1] / det, c = -map[3] / det, d = map[0] / det;
  return {a, b, -(a * map[2] + b * map[5]), c, d, -(c * map[2] + d * map[5])};
}

}  // namespace nucreg
