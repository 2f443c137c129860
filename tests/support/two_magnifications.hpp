// One tissue seen at 10x and, a part of it, at 40x: point sets whose match is known.
#pragma once

#include <array>
#include <cmath>
#include <complex>
#include <cstdint>
#include <numbers>
#include <optional>
#include <vector>

#include "nucreg/core/random.hpp"
#include "nucreg/fit/poisson_disk.hpp"
#include "nucreg/match/match.hpp"

namespace nucreg {

struct SceneOptions {
  std::uint32_t seed = 1;
  std::size_t nuclei = 3530;        ///< in the field, before any are missing
  double density_per_px2 = 2.5e-3;  ///< 10x; at 15 % missing, of a confluent culture
  double min_distance_px = 8.0;     ///< 10x
  double tile_side = 0.5;           ///< of the 40x tile, in sides of the 10x field
  double noise_px = 2.0;            ///< each coordinate, 40x px; at 10x a quarter of it
  double missing = 0.15;            ///< on each side
  std::array<double, 2> magnification{3.5, 4.5};  ///< drawn between
  std::optional<double> angle_deg{};              ///< drawn from all where not given
  std::optional<bool> mirrored{};                 ///< drawn where not given
  bool elsewhere = false;  ///< the 40x tile shows another place: there is no match
};

struct Scene {
  Points ten, forty;
  std::vector<std::uint32_t> nucleus_ten, nucleus_forty;  ///< of each point; elsewhere: unequal
  AffineMap truth{};                                      ///< 10x px to 40x px
  bool mirrored = false;
  double field_px = 0.0;  ///< side of the 10x field
};

inline std::array<double, 2> apply(const AffineMap& map, double x, double y) {
  const auto& [a, b, tx, c, d, ty] = map;
  return {a * x + b * y + tx, c * x + d * y + ty};
}

inline Scene make_scene(const SceneOptions& o) {
  Scene scene;
  const double side = std::sqrt(static_cast<double>(o.nuclei) / o.density_per_px2);
  scene.field_px = side;
  const auto scatter = [&](std::uint32_t which) {
    return scatter_points({{side, side}, 0.0, o.min_distance_px}, o.nuclei,
                          [&](std::uint32_t attempt) {
                            return RandomStream(o.seed, which, 0, Purpose::positions, attempt);
                          });
  };
  RandomStream draws(o.seed, 0, 0, Purpose::draws);
  RandomStream noise(o.seed, 0, 0, Purpose::noise);
  RandomStream missing(o.seed, 0, 0, Purpose::missing);

  using Complex = std::complex<double>;
  const double scale = draws.uniform(o.magnification[0], o.magnification[1]);
  const double angle = o.angle_deg ? *o.angle_deg * std::numbers::pi / 180.0
                                   : draws.uniform(-std::numbers::pi, std::numbers::pi);
  scene.mirrored = o.mirrored ? *o.mirrored : draws.uniform() < 0.5;
  const double flip = scene.mirrored ? -1.0 : 1.0;
  // The tile, however it is turned, lies within the field where it fits at all.
  const double margin = std::min(0.5, 0.5 * o.tile_side * std::numbers::sqrt2) * side;
  const auto coordinate = [&] {
    return draws.uniform(margin, std::nextafter(side - margin, 2.0 * side));
  };
  const Complex centre{coordinate(), coordinate()};  // braces: in this order
  const Complex turn = std::polar(scale, angle);
  const double half_tile_px = 0.5 * o.tile_side * side * scale;
  // X + iY = turn (u + i flip v) + half a tile, (u, v) from the centre; an anisotropy as found.
  const double a = turn.real(), b = -turn.imag() * flip, c = turn.imag() * 1.0002,
               d = turn.real() * flip * 1.0002;
  scene.truth = {a, b, half_tile_px - a * centre.real() - b * centre.imag(),
                 c, d, half_tile_px - c * centre.real() - d * centre.imag()};

  const Points nuclei = scatter(0);
  for (std::uint32_t i = 0; i < nuclei.size(); ++i) {
    const double nx = noise.normal(), ny = noise.normal();
    if (missing.uniform() < o.missing) continue;
    scene.ten.x.push_back(nuclei.x[i] + 0.25 * o.noise_px * nx);
    scene.ten.y.push_back(nuclei.y[i] + 0.25 * o.noise_px * ny);
    scene.nucleus_ten.push_back(i);
  }
  const Points& seen = o.elsewhere ? scatter(1) : nuclei;
  for (std::uint32_t i = 0; i < seen.size(); ++i) {
    const double nx = noise.normal(), ny = noise.normal();
    if (missing.uniform() < o.missing) continue;
    const auto [x, y] = apply(scene.truth, seen.x[i], seen.y[i]);
    if (!(x >= 0.0 && y >= 0.0 && x <= 2.0 * half_tile_px && y <= 2.0 * half_tile_px)) continue;
    scene.forty.x.push_back(x + o.noise_px * nx);
    scene.forty.y.push_back(y + o.noise_px * ny);
    scene.nucleus_forty.push_back(o.elsewhere ? 0xffffffff : i);
  }
  return scene;
}

/// Of the 40x tile, 40x px.
inline double tile_side_px(const Scene& scene, const SceneOptions& o) {
  const auto& [a, b, tx, c, d, ty] = scene.truth;
  return o.tile_side * scene.field_px * std::sqrt(std::abs(a * d - b * c));
}

/// Where a point of 40x is at 10x.
inline std::array<double, 2> at_10x(const Scene& scene, double X, double Y) {
  const auto& [a, b, tx, c, d, ty] = scene.truth;
  const double det = a * d - b * c;
  return {(d * (X - tx) - b * (Y - ty)) / det, (a * (Y - ty) - c * (X - tx)) / det};
}

inline std::array<double, 2> middle_of_tile_at_10x(const Scene& scene, const SceneOptions& o) {
  const double half_px = 0.5 * tile_side_px(scene, o);
  return at_10x(scene, half_px, half_px);
}

/// Largest distance of a map from the truth over the corners and the centre of the 40x tile, 40x
/// px.
inline double worst_error_px(const Scene& scene, const SceneOptions& o, const AffineMap& map) {
  const double tile_px = tile_side_px(scene, o);
  double worst = 0.0;
  for (const auto& [u, v] :
       {std::array{0.0, 0.0}, {1.0, 0.0}, {0.0, 1.0}, {1.0, 1.0}, {0.5, 0.5}}) {
    const auto [x, y] = at_10x(scene, u * tile_px, v * tile_px);
    const auto there = apply(map, x, y);
    const double error = std::hypot(there[0] - u * tile_px, there[1] - v * tile_px);
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

/// How many pairs are of one nucleus, and how many of two.
struct PairCount {
  std::size_t right = 0, wrong = 0;
};
inline PairCount count_pairs(const Scene& scene, const MatchResult& result) {
  PairCount count;
  for (std::size_t i = 0; i < result.ten.size(); ++i)
    ++(scene.nucleus_ten[result.ten[i]] == scene.nucleus_forty[result.forty[i]] ? count.right
                                                                                : count.wrong);
  return count;
}
/// Nuclei that both sides show.
inline std::size_t common_nuclei(const Scene& scene) {
  std::vector<bool> ten;
  for (const std::uint32_t i : scene.nucleus_ten) {
    if (i >= ten.size()) ten.resize(i + 1);
    ten[i] = true;
  }
  std::size_t common = 0;
  for (const std::uint32_t i : scene.nucleus_forty) common += i < ten.size() && ten[i] ? 1 : 0;
  return common;
}

}  // namespace nucreg
