// One pass over the points: the sums from which objective, gradient and normal equations follow.
#pragma once

#include <Eigen/Core>
#include <array>
#include <cstddef>
#include <string_view>

#include "nucreg/core/terms.hpp"
#include "nucreg/fit/pass_threads.hpp"
#include "nucreg/fit/points.hpp"

namespace nucreg {

/// How much a pass sums up; each level includes those before it.
enum class PassLevel { value = 0, gradient = 1, normal = 2 };

/// Sums of a pass. With r = map(x, y) - (X, Y), w = rho':
///   value     sum rho
///   gradient  sum w (dr/dm)^T r per entry of the map: half the gradient of the objective
///   normal    sum w (dr/dm)^T (dr/dm), lower triangle mirrored: the Gauss-Newton matrix of the
///             weighted least squares. The second-order term of robust losses (Triggs et al.,
///             "Bundle adjustment: a modern synthesis", 2000, section 4.3) is left out, since it is
///             negative for all of them: it takes the curvature from points far off, of which there
///             are many far from the answer. Ceres does the same (internal/ceres/corrector.cc).
/// The map has 6 entries a b tx c d ty, or 8 with g h (projective).
struct PassSums {
  double value = 0.0;
  std::array<double, 8> gradient{};
  std::array<std::array<double, 8>, 8> normal{};
};

/// `map` has 6 entries (projective false) or 8. Any units, as long as points, map and loss scale
/// agree. Summation runs in eight lanes, chunks of 4096 points, groups of 16 chunks, then a tree:
/// the result is the same bits on every processor of one architecture, whatever its vectors' width,
/// and for any number of threads; `threads` null: the caller's alone.
[[nodiscard]] PassSums pass_over_points(const PairsView& pairs, const double* map, bool projective,
                                        Loss loss, double loss_scale, PassLevel level,
                                        PassThreads* threads = nullptr);

/// Sums for squared loss with u = x - centre_x, v = y - centre_y turned: q = (cos u + sin v,
/// cos v - sin u, 1).
struct CentredSums {
  double value = 0.0;          ///< sum |r|^2
  Eigen::Vector3d by_x, by_y;  ///< sum r_x q, sum r_y q
  Eigen::Matrix3d moments;     ///< sum q q^T
};
/// r = map(u, v) - (X, Y), `map` with 6 entries, `turn` = (cos, sin). Summation as above.
[[nodiscard]] CentredSums centred_pass(const PairsView& pairs, const std::array<double, 2>& centre,
                                       const std::array<double, 2>& turn, const double* map,
                                       PassThreads* threads = nullptr);

/// Sums over the points: the squared distance from `centre` at 10x, and each column.
struct SpreadSums {
  double squared = 0.0, x10 = 0.0, y10 = 0.0, x40 = 0.0, y40 = 0.0;
};
/// Summation as above.
[[nodiscard]] SpreadSums spread_pass(const PairsView& pairs, const std::array<double, 2>& centre);

/// to[i] = (from[i] - centre) * factor.
void shift_and_scale(const double* from, std::size_t size, double centre, double factor,
                     double* to);

/// Which instruction set the passes use on this machine: "baseline", "avx2" or "avx512".
/// The environment variable NUCREG_SIMD names a lower one.
[[nodiscard]] std::string_view kernel_instruction_set();

}  // namespace nucreg
