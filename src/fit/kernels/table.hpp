// What the translation units of the passes, one per instruction set, offer.
#pragma once

#include <cstddef>

namespace nucreg::kernels {

struct Input {
  const double* x10;
  const double* y10;
  const double* x40;
  const double* y40;
  std::size_t size;
  double loss_scale;
};

// Sums of an affine pass: value, 6 of the gradient, then moments (xx xy x yy y 1) of the points:
// once for squared loss, else weighted by B_xx, B_xy and B_yy of B = w I + k r r^T.
// Sums of a projective pass, with q = (x, y, 1)/w and p = (x, y)/w: value, 8 of the gradient, then
// 6 each of B_xx qq, B_xy qq, B_yy qq, 6 of c_x q p, 6 of c_y q p, 3 of e pp.
inline constexpr std::size_t max_sums = 1 + 8 + 18 + 12 + 3;

using Pass = void (*)(const Input&, const double* map, double* sums);

// [projective][loss][level]
struct Table {
  Pass pass[2][4][3];
};

const Table& baseline();
#if defined(__x86_64__)
const Table& avx2();
const Table& avx512();
#endif

}  // namespace nucreg::kernels
