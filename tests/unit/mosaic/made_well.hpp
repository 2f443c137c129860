// A well as two visits see it, with its truth: tissue, tiles of two cameras, stage positions.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

#include "nucreg/core/random.hpp"
#include "nucreg/mosaic/placement.hpp"
#include "nucreg/mosaic/well.hpp"

namespace made {

using nucreg::Point;
using nucreg::mosaic::Side;
using nucreg::mosaic::TileNuclei;
using nucreg::mosaic::WellTile;

struct WellOptions {
  std::uint64_t seed = 1;
  double radius_um = 700.0, spacing_um = 15.0;
  double jitter = 0.28;  ///< of the lattice that the nuclei are, in spacings
  double ten_px = 900.0, forty_px = 1400.0, pixel_um = 0.65, magnification = 4.0;
  double overlap = 0.12;
  double missing = 0.1, noise_ten_px = 0.4, noise_forty_px = 1.0;
  double stage_um = 1.5;
  double torn_um = 0.0, torn_radius_um = 0.0;  ///< a disc that moved before the second visit
  double turn_deg = 1.0, camera_turn_deg = 0.7, deform_um = 2.0;
  double wave_um = 1100.0;    ///< of the deformation
  double own_turn_deg = 0.0;  ///< deviation of each 40x tile's turn from its camera's
  double k1 = 4e-4;           ///< of 10x; of 40x its negative
  Point shift_um{80.0, -60.0};
  bool mirrored = false, with_stage = true;
  double cover = 1.0;
};

struct Well {
  std::vector<WellTile> tiles;
  std::vector<TileNuclei> nuclei;
  std::vector<Point> centre_um;                      ///< true, in its visit
  std::vector<std::vector<std::uint32_t>> identity;  ///< which nucleus each detection is
};

namespace detail {

using Complex = std::complex<double>;

// In braces, which set the order: the arguments of a call are evaluated as a compiler likes.
inline Complex normal_deviates(nucreg::RandomStream& random) {
  return Complex{random.normal(), random.normal()};
}

inline Complex deformed(Complex p, const WellOptions& o) {
  const double x = 2.0 * std::numbers::pi * p.real() / o.wave_um;
  const double y = 2.0 * std::numbers::pi * p.imag() / (o.wave_um * 9.0 / 11.0);
  return p + o.deform_um * Complex(std::sin(x + 0.4 * y), std::cos(0.7 * y - 0.5 * x));
}

struct Camera {
  double size_px, pixel_um, turn, k1, noise_px;
  bool mirrored;
};

inline void take(Well& well, const std::vector<Complex>& tissue, const WellOptions& o, Side side,
                 const Camera& camera, nucreg::RandomStream& random) {
  const double step = camera.size_px * camera.pixel_um * (1.0 - o.overlap);
  const int n = static_cast<int>(std::ceil(2.0 * o.radius_um / step));
  const double middle = 0.5 * (camera.size_px - 1.0);
  for (int row = 0; row < n; ++row)
    for (int column = 0; column < n; ++column) {
      const Complex wanted((column - 0.5 * (n - 1)) * step, (row - 0.5 * (n - 1)) * step);
      if (std::abs(wanted) > o.radius_um + 0.3 * step) continue;
      if (side == Side::forty && random.uniform() >= o.cover) continue;
      const Complex at = wanted + o.stage_um * normal_deviates(random);
      const bool turned = side == Side::forty && o.own_turn_deg > 0.0;
      const double own_deg = turned ? o.own_turn_deg * random.normal() : 0.0;
      const double turn = camera.turn + own_deg * std::numbers::pi / 180.0;
      TileNuclei seen;
      std::vector<std::uint32_t> identity;
      for (std::uint32_t i = 0; i < tissue.size(); ++i) {
        Complex v = (tissue[i] - at) * std::polar(1.0 / camera.pixel_um, turn);
        if (camera.mirrored) v = -std::conj(v);
        v *= 1.0 + camera.k1 * std::norm(v) / (middle * middle);
        const double x = v.real() + middle, y = v.imag() + middle;
        if (!(x > 2.0 && y > 2.0 && x < camera.size_px - 3.0 && y < camera.size_px - 3.0)) continue;
        if (random.uniform() < o.missing) continue;
        seen.px.x.push_back(x + camera.noise_px * random.normal());
        seen.px.y.push_back(y + camera.noise_px * random.normal());
        seen.label.push_back(static_cast<std::uint32_t>(seen.label.size() + 1));
        identity.push_back(i);
      }
      WellTile tile;
      tile.side = side;
      tile.name = (side == Side::ten ? "ten " : "forty ") + std::to_string(well.tiles.size());
      tile.width_px = tile.height_px = camera.size_px;
      tile.pixel_um = camera.pixel_um;
      if (o.with_stage) tile.stage_um = Point{wanted.real(), wanted.imag()};
      well.tiles.push_back(tile);
      well.nuclei.push_back(std::move(seen));
      well.centre_um.push_back({at.real(), at.imag()});
      well.identity.push_back(std::move(identity));
    }
}

}  // namespace detail

inline Well make_well(const WellOptions& o) {
  using detail::Complex;
  nucreg::RandomStream random(o.seed, 0, 0, nucreg::Purpose::positions);
  std::vector<Complex> first, second;
  const double s = o.spacing_um;
  const int n = static_cast<int>(2.0 * o.radius_um / s) + 2;
  const Complex turn = std::polar(1.0, o.turn_deg * std::numbers::pi / 180.0);
  for (int row = 0; row < static_cast<int>(n / 0.866); ++row)
    for (int column = 0; column < n; ++column) {
      const Complex lattice((column + 0.5 * (row % 2)) * s, row * s * 0.866);
      const Complex p = lattice - Complex(o.radius_um, o.radius_um) +
                        o.jitter * s * detail::normal_deviates(random);
      if (std::abs(p) > o.radius_um || random.uniform() < 0.15) continue;
      first.push_back(p);
      const Complex torn = std::abs(p - Complex(90.0, 60.0)) < o.torn_radius_um
                               ? Complex(0.8, -0.6) * o.torn_um
                               : Complex();
      second.push_back((detail::deformed(p, o) + torn) * turn +
                       Complex(o.shift_um[0], o.shift_um[1]));
    }
  const double camera_turn = o.camera_turn_deg * std::numbers::pi / 180.0;
  Well well;
  detail::take(well, first, o, Side::ten,
               {o.ten_px, o.pixel_um, camera_turn, o.k1, o.noise_ten_px, false}, random);
  detail::take(well, second, o, Side::forty,
               {o.forty_px, o.pixel_um / o.magnification, -2.0 * camera_turn, -o.k1,
                o.noise_forty_px, o.mirrored},
               random);
  return well;
}

inline std::vector<Point> centres(const nucreg::mosaic::Placement& p) {
  std::vector<Point> out;
  for (const nucreg::mosaic::PlacedTile& t : p.tiles) out.push_back(t.centre_um);
  return out;
}

/// Distances of the places of a side from the truth after the best motion, mirrored or not; NaN
/// places are left out.
struct PlaceError {
  double rms_um = 0.0, largest_um = 0.0;
  std::vector<std::size_t> tile = {};  ///< those that are placed
  std::vector<double> each_um = {};    ///< of these
  [[nodiscard]] std::size_t placed() const { return tile.size(); }
};

enum class Motion { rigid, scaled };

inline PlaceError place_error(const Well& well, Side side, const std::vector<Point>& centre_um,
                              Motion motion = Motion::rigid) {
  using detail::Complex;
  std::vector<Complex> got, want;
  std::vector<std::size_t> tile;
  for (std::size_t t = 0; t < well.tiles.size(); ++t) {
    if (well.tiles[t].side != side || !std::isfinite(centre_um[t][0])) continue;
    tile.push_back(t);
    got.emplace_back(centre_um[t][0], centre_um[t][1]);
    want.emplace_back(well.centre_um[t][0], well.centre_um[t][1]);
  }
  PlaceError best{1e300, 1e300};
  if (got.empty()) return best;
  Complex mg{}, mw{};
  const auto n = static_cast<double>(got.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    mg += got[i] / n;
    mw += want[i] / n;
  }
  for (const bool mirrored : {false, true}) {
    const auto centred = [&](std::size_t i) {
      return mirrored ? std::conj(got[i] - mg) : got[i] - mg;
    };
    Complex cross{};
    double own = 0.0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      cross += std::conj(centred(i)) * (want[i] - mw);
      own += std::norm(centred(i));
    }
    const double length = motion == Motion::rigid ? std::abs(cross) : own;
    const Complex turn = length > 0.0 ? cross / length : Complex(1.0);
    PlaceError error{.tile = tile};
    double sum = 0.0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      const double e = std::abs(centred(i) * turn - (want[i] - mw));
      sum += e * e;
      error.largest_um = std::max(error.largest_um, e);
      error.each_um.push_back(e);
    }
    error.rms_um = std::sqrt(sum / n);
    if (error.rms_um < best.rms_um) best = std::move(error);
  }
  return best;
}

}  // namespace made
