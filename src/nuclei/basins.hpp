// Watershed: each maximum of a relief gets the pixels that drain to it; what of that is a nucleus.
#pragma once

#include <opencv2/core.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace nucreg {

/// The moments of a set of pixels, and how much it looks like an ellipse.
struct PixelMoments {
  double n = 0.0, x = 0.0, y = 0.0, xx = 0.0, xy = 0.0, yy = 0.0;

  void add(double px, double py) {
    n += 1.0;
    x += px;
    y += py;
    xx += px * px;
    xy += px * py;
    yy += py * py;
  }
  void add(const PixelMoments& other) {
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

struct Basins {
  cv::Mat1i labels;  ///< 0 = outside the mask, k = basin k; numbers in no order
  int count = 0;
};

/// Floods `relief` from its maxima down within `mask`. Two basins that meet become one where the
/// lower peak stands less than `min_height` above the pass or is smaller than `min_pixels`
/// there. Linear in the pixels; `relief` is looked at in 2^16 steps.
[[nodiscard]] Basins flood(const cv::Mat1f& relief, const cv::Mat1b& mask, double min_height,
                           double min_pixels);

/// Joins basins that touch where both together look more like one ellipse of at most `max_pixels`
/// than each alone does.
void join_ellipses(Basins& basins, double max_pixels);

struct OutlineRules {
  double min_pixels = 0.0;            ///< of a nucleus
  double min_pixels_at_border = 0.0;  ///< of one that the edge of the image cuts
  double noise = 0.0;                 ///< standard deviation of a pixel
};

/// Cuts each basin back to its largest connected part brighter than half of what the nucleus is,
/// and drops what is too small or within what noise alone makes. `brightness` is above background.
/// Numbers what is left 1 ... count in order of its first pixel, row by row.
void cut_outlines(Basins& basins, const cv::Mat1f& brightness, const OutlineRules& rules);

}  // namespace nucreg
