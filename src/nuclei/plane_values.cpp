#include "plane_values.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace nucreg {
namespace {

template <class T>
PlaneValues values_of(const PlaneView& plane) {
  const int width = static_cast<int>(plane.width_px), height = static_cast<int>(plane.height_px);
  const auto value = [&](int x, int y) {
    return static_cast<double>(
        plane.at<T>(static_cast<std::size_t>(x), static_cast<std::size_t>(y)));
  };
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const double v = value(x, y);
      if (!std::isfinite(v)) continue;
      low = std::min(low, v);
      high = std::max(high, v);
    }
  PlaneValues values;
  if (!(low < high)) return values;
  values.flat = false;
  values.lowest = low;
  values.unit = std::ldexp(1.0, std::ilogb(high - low));  // a power of two loses no bit
  if (!std::is_floating_point_v<T>) values.step = 1.0 / values.unit;
  values.numbers.create(height, width);
  const double scale = 1.0 / values.unit;
  for (int y = 0; y < height; ++y) {
    float* const row = values.numbers[y];
    for (int x = 0; x < width; ++x) {
      double v = value(x, y);
      if (std::is_floating_point_v<T>) v = std::isnan(v) ? low : std::clamp(v, low, high);
      row[x] = static_cast<float>((v - low) * scale);
    }
  }
  return values;
}

}  // namespace

PlaneValues plane_values(const PlaneView& plane) {
  switch (plane.type) {
    case PixelType::u8:
      return values_of<std::uint8_t>(plane);
    case PixelType::u16:
      return values_of<std::uint16_t>(plane);
    case PixelType::u32:
      return values_of<std::uint32_t>(plane);
    case PixelType::f32:
      return values_of<float>(plane);
  }
  return {};
}

}  // namespace nucreg
