#include "laid.hpp"

#include <array>
#include <cstddef>

namespace nucreg::mosaic {
namespace {

// A parallelogram clipped by four edges has at most eight corners.
struct Polygon {
  std::array<Point, 8> corner{};
  std::size_t size = 0;

  void add(const Point& p) { corner[size++] = p; }
};

// What of it lies where sign * p[axis] <= limit.
Polygon clipped(const Polygon& polygon, std::size_t axis, double sign, double limit) {
  Polygon out;
  for (std::size_t i = 0; i < polygon.size; ++i) {
    const Point &p = polygon.corner[i], &next = polygon.corner[(i + 1) % polygon.size];
    const double within = limit - sign * p[axis], next_within = limit - sign * next[axis];
    if (within >= 0.0) out.add(p);
    if ((within >= 0.0) == (next_within >= 0.0)) continue;
    const double part = within / (within - next_within);
    out.add({p[0] + part * (next[0] - p[0]), p[1] + part * (next[1] - p[1])});
  }
  return out;
}

double area(const Polygon& polygon) {
  double twice = 0.0;
  for (std::size_t i = 0; i < polygon.size; ++i) {
    const Point &p = polygon.corner[i], &next = polygon.corner[(i + 1) % polygon.size];
    twice += p[0] * next[1] - p[1] * next[0];
  }
  return 0.5 * std::abs(twice);
}

}  // namespace

double overlap_um2(const Laid& a, const Laid& b, const Point& shift_um) {
  const Matrix2 to_um = times(b.bend, b.camera), from_um = inverse(times(a.bend, a.camera));
  const Point half_a{a.middle_px[0] + 0.5, a.middle_px[1] + 0.5};
  const Point half_b{b.middle_px[0] + 0.5, b.middle_px[1] + 0.5};
  const Point off = minus(plus(b.centre_um, shift_um), a.centre_um);
  Polygon polygon;  // b in the pixels of a
  for (const Point corner : {Point{-1, -1}, Point{1, -1}, Point{1, 1}, Point{-1, 1}})
    polygon.add(times(
        from_um, plus(off, times(to_um, Point{corner[0] * half_b[0], corner[1] * half_b[1]}))));
  for (const std::size_t axis : {0U, 1U})
    for (const double sign : {1.0, -1.0}) polygon = clipped(polygon, axis, sign, half_a[axis]);
  return area(polygon) / std::abs(determinant(from_um));
}

}  // namespace nucreg::mosaic
