// What the passes, compiled once per instruction set, offer, and the choice of this machine.
#pragma once

#include <cstddef>
#include <string_view>

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
  // For `centred` and `spread`: subtracted from x10 and y10; then, for all sums of `centred`,
  // turned by (cos, sin).
  double centre[2], turn[2];
};

// Sums of an affine pass: value, 6 of the gradient, then the moments (xx xy x yy y 1) of the
// points, each weighted by w. Sums of a projective pass, with q = (x, y, 1)/w and p its map: value,
// 8 of the gradient, then of weighted products: qq (6), -p_x and -p_y times (q0 q0, q0 q1, q1 q1,
// q2 q0, q2 q1), and p^2 times (q0 q0, q0 q1, q1 q1).
inline constexpr std::size_t affine_sums = 1 + 6 + 6, projective_sums = 1 + 8 + 6 + 10 + 3;
inline constexpr std::size_t max_sums = projective_sums;
// Of `spread`: the squared distances at 10x from the centre, then x10, y10, x40 and y40.
inline constexpr std::size_t spread_sums = 5;

constexpr std::size_t sum_count(bool projective, int level) {
  if (level == 0) return 1;
  if (projective) return level == 1 ? 9 : projective_sums;
  return level == 1 ? 7 : affine_sums;
}

// `sums` gets the lanes of each sum, sum after sum, for one point to a group of points.
using Pass = void (*)(const Input&, const double* map, double* sums);

struct Table {
  Pass pass[2][4][3];  // [projective][loss][level]
  Pass centred;        // affine, squared, normal
  Pass spread;         // of no map
  // The lanes of each of `count` sums become one number.
  void (*add_lanes)(const double* from, std::size_t count, double* sums);
  // to[i] = (from[i] - centre) * factor
  void (*scale)(const double* from, std::size_t size, double centre, double factor, double* to);
};

struct Choice {
  std::string_view name;  // avx512, avx2, neon, baseline (SSSE3), or scalar
  const Table* table;
};

// The widest instruction set that the machine has; the environment variable NUCREG_SIMD names a
// lower one, for tests and benches: results are the same.
const Choice& choice();

}  // namespace nucreg::kernels
