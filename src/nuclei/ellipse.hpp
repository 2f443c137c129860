// The moments of a set of pixels, and how much it looks like an ellipse.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

namespace nucreg {

struct Moments {
  double n = 0.0, x = 0.0, y = 0.0, xx = 0.0, xy = 0.0, yy = 0.0;

  void add(double px, double py) {
    n += 1.0;
    x += px;
    y += py;
    xx += px * px;
    xy += px * py;
    yy += py * py;
  }
  void add(const Moments& other) {
    n += other.n;
    x += other.x;
    y += other.y;
    xx += other.xx;
    xy += other.xy;
    yy += other.yy;
  }
  /// Area divided by that of the ellipse with the same second moments: 1 for an ellipse, 0.955 for
  /// a rectangle, 0.945 for half an ellipse, less for anything with a waist or a bay.
  [[nodiscard]] double ellipse_likeness() const {
    constexpr double pixel = 1.0 / 12.0;  // a pixel is a square, not a point
    const double a = xx / n - x / n * (x / n) + pixel, b = yy / n - y / n * (y / n) + pixel;
    const double c = xy / n - x / n * (y / n);
    return n / (4.0 * std::numbers::pi * std::sqrt(std::max(1e-12, a * b - c * c)));
  }
};

}  // namespace nucreg
