#include "nucreg/nuclei/segment.hpp"

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <new>
#include <numbers>

#include "basins.hpp"
#include "brightness.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/terms.hpp"

namespace nucreg {
namespace {

constexpr std::uint64_t max_image_pixels = std::uint64_t{1} << 30;
// Larger nuclei are looked for in an image made smaller by a whole number.
constexpr double working_diameter_px = 16.0;
constexpr std::size_t large_image = std::size_t{1} << 21;  // pixels
constexpr double large_diameter_px = 24.0;

// In diameters of a nucleus.
constexpr double smoothing = 0.054, min_smoothing_px = 0.7;
constexpr double block = 0.18;                 // of the coarse grid
constexpr double opening = 1.6;                // half a window that reaches past every nucleus
constexpr double narrow = 0.086, wide = 0.45;  // of the difference of Gaussians
constexpr double depth_smoothing = 0.065;
// In squares of the diameter.
constexpr double min_basin = 0.0115, min_nucleus = 0.07, min_nucleus_at_border = 0.03;
constexpr double max_joined = 1.85 * std::numbers::pi / 4.0;
// In brightness of a typical nucleus: above `bend` the logarithm counts.
constexpr double bend = 0.6, dimmest = 0.2;
// Local contrast after that: nuclei are within `outer`; `inner` shows their waists better.
constexpr double outer = 0.12, inner = 0.2;
// The relief is local contrast and depth within the inner outline, in diameters.
constexpr double depth_weight = 2.8, min_height = 0.01;
// In standard deviations of what smoothing leaves of the noise.
constexpr double min_above_noise = 3.0;
// Values are rounded: less noise than that of rounding cannot be seen.
constexpr double rounding_noise = 0.29;
// The opening takes low noise for background; so much lower, in deviations of a block.
constexpr double opening_bias = 2.0;

cv::Mat1f blurred(const cv::Mat1f& image, double sigma_px) {
  cv::Mat1f result;
  cv::GaussianBlur(image, result, {}, sigma_px, sigma_px, cv::BORDER_REFLECT);
  return result;
}

// Means of blocks of `factor` x `factor`, the last ones filled up by their edge.
cv::Mat1f reduced(const cv::Mat1f& image, int factor) {
  if (factor == 1) return image;
  const auto missing = [&](int size) { return (factor - size % factor) % factor; };
  const int rows = missing(image.rows), columns = missing(image.cols);
  cv::Mat1f whole = image, result;
  if (rows > 0 || columns > 0)
    cv::copyMakeBorder(image, whole, 0, rows, 0, columns, cv::BORDER_REPLICATE);
  cv::resize(whole, result, {whole.cols / factor, whole.rows / factor}, 0, 0, cv::INTER_AREA);
  return result;
}

// On a grid of blocks, where wide filters are cheap.
class Coarse {
 public:
  Coarse(cv::Size size, double diameter_px)
      : size_(size), block_px_(std::max(1, static_cast<int>(std::lround(block * diameter_px)))) {}

  [[nodiscard]] int block_px() const { return block_px_; }
  [[nodiscard]] cv::Mat1f down(const cv::Mat1f& image) const {
    cv::Mat1f result;
    const auto blocks = [&](int pixels) { return (pixels + block_px_ - 1) / block_px_; };
    cv::resize(image, result, {blocks(size_.width), blocks(size_.height)}, 0, 0, cv::INTER_AREA);
    return result;
  }
  [[nodiscard]] cv::Mat1f up(const cv::Mat1f& image) const {
    cv::Mat1f result;
    cv::resize(image, result, size_, 0, 0, cv::INTER_LINEAR);
    return result;
  }

 private:
  cv::Size size_;
  int block_px_;
};

// What lies under the nuclei: the largest values that a window without any nucleus holds.
cv::Mat1f background_of(const cv::Mat1f& smooth, const Coarse& coarse, double diameter_px,
                        double noise) {
  cv::Mat1f low = coarse.down(smooth);
  const int half = static_cast<int>(std::lround(opening * diameter_px / coarse.block_px()));
  cv::morphologyEx(low, low, cv::MORPH_OPEN,
                   cv::getStructuringElement(cv::MORPH_RECT, {2 * half + 1, 2 * half + 1}),
                   {-1, -1}, 1, cv::BORDER_REFLECT);
  low += opening_bias * noise / coarse.block_px();
  return coarse.up(blurred(low, diameter_px / coarse.block_px()));
}

// Brightness of a typical nucleus.
double typical_brightness(const cv::Mat1f& above, double noise_left) {
  double low = 0.0, high = 0.0;
  cv::minMaxLoc(above, &low, &high);
  if (high <= 0.0) return 1.0;  // nothing is above the background: any number does
  const double threshold = log_threshold(above, 0.01 * high);
  cv::Mat1f bright = above.clone();
  bright.setTo(0.0, above <= threshold);
  const double part = 1.0 - static_cast<double>(cv::countNonZero(bright)) /
                                (2.0 * static_cast<double>(above.total()));
  return std::max(quantile(above, part), 2.0 * min_above_noise * noise_left);
}

// Linear in the dark, logarithmic above, so that a bright nucleus does not outshine its neighbours.
cv::Mat1f bent(const cv::Mat1f& above, double from) {
  cv::Mat1f positive, result;
  cv::max(above, 0.0, positive);
  cv::log(positive / from + 1.0, result);
  return cv::Mat1f(result + (above - positive) / from);
}

struct Found {
  Basins basins;
  cv::Mat1f background;
};

Found nuclei_of(const cv::Mat1f& image, double diameter_px, double noise) {
  const double sigma_px = std::max(min_smoothing_px, smoothing * diameter_px);
  const double noise_left = noise / (2.0 * std::sqrt(std::numbers::pi) * sigma_px);
  const double square = diameter_px * diameter_px;
  const cv::Mat1f smooth = blurred(image, sigma_px);
  const Coarse coarse(image.size(), diameter_px);
  Found found{.background = background_of(smooth, coarse, diameter_px, noise)};
  const cv::Mat1f above(smooth - found.background);
  const double typical = typical_brightness(above, noise_left);

  const cv::Mat1f scaled = bent(above, bend * typical);
  const cv::Mat1f around =
      coarse.up(blurred(coarse.down(scaled), wide * diameter_px / coarse.block_px()));
  const cv::Mat1f contrast(scaled - around);
  const cv::Mat1b bright(above > std::max(dimmest * typical, min_above_noise * noise_left));
  cv::Mat1f depth;
  cv::distanceTransform((contrast > inner) & bright, depth, cv::DIST_L2, 5);
  const cv::Mat1f relief(blurred(scaled, narrow * diameter_px) - around +
                         blurred(depth, depth_smoothing * diameter_px) *
                             (depth_weight / diameter_px));
  found.basins =
      flood(relief, cv::Mat1b((contrast > outer) & bright), min_height, min_basin * square);
  join_ellipses(found.basins, max_joined * square);
  cut_outlines(found.basins, above,
               {.min_pixels = min_nucleus * square,
                .min_pixels_at_border = min_nucleus_at_border * square,
                .noise = noise});
  return found;
}

// Labels at full size, and what is measured on them.
void measure(const PlaneValues& values, const Found& found, int factor, Segmentation& result) {
  const cv::Mat1f& image = values.numbers;
  const auto count = static_cast<std::size_t>(found.basins.count);
  struct Sums {
    double n = 0.0, value = 0.0, x = 0.0, y = 0.0;
    double weight = 0.0, weighted_x = 0.0, weighted_y = 0.0;
  };
  std::vector<Sums> sums(count);
  Nuclei& nuclei = result.nuclei;
  nuclei.touches_border.assign(count, false);
  for (int y = 0; y < image.rows; ++y)
    for (int x = 0; x < image.cols; ++x) {
      const int label = found.basins.labels(y / factor, x / factor);
      if (label == 0) continue;
      result.labels.labels[static_cast<std::size_t>(y) * image.cols + x] =
          static_cast<std::uint32_t>(label);
      const auto value = static_cast<double>(image(y, x));
      const double weight =
          std::max(0.0, value - static_cast<double>(found.background(y / factor, x / factor)));
      Sums& s = sums[static_cast<std::size_t>(label) - 1];
      s.n += 1.0;
      s.value += value;
      s.x += x;
      s.y += y;
      s.weight += weight;
      s.weighted_x += weight * x;
      s.weighted_y += weight * y;
      if (x == 0 || y == 0 || x + 1 == image.cols || y + 1 == image.rows)
        nuclei.touches_border[static_cast<std::size_t>(label) - 1] = true;
    }
  for (const Sums& s : sums) {
    const bool weighted = s.weight > 0.0;
    nuclei.x_px.push_back(weighted ? s.weighted_x / s.weight : s.x / s.n);
    nuclei.y_px.push_back(weighted ? s.weighted_y / s.weight : s.y / s.n);
    nuclei.area_px.push_back(s.n);
    nuclei.mean_intensity.push_back(values.lowest + values.unit * s.value / s.n);
  }
}

double noise_of(const cv::Mat1f& image, double step) {
  return std::max(pixel_noise(image), rounding_noise * step);
}

// In a large image nuclei are first looked for at half its resolution, where it costs a quarter.
// Small ones need all of it.
double typical_diameter(const PlaneValues& values) {
  if (values.numbers.total() >= large_image) {
    const cv::Mat1f half = reduced(values.numbers, 2);
    const double diameter_px = 2.0 * estimate_diameter(half, noise_of(half, values.step / 2.0));
    if (diameter_px >= large_diameter_px) return diameter_px;
  }
  return estimate_diameter(values.numbers, noise_of(values.numbers, values.step));
}

Segmentation found_in(const PlaneView& image, const SegmentOptions& options) {
  if (options.diameter_px &&
      !(*options.diameter_px >= min_diameter_px && *options.diameter_px <= max_diameter_px))
    throw JobError(fmt::format("{} is out of range", *options.diameter_px),
                   {.key = "diameter",
                    .allowed = fmt::format("{} ... {} px", min_diameter_px, max_diameter_px)});
  if (image.width_px > 0 && image.height_px > max_image_pixels / image.width_px)
    throw InputError(fmt::format("{} x {} pixels", image.width_px, image.height_px),
                     {.allowed = "at most 2^30 pixels"});
  Segmentation result;
  result.labels.width = static_cast<std::uint32_t>(image.width_px);
  result.labels.height = static_cast<std::uint32_t>(image.height_px);
  result.labels.labels.assign(image.width_px * image.height_px, 0);
  const PlaneValues values = plane_values(image);
  result.one_value = values.flat;
  if (values.flat) return result;
  result.diameter_px = options.diameter_px ? *options.diameter_px : typical_diameter(values);
  if (result.diameter_px == 0.0) return result;
  result.diameter_px = std::clamp(result.diameter_px, min_diameter_px, max_diameter_px);
  const int factor = std::max(1, static_cast<int>(result.diameter_px / working_diameter_px));
  const cv::Mat1f working = reduced(values.numbers, factor);
  const Found found =
      nuclei_of(working, result.diameter_px / factor, noise_of(working, values.step / factor));
  measure(values, found, factor, result);
  return result;
}

}  // namespace

void use_one_image_thread() {
  cv::setNumThreads(1);
}

Segmentation segment(const PlaneView& image, const SegmentOptions& options) {
  try {
    return found_in(image, options);
  } catch (const cv::Exception& e) {
    // OpenCV has an exception of its own for that.
    if (e.code == cv::Error::StsNoMem) throw std::bad_alloc();
    throw;
  }
}

namespace {

constexpr double darkest = 0.01, brightest = 0.997;
constexpr std::array<std::uint8_t, 3> outline{255, 110, 0};
constexpr std::size_t max_overlay_pixels = std::size_t{1} << 25;  // what a viewer opens at once

// Brightened in the dark.
std::uint8_t grey(double value) {
  return static_cast<std::uint8_t>(255.0 * std::sqrt(std::clamp(value, 0.0, 1.0)));
}

}  // namespace

std::size_t overlay_factor(std::size_t width_px, std::size_t height_px) {
  std::size_t factor = 1;
  while ((width_px + factor - 1) / factor >
         max_overlay_pixels / ((height_px + factor - 1) / factor))
    ++factor;
  return factor;
}

RgbPicture overlay(const PlaneView& image, const LabelImage& labels) {
  const std::size_t width = image.width_px, height = image.height_px;
  if (width == 0 || height == 0) return {};
  const std::size_t factor = overlay_factor(width, height);
  RgbPicture picture{.width_px = (width + factor - 1) / factor,
                     .height_px = (height + factor - 1) / factor};
  picture.values.assign(3 * picture.width_px * picture.height_px, 0);
  const PlaneValues values = plane_values(image);
  double low = 0.0, range = 0.0;
  if (!values.flat) {
    low = quantile(values.numbers, darkest);
    range = quantile(values.numbers, brightest) - low;
  }
  const auto label = [&](std::size_t x, std::size_t y) { return labels.labels[y * width + x]; };
  const auto is_edge = [&](std::size_t x, std::size_t y) {
    const std::uint32_t own = label(x, y);
    return own != 0 && ((x > 0 && label(x - 1, y) != own) || (y > 0 && label(x, y - 1) != own) ||
                        (x + 1 < width && label(x + 1, y) != own) ||
                        (y + 1 < height && label(x, y + 1) != own));
  };
  auto out = picture.values.begin();
  for (std::size_t top = 0; top < height; top += factor)
    for (std::size_t left = 0; left < width; left += factor, out += 3) {
      // A block of the image, of one pixel in most.
      bool outlined = false;
      double sum = 0.0, pixels = 0.0;
      for (std::size_t y = top; y < std::min(top + factor, height); ++y)
        for (std::size_t x = left; x < std::min(left + factor, width); ++x) {
          outlined = outlined || is_edge(x, y);
          if (range > 0.0)
            sum += static_cast<double>(values.numbers(static_cast<int>(y), static_cast<int>(x)));
          pixels += 1.0;
        }
      if (outlined)
        std::copy(outline.begin(), outline.end(), out);
      else if (range > 0.0)
        std::fill_n(out, 3, grey((sum / pixels - low) / range));
    }
  return picture;
}

}  // namespace nucreg
