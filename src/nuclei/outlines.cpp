#include "outlines.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace nucreg {
namespace {

// A nucleus is as bright as this part of its basin, in order; it ends at a little less than half,
// since blur takes from small ones.
constexpr double plateau = 0.8, edge = 0.45;
// The mean of a nucleus stands out by so many standard deviations of the mean of its pixels; the
// best of the blobs that a smoothed image of noise has come to half of that.
constexpr double least_significance = 10.0;

// The brightness at which each basin ends.
std::vector<float> edge_levels(const Basins& basins, const cv::Mat1f& brightness) {
  std::vector<std::size_t> starts(static_cast<std::size_t>(basins.count) + 2, 0);
  for (int y = 0; y < brightness.rows; ++y)
    for (int x = 0; x < brightness.cols; ++x) ++starts[basins.labels(y, x) + 1];
  starts[1] = 0;  // the background is not asked
  for (std::size_t i = 1; i < starts.size(); ++i) starts[i] += starts[i - 1];
  std::vector<float> values(starts.back());
  std::vector<std::size_t> next(starts.begin(), starts.end() - 1);
  for (int y = 0; y < brightness.rows; ++y)
    for (int x = 0; x < brightness.cols; ++x)
      if (const int label = basins.labels(y, x); label != 0)
        values[next[label]++] = brightness(y, x);
  std::vector<float> levels(static_cast<std::size_t>(basins.count) + 1, 0.0F);
  for (std::size_t label = 1; label < levels.size(); ++label) {
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(starts[label]);
    const auto last = values.begin() + static_cast<std::ptrdiff_t>(starts[label + 1]);
    const auto at =
        first + static_cast<std::ptrdiff_t>(plateau * static_cast<double>(last - first - 1));
    std::nth_element(first, at, last);
    levels[label] = static_cast<float>(edge) * *at;
  }
  return levels;
}

struct Part {
  int label = 0;
  double pixels = 0.0, brightness = 0.0;
  bool at_border = false;
};

// Connected pixels of one label; `parts` gets one entry each, in order of their first pixels, and
// the labels become numbers of parts, from 1.
std::vector<Part> split_into_parts(cv::Mat1i& labels, const cv::Mat1f& brightness) {
  std::vector<Part> parts(1);
  cv::Mat1i numbers(labels.size(), 0);
  std::vector<cv::Point> open;
  for (int y0 = 0; y0 < labels.rows; ++y0)
    for (int x0 = 0; x0 < labels.cols; ++x0) {
      const int label = labels(y0, x0);
      if (label == 0 || numbers(y0, x0) != 0) continue;
      const int number = static_cast<int>(parts.size());
      Part part{label};
      const auto visit = [&](int x, int y) {
        if (labels(y, x) != label || numbers(y, x) != 0) return;
        numbers(y, x) = number;
        open.emplace_back(x, y);
      };
      visit(x0, y0);
      while (!open.empty()) {
        const auto [x, y] = open.back();
        open.pop_back();
        part.pixels += 1.0;
        part.brightness += static_cast<double>(brightness(y, x));
        if (x > 0) visit(x - 1, y);
        if (y > 0) visit(x, y - 1);
        if (x + 1 < labels.cols) visit(x + 1, y);
        if (y + 1 < labels.rows) visit(x, y + 1);
        if (x == 0 || y == 0 || x + 1 == labels.cols || y + 1 == labels.rows) part.at_border = true;
      }
      parts.push_back(part);
    }
  labels = numbers;
  return parts;
}

}  // namespace

void cut_outlines(Basins& basins, const cv::Mat1f& brightness, const OutlineRules& rules) {
  cv::Mat1i& labels = basins.labels;
  const std::vector<float> levels = edge_levels(basins, brightness);
  for (int y = 0; y < labels.rows; ++y)
    for (int x = 0; x < labels.cols; ++x)
      if (brightness(y, x) <= levels[labels(y, x)]) labels(y, x) = 0;

  const std::vector<Part> parts = split_into_parts(labels, brightness);
  std::vector<int> largest(static_cast<std::size_t>(basins.count) + 1, 0);
  for (std::size_t i = 1; i < parts.size(); ++i)
    if (parts[i].pixels > parts[largest[parts[i].label]].pixels)
      largest[parts[i].label] = static_cast<int>(i);

  std::vector<int> number(parts.size(), 0);
  basins.count = 0;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const Part& part = parts[i];
    const double least = part.at_border ? rules.least_pixels_at_border : rules.least_pixels;
    const double significance = part.brightness / std::sqrt(part.pixels);
    if (largest[part.label] == static_cast<int>(i) && part.pixels >= least &&
        significance > least_significance * rules.noise)
      number[i] = ++basins.count;
  }
  for (int y = 0; y < labels.rows; ++y)
    for (int x = 0; x < labels.cols; ++x) labels(y, x) = number[labels(y, x)];
}

}  // namespace nucreg
