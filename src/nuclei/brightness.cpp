#include "brightness.hpp"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <utility>
#include <vector>

#include "basins.hpp"

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

namespace {

constexpr double blob_smoothing_px = 1.0;
// Of what is left of white noise after that smoothing, and how far a nucleus must rise above it.
const double smoothed_noise = 1.0 / (2.0 * std::sqrt(std::numbers::pi) * blob_smoothing_px);
constexpr double least_contrast = 5.0;
constexpr double ellipse = 0.94;
constexpr double min_blob_pixels = 9.0;

// Some quarter of a million values tell as much as all of them.
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
                                    background + least_contrast * smoothed_noise * noise);
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
