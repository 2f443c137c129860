// A plane of any type as numbers that OpenCV works with.
#pragma once

#include <opencv2/core.hpp>

#include "nucreg/image/image.hpp"

namespace nucreg {

/// value = lowest + unit * number; numbers are 0 ... 2, exact for 8 and 16 bits.
struct PlaneValues {
  cv::Mat1f numbers;
  double lowest = 0.0, unit = 1.0;
  double step = 0.0;  ///< between two values that can be told apart, as a number; 0 = real numbers
  bool flat = true;   ///< no two values differ
};

/// NaN becomes the lowest finite value, an infinity the lowest or highest.
[[nodiscard]] PlaneValues plane_values(const PlaneView& plane);

}  // namespace nucreg
