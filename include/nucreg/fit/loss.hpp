// Robust losses of the squared residual length, one point at a time. The vectorised passes
// (fit/kernels.hpp) compute the same; this is their definition and their test.
#pragma once

#include <cmath>

#include "nucreg/core/terms.hpp"

namespace nucreg {

/// rho(s) and its first two derivatives by s, s = |r|^2, d = loss scale in the unit of r.
///     squared  s
///     huber    s                        for s <= d^2, else 2 d sqrt(s) - d^2     (Huber 1964)
///     cauchy   d^2 log(1 + s / d^2)
///     tukey    d^2/3 (1 - (1 - s/d^2)^3) for s <= d^2, else d^2/3   (Beaton and Tukey 1974)
/// All have rho(0) = 0 and rho'(0) = 1, so that small residuals count as in least squares.
struct LossValue {
  double rho, first, second;
};

[[nodiscard]] inline LossValue evaluate_loss(Loss loss, double s, double d) {
  const double d2 = d * d;
  switch (loss) {
    case Loss::squared:
      return {s, 1.0, 0.0};
    case Loss::huber: {
      if (s <= d2) return {s, 1.0, 0.0};
      const double length = std::sqrt(s);
      return {2.0 * d * length - d2, d / length, -0.5 * d / (s * length)};
    }
    case Loss::cauchy: {
      const double weight = 1.0 / (1.0 + s / d2);
      return {d2 * std::log1p(s / d2), weight, -weight * weight / d2};
    }
    case Loss::tukey: {
      if (s > d2) return {d2 / 3.0, 0.0, 0.0};
      const double t = 1.0 - s / d2;
      return {d2 / 3.0 * (1.0 - t * t * t), t * t, -2.0 * t / d2};
    }
  }
  return {std::nan(""), std::nan(""), std::nan("")};
}

/// What rounding can make of the sum of rho over `pairs`, where the sum is so small that it shows:
/// cauchy and tukey know s to eps d^2 only. 0 if it does not show.
[[nodiscard]] inline double loss_rounding(Loss loss, double d, double pairs, double sum) {
  if (loss != Loss::cauchy && loss != Loss::tukey) return 0.0;
  const double rounding = 4e-16 * pairs * d * d;
  return sum < 1e6 * rounding ? rounding : 0.0;
}

}  // namespace nucreg
