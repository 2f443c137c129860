#include "basins.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <queue>
#include <span>
#include <tuple>
#include <vector>

namespace nucreg {
namespace {

constexpr int steps = 1 << 16;
constexpr std::array<std::array<std::ptrdiff_t, 2>, 8> neighbours{
    {{-1, -1}, {0, -1}, {1, -1}, {-1, 0}, {1, 0}, {-1, 1}, {0, 1}, {1, 1}}};
// Below it two nuclei side by side would pass for one.
constexpr double min_likeness = 0.95;

// Sets that are united; the root of a set stands for it.
class Sets {
 public:
  int add() {
    parent_.push_back(static_cast<int>(parent_.size()));
    return parent_.back();
  }
  int root(int i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void unite(int from, int into) { parent_[from] = into; }
  [[nodiscard]] std::size_t size() const { return parent_.size(); }

 private:
  std::vector<int> parent_;
};

struct Pixel {
  int x = 0, y = 0;
  int step = 0;  // of the relief, from the highest
};

// The pixels of the mask from the highest down; equal ones row by row. A counting sort.
std::vector<Pixel> from_high_to_low(const cv::Mat1f& relief, const cv::Mat1b& mask, double low,
                                    double high) {
  std::vector<Pixel> pixels;
  pixels.reserve(static_cast<std::size_t>(cv::countNonZero(mask)));
  std::vector<std::uint32_t> starts(steps + 1, 0);
  const double scale = high > low ? (steps - 1) / (high - low) : 0.0;
  for (int y = 0; y < mask.rows; ++y) {
    const std::uint8_t* const inside = mask[y];
    const float* const heights = relief[y];
    for (int x = 0; x < mask.cols; ++x)
      if (inside[x] != 0) {
        const int step = static_cast<int>((high - static_cast<double>(heights[x])) * scale);
        pixels.push_back({x, y, step});
        ++starts[step + 1];
      }
  }
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  std::vector<Pixel> sorted(pixels.size());
  for (const Pixel& pixel : pixels) sorted[starts[pixel.step]++] = pixel;
  return sorted;
}

// Numbers the roots 1 ... count and writes them over the labels.
void number_roots(Basins& basins, Sets& sets) {
  std::vector<int> number(sets.size(), 0);
  basins.count = 0;
  for (std::size_t i = 1; i < number.size(); ++i) {
    const int root = sets.root(static_cast<int>(i));
    if (number[root] == 0) number[root] = ++basins.count;
    number[i] = number[root];
  }
  for (int& label : basins.labels) label = number[label];
}

struct Basin {
  int peak_step = 0;
  double pixels = 0.0;
};

}  // namespace

Basins flood(const cv::Mat1f& relief, const cv::Mat1b& mask, double min_height, double min_pixels) {
  Basins result;
  double low = 0.0, high = 0.0;
  if (cv::countNonZero(mask) == 0) {
    result.labels = cv::Mat1i(mask.size(), 0);
    return result;
  }
  cv::minMaxLoc(relief, &low, &high, nullptr, nullptr, mask);
  const int min_steps =
      high > low ? static_cast<int>(std::min(1.0, min_height / (high - low)) * steps) : steps;
  // A frame of 0 around the image saves asking whether a neighbour is inside.
  cv::Mat1i framed(mask.rows + 2, mask.cols + 2, 0);
  const auto across = static_cast<std::ptrdiff_t>(framed.step1());
  const auto relief_across = static_cast<std::ptrdiff_t>(relief.step1());
  Sets sets;
  sets.add();  // 0 is no basin
  std::vector<Basin> basins(1);
  for (const Pixel& pixel : from_high_to_low(relief, mask, low, high)) {
    int* const here = &framed(pixel.y + 1, pixel.x + 1);
    const float* const relief_here = &relief(pixel.y, pixel.x);
    int into = 0;     // the neighbour with the highest peak, the first of equals
    int highest = 0;  // the neighbour that is highest itself
    float height = 0.0F;
    std::array<int, 8> others{};
    std::size_t count = 0;
    for (const auto& [dx, dy] : neighbours) {
      const int label = here[dy * across + dx];
      if (label == 0) continue;  // so the neighbour is inside
      const int basin = sets.root(label);
      const float its_height = relief_here[dy * relief_across + dx];
      if (highest == 0 || its_height > height) {
        highest = basin;
        height = its_height;
      }
      if (std::find(others.begin(), others.begin() + count, basin) != others.begin() + count)
        continue;
      others[count++] = basin;
      if (into == 0 || basins[basin].peak_step < basins[into].peak_step) into = basin;
    }
    if (count == 0) {
      *here = sets.add();
      basins.push_back({pixel.step, 1.0});
      continue;
    }
    for (const int basin : std::span(others.data(), count)) {
      if (basin == into) continue;
      const bool shallow = pixel.step - basins[basin].peak_step < min_steps;
      if (!shallow && basins[basin].pixels >= min_pixels) continue;
      sets.unite(basin, into);
      basins[into].pixels += basins[basin].pixels;
    }
    *here = sets.root(highest);
    basins[*here].pixels += 1.0;
  }
  result.labels = framed(cv::Rect(1, 1, mask.cols, mask.rows)).clone();
  number_roots(result, sets);
  return result;
}

void join_ellipses(Basins& basins, double max_pixels) {
  std::vector<PixelMoments> moments(static_cast<std::size_t>(basins.count) + 1);
  std::vector<std::vector<int>> touching(moments.size());
  const auto touch = [&](int a, int b) {
    if (a == b || a == 0 || b == 0) return;
    touching[a].push_back(b);
    touching[b].push_back(a);
  };
  const cv::Mat1i& labels = basins.labels;
  for (int y = 0; y < labels.rows; ++y)
    for (int x = 0; x < labels.cols; ++x) {
      const int label = labels(y, x);
      if (label == 0) continue;
      moments[label].add(x, y);
      if (x + 1 < labels.cols) touch(label, labels(y, x + 1));
      if (y + 1 < labels.rows) touch(label, labels(y + 1, x));
    }

  Sets sets;
  for (std::size_t i = 0; i < moments.size(); ++i) sets.add();
  std::vector<int> version(moments.size(), 0);
  struct Pair {
    double gain = 0.0;
    int a = 0, b = 0;  // a < b
    int version_a = 0, version_b = 0;
    // The greatest gain first, then the lowest numbers.
    bool operator<(const Pair& o) const {
      return std::tuple(gain, o.a, o.b) < std::tuple(o.gain, a, b);
    }
  };
  std::priority_queue<Pair> pairs;
  const auto consider = [&](int a, int b) {
    if (a > b) std::swap(a, b);
    PixelMoments both = moments[a];
    both.add(moments[b]);
    if (both.n > max_pixels) return;
    const double apart = (moments[a].n * moments[a].ellipse_likeness() +
                          moments[b].n * moments[b].ellipse_likeness()) /
                         both.n;
    const double gain = both.ellipse_likeness() - std::max(min_likeness, apart);
    if (gain > 0.0) pairs.push({gain, a, b, version[a], version[b]});
  };
  const auto forget_doubles = [](std::vector<int>& list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
  };
  for (int a = 1; a <= basins.count; ++a) {
    forget_doubles(touching[a]);
    for (const int b : touching[a])
      if (a < b) consider(a, b);
  }
  while (!pairs.empty()) {
    const Pair pair = pairs.top();
    pairs.pop();
    if (version[pair.a] != pair.version_a || version[pair.b] != pair.version_b) continue;
    const auto [gain, a, b, version_a, version_b] = pair;
    sets.unite(b, a);
    moments[a].add(moments[b]);
    ++version[a];
    version[b] = -1;  // gone
    touching[a].insert(touching[a].end(), touching[b].begin(), touching[b].end());
    touching[b] = {};
    for (int& other : touching[a]) other = sets.root(other);
    forget_doubles(touching[a]);
    for (const int other : touching[a])
      if (other != a) consider(a, other);
  }
  number_roots(basins, sets);
}

namespace {

// A nucleus is as bright as this part of its basin, in order; it ends at a little less than half,
// since blur takes from small ones.
constexpr double plateau = 0.8, edge = 0.45;
// The mean of a nucleus stands out by so many standard deviations of the mean of its pixels; the
// best of the blobs that a smoothed image of noise has come to half of that.
constexpr double min_significance = 10.0;

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
    const double least = part.at_border ? rules.min_pixels_at_border : rules.min_pixels;
    const double significance = part.brightness / std::sqrt(part.pixels);
    if (largest[part.label] == static_cast<int>(i) && part.pixels >= least &&
        significance > min_significance * rules.noise)
      number[i] = ++basins.count;
  }
  for (int y = 0; y < labels.rows; ++y)
    for (int x = 0; x < labels.cols; ++x) labels(y, x) = number[labels(y, x)];
}

}  // namespace nucreg
