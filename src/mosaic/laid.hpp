// A tile laid into a frame of um, and what another tile shares with it.
#pragma once

#include <cmath>

#include "link.hpp"

namespace nucreg::mosaic {

[[nodiscard]] constexpr Point plus(const Point& a, const Point& b) {
  return {a[0] + b[0], a[1] + b[1]};
}

[[nodiscard]] constexpr Point minus(const Point& a, const Point& b) {
  return {a[0] - b[0], a[1] - b[1]};
}

[[nodiscard]] constexpr Point times(const Matrix2& m, const Point& p) {
  return {m[0] * p[0] + m[1] * p[1], m[2] * p[0] + m[3] * p[1]};
}

[[nodiscard]] constexpr Matrix2 times(const Matrix2& a, const Matrix2& b) {
  return {a[0] * b[0] + a[1] * b[2], a[0] * b[1] + a[1] * b[3], a[2] * b[0] + a[3] * b[2],
          a[2] * b[1] + a[3] * b[3]};
}

[[nodiscard]] constexpr Matrix2 inverse(const Matrix2& m) {
  const double d = determinant(m);
  return {m[3] / d, -m[1] / d, -m[2] / d, m[0] / d};
}

[[nodiscard]] inline Point lay(const Laid& t, const Point& px) {
  const Point v{px[0] - t.middle_px[0], px[1] - t.middle_px[1]};
  const double stretch =
      1.0 + t.k1 * (v[0] * v[0] + v[1] * v[1]) / (t.middle_px[0] * t.middle_px[0]);
  const Point p = times(t.bend, times(t.camera, Point{v[0] * stretch, v[1] * stretch}));
  return {t.centre_um[0] + p[0], t.centre_um[1] + p[1]};
}

/// Whether a point of the frame lies on the tile, or within a margin of it.
/// Without lens.
class Footprint {
 public:
  Footprint(const Laid& tile, double margin_um)
      : centre_(tile.centre_um), back_(inverse(times(tile.bend, tile.camera))) {
    const double px_per_um = std::sqrt(std::abs(determinant(back_)));
    half_ = {tile.middle_px[0] + 0.5 + margin_um * px_per_um,
             tile.middle_px[1] + 0.5 + margin_um * px_per_um};
  }
  [[nodiscard]] bool operator()(const Point& p) const {
    const Point v = times(back_, Point{p[0] - centre_[0], p[1] - centre_[1]});
    return std::abs(v[0]) <= half_[0] && std::abs(v[1]) <= half_[1];
  }

 private:
  Point centre_;
  Matrix2 back_;
  Point half_{};
};

/// Without lens.
[[nodiscard]] inline double area_um2(const Laid& t) {
  return std::abs(determinant(times(t.bend, t.camera))) * (2.0 * t.middle_px[0] + 1.0) *
         (2.0 * t.middle_px[1] + 1.0);
}

/// Area that two tiles share when b is shifted: b clipped by the edges of a (Sutherland and
/// Hodgman, "Reentrant polygon clipping", 1974). Without lens.
[[nodiscard]] double overlap_um2(const Laid& a, const Laid& b, const Point& shift_um);

}  // namespace nucreg::mosaic
