// What the translation units of the passes, one per instruction set, offer.
#pragma once

#include <cstddef>

namespace nucreg::kernels {

inline constexpr std::size_t lanes = 8;
inline constexpr std::size_t chunk = 4096;
// So many points are one call of a pass; threads share out groups.
inline constexpr std::size_t group = 16 * chunk;

struct Input {
  const double* x10;
  const double* y10;
  const double* x40;
  const double* y40;
  std::size_t size;
  double loss_scale;
  // Of the `centred` pass: taken from x10 and y10, then turned by (cos, sin) for all sums.
  double centre[2], turn[2];
};

// Sums of an affine pass: value, 6 of the gradient, then moments w (xx xy x yy y 1) of the points.
// Sums of a projective pass, with q = (x, y, 1)/w and p = (x, y)/w: value, 8 of the gradient, then
// 6 of rho' qq, 6 of c_x q p, 6 of c_y q p, 3 of e pp.
inline constexpr std::size_t max_sums = 1 + 8 + 6 + 12 + 3;

constexpr std::size_t sum_count(bool projective, int level) {
  if (level == 0) return 1;
  if (projective) return level == 1 ? 9 : max_sums;
  return level == 1 ? 7 : 13;
}

// `sums` gets the lanes of each sum, sum after sum, for at most a group of points.
using Pass = void (*)(const Input&, const double* map, double* sums);

struct Table {
  Pass pass[2][4][3];  // [projective][loss][level]
  Pass centred;        // affine, squared, normal
};

const Table& baseline();
#if defined(__x86_64__)
const Table& avx2();
const Table& avx512();
#endif

}  // namespace nucreg::kernels
