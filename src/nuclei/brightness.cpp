#include "brightness.hpp"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numbers>
#include <vector>

#include "basins.hpp"

namespace nucreg {
namespace {

// A row, packed: what follows is then done several pixels at a time.
template <class T>
void copy_row(const PlaneView& plane, std::size_t y, std::vector<T>& row) {
  const std::byte* from = plane.data + y * plane.row_bytes;
  if (plane.pixel_bytes == sizeof(T))
    std::memcpy(row.data(), from, row.size() * sizeof(T));
  else
    for (std::size_t x = 0; x < row.size(); ++x)
      std::memcpy(&row[x], from + x * plane.pixel_bytes, sizeof(T));
}

// Lowest and highest finite value; of none, the lower is the larger.
template <class T>
std::array<T, 2> range_of(const PlaneView& plane) {
  std::vector<T> row(plane.width_px);
  T low = std::numeric_limits<T>::max(), high = std::numeric_limits<T>::lowest();
  for (std::size_t y = 0; y < plane.height_px; ++y) {
    copy_row(plane, y, row);
    for (const T v : row) {
      if constexpr (std::is_floating_point_v<T>)
        if (!std::isfinite(v)) continue;
      low = v < low ? v : low;
      high = v > high ? v : high;
    }
  }
  return {low, high};
}

template <class T>
PlaneValues values_of(const PlaneView& plane) {
  PlaneValues values;
  const auto range = range_of<T>(plane);
  const T lowest = range[0], highest = range[1];
  if (!(lowest < highest)) return values;
  const auto low = static_cast<double>(lowest), high = static_cast<double>(highest);
  values.flat = false;
  values.lowest = low;
  values.unit = std::ldexp(1.0, std::ilogb(high - low));  // a power of two loses no bit
  values.numbers.create(static_cast<int>(plane.height_px), static_cast<int>(plane.width_px));
  const double scale = 1.0 / values.unit;
  bool two_values = true;
  std::vector<T> row(plane.width_px);
  for (std::size_t y = 0; y < plane.height_px; ++y) {
    copy_row(plane, y, row);
    two_values =
        two_values && std::ranges::all_of(row, [&](T v) { return v == lowest || v == highest; });
    float* const out = values.numbers[static_cast<int>(y)];
    for (std::size_t x = 0; x < row.size(); ++x) {
      auto v = static_cast<double>(row[x]);
      if constexpr (std::is_floating_point_v<T>) v = std::isnan(v) ? low : std::clamp(v, low, high);
      out[x] = static_cast<float>((v - low) * scale);
    }
  }
  // A mask is exact: its values stand for yes and no, and nothing was rounded.
  if (!std::is_floating_point_v<T> && !two_values) values.step = 1.0 / values.unit;
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

namespace {

constexpr double blob_smoothing_px = 1.0;
// What is left of white noise after that smoothing, and how far a nucleus must rise above it.
const double smoothed_noise = 1.0 / (2.0 * std::sqrt(std::numbers::pi) * blob_smoothing_px);
constexpr double min_contrast = 5.0;
constexpr double ellipse = 0.94;
constexpr double min_blob_pixels = 9.0;

// Some quarter of a million values show as much as all of them.
int sample_step(const cv::Mat1f& image) {
  constexpr double enough = 1 << 18;
  return std::max(2, static_cast<int>(std::sqrt(static_cast<double>(image.total()) / enough)));
}

std::vector<float> sample(const cv::Mat1f& image) {
  const int step = sample_step(image);
  std::vector<float> values;
  for (int y = 0; y < image.rows; y += step)
    for (int x = 0; x < image.cols; x += step) values.push_back(image(y, x));
  return values;
}

float nth(std::vector<float>& values, double part) {
  const auto n = static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + n, values.end());
  return values[static_cast<std::size_t>(n)];
}

}  // namespace

double quantile(const cv::Mat1f& image, double part) {
  std::vector<float> values = sample(image);
  return static_cast<double>(nth(values, part));
}

double pixel_noise(const cv::Mat1f& image) {
  if (image.cols < 2) return image.rows < 2 ? 0.0 : pixel_noise(cv::Mat1f(image.t()));
  const int step = sample_step(image);
  std::vector<float> differences;
  for (int y = 0; y < image.rows; y += step)
    for (int x = 1; x < image.cols; x += step)
      differences.push_back(std::abs(image(y, x) - image(y, x - 1)));
  constexpr double median_of_normal = 0.6745;  // of |x|, standard deviation 1
  return static_cast<double>(nth(differences, 0.5)) / (median_of_normal * std::numbers::sqrt2);
}

double log_threshold(const cv::Mat1f& image, double offset) {
  constexpr int bins = 512;
  std::vector<float> values = sample(image);
  for (float& value : values) value = std::log(std::max(0.0F, value) + static_cast<float>(offset));
  const auto [lowest, highest] = std::minmax_element(values.begin(), values.end());
  const double low = static_cast<double>(*lowest), high = static_cast<double>(*highest);
  if (!(high > low)) return std::exp(high) - offset;
  std::array<double, bins> histogram{};
  for (const float value : values)
    histogram[static_cast<std::size_t>(
        std::min(bins - 1.0, (static_cast<double>(value) - low) / (high - low) * bins))] += 1.0;
  double all = 0.0, below = 0.0, sum_below = 0.0, best = -1.0;
  for (int i = 0; i < bins; ++i) all += i * histogram[i];
  const auto n = static_cast<double>(values.size());
  int threshold = 0;
  for (int i = 0; i + 1 < bins; ++i) {
    below += histogram[i];
    sum_below += i * histogram[i];
    if (below == 0.0 || below == n) continue;
    const double apart = sum_below / below - (all - sum_below) / (n - below);
    const double variance = below * (n - below) * apart * apart;
    if (variance > best) {
      best = variance;
      threshold = i;
    }
  }
  return std::exp(low + (threshold + 1) * (high - low) / bins) - offset;
}

double estimate_diameter(const cv::Mat1f& image, double noise) {
  double low = 0.0, high = 0.0;
  cv::Mat1f smooth;
  cv::GaussianBlur(image, smooth, {}, blob_smoothing_px, blob_smoothing_px, cv::BORDER_REFLECT);
  cv::minMaxLoc(smooth, &low, &high);
  smooth -= low;
  const double background = quantile(smooth, 0.25);
  const double threshold = std::max(log_threshold(smooth, 0.02 * (high - low)),
                                    background + min_contrast * smoothed_noise * noise);
  cv::Mat1i regions;
  const int count = cv::connectedComponents(smooth > threshold, regions, 4, CV_32S);
  struct Region {
    PixelMoments moments;
    float brightest = 0.0F;
    double bright_pixels = 0.0;  // within half of that: without what blur adds
    bool cut = false;
  };
  std::vector<Region> all(static_cast<std::size_t>(count));
  const auto each_pixel = [&](auto&& visit) {
    for (int y = 0; y < regions.rows; ++y)
      for (int x = 0; x < regions.cols; ++x)
        if (const int region = regions(y, x); region != 0) visit(x, y, all[region], smooth(y, x));
  };
  each_pixel([&](int x, int y, Region& region, float value) {
    region.moments.add(x, y);
    region.brightest = std::max(region.brightest, value);
    if (x == 0 || y == 0 || x + 1 == regions.cols || y + 1 == regions.rows) region.cut = true;
  });
  const auto ground = static_cast<float>(background);
  each_pixel([&](int, int, Region& region, float value) {
    if (value - ground > 0.5F * (region.brightest - ground)) region.bright_pixels += 1.0;
  });
  std::vector<double> areas;
  const auto collect = [&](bool with_cut) {
    for (std::size_t i = 1; i < all.size(); ++i)
      if (all[i].moments.n >= min_blob_pixels && (with_cut || !all[i].cut) &&
          all[i].moments.ellipse_likeness() > ellipse)
        areas.push_back(all[i].bright_pixels);
  };
  collect(false);
  if (areas.empty()) collect(true);
  if (areas.empty()) return 0.0;
  std::sort(areas.begin(), areas.end());
  double half = 0.0;
  for (const double area : areas) half += std::sqrt(area) / 2.0;
  std::size_t middle = 0;
  while (middle + 1 < areas.size() && (half -= std::sqrt(areas[middle])) > 0.0) ++middle;
  return 2.0 * std::sqrt(areas[middle] / std::numbers::pi);
}

}  // namespace nucreg
