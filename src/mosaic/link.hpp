// What two tiles have in common, when turn and scale of both are known and the
// shift nearly is.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "nucreg/mosaic/well.hpp"

namespace nucreg::mosaic {

constexpr double rayleigh_median = 1.1774100225154747;  // sqrt(2 ln 2), of deviation 1

/// A tile laid into a frame of um: p = centre + camera (v (1 + k1 |v|^2 /
/// h^2)), then, for 40x under a deformation, bend (p - centre) + centre.
struct Laid {
  std::array<double, 4> camera{};
  double k1 = 0.0;
  Point middle_px{};  ///< (size - 1) / 2; h is its x
  Point centre_um{};
  std::array<double, 4> bend{1.0, 0.0, 0.0, 1.0};
};

struct LinkTask {
  std::uint32_t tile_a = 0, tile_b = 0;
  Laid a, b;
  double search_um = 0.0;  ///< shifts up to this are tried; 0: the shift is taken as known
  double gate_um = 0.0;    ///< largest distance of a pair
};

/// Means over the pairs of one part of the overlap: v are px about the middle
/// of the tile, q = v |v|^2 / h^2.
struct LinkCell {
  double pairs = 0.0;
  Point v_a{}, q_a{}, v_b{}, q_b{};
};

struct LinkResult {
  static constexpr std::size_t max_cells = 16;

  std::uint32_t tile_a = 0, tile_b = 0;
  double pairs = 0.0;
  double common_a = 0.0,
         common_b = 0.0;            ///< nuclei of each that lie within the other
  double log10_significance = 0.0;  ///< that chance gives as many pairs, over all shifts
  Point shift_um{};                 ///< to be added to b for it to fall upon a
  double scatter_um = 0.0;          ///< deviation of a coordinate of the differences
                                    ///< about their cell's mean
  double runner_up = 0.0;           ///< pairs at the second best shift over those at the best
  Point runner_up_um{};             ///< that shift
  std::uint32_t cells = 0;
  std::array<LinkCell, max_cells> cell{};
};

[[nodiscard]] LinkResult find_link(const TileNuclei& a, const TileNuclei& b, const LinkTask& task);

[[nodiscard]] std::vector<double> pack(const LinkTask& task);
[[nodiscard]] LinkTask unpack_link_task(std::span<const double> numbers);
[[nodiscard]] std::vector<double> pack(const LinkResult& result);
[[nodiscard]] LinkResult unpack_link_result(std::span<const double> numbers);

/// log10 of a bound (Chernoff) of the chance of at least k successes in n
/// trials; 0 if k <= n p.
[[nodiscard]] double log10_tail(double k, double n, double p);

/// The middle value, of an even number the upper one; `none` of no values.
[[nodiscard]] double median(std::vector<double> values, double none = 0.0);

}  // namespace nucreg::mosaic
