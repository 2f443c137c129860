// An image as numbers, and what they say before any nucleus is known: noise, thresholds, the size
// of nuclei.
#pragma once

#include <opencv2/core.hpp>

#include "nucreg/image/image.hpp"

namespace nucreg {

/// value = lowest + unit * number; numbers are 0 ... 2, exact for 8 and 16 bits.
struct PlaneValues {
  cv::Mat1f numbers;
  double lowest = 0.0, unit = 1.0;
  double step = 0.0;  ///< between two values that differ, as a number; 0: real numbers, a mask
  bool flat = true;   ///< no two values differ
};

/// NaN becomes the lowest finite value, an infinity the lowest or highest.
[[nodiscard]] PlaneValues plane_values(const PlaneView& plane);

/// Diameter in px of the disk that is as large as a typical nucleus: the median, by diameter, of
/// the bright regions that look like one ellipse. `image` is finite; `noise` is the standard
/// deviation of a pixel. 0 if nothing stands out.
[[nodiscard]] double estimate_diameter(const cv::Mat1f& image, double noise);

/// Otsu's threshold ("A threshold selection method from gray-level histograms", 1979) of the
/// logarithm of value + offset, so that a few very bright objects do not hide the others. A sample
/// of the pixels is asked.
[[nodiscard]] double log_threshold(const cv::Mat1f& image, double offset);

/// Standard deviation of white noise, from the differences of neighbours: the median, since most
/// neighbours are on the same object or on none.
[[nodiscard]] double pixel_noise(const cv::Mat1f& image);

/// The part-th value in order (0.5: the median) of a sample of the pixels.
[[nodiscard]] double quantile(const cv::Mat1f& image, double part);

}  // namespace nucreg
