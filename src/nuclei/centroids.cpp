#include "nucreg/nuclei/centroids.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "nucreg/core/error.hpp"

namespace nucreg {
namespace {

// Nuclei touch but hardly overlap: their boxes together seldom cover the image once.
constexpr double most_cover_by_boxes = 3.0;
// Many values with hardly more than a pixel each are noise of many bits.
constexpr std::size_t many = 100;
constexpr double least_pixels = 1.5;

struct Region {
  std::uint64_t pixels = 0, sum_x = 0, sum_y = 0;
  std::uint32_t left = std::numeric_limits<std::uint32_t>::max(), right = 0;
  std::uint32_t top = std::numeric_limits<std::uint32_t>::max(), bottom = 0;

  void add(std::uint32_t x, std::uint32_t y) {
    ++pixels;
    sum_x += x;
    sum_y += y;
    left = std::min(left, x);
    right = std::max(right, x);
    top = std::min(top, y);
    bottom = std::max(bottom, y);
  }
  [[nodiscard]] double box_area() const { return (1.0 + right - left) * (1.0 + bottom - top); }
};

}  // namespace

std::vector<Nucleus> centroids(const LabelImage& image, const std::string& file) {
  const auto refuse = [&](const std::string& reason) {
    throw InputError("no label image: " + reason,
                     {.file = file, .allowed = "0 = background, k = the pixels of nucleus k"});
  };
  std::map<std::uint32_t, Region> regions;
  bool background = false;
  for (std::uint32_t y = 0; y < image.height; ++y)
    for (std::uint32_t x = 0; x < image.width; ++x) {
      const std::uint32_t label = image.labels[std::size_t{y} * image.width + x];
      if (label == 0)
        background = true;
      else
        regions[label].add(x, y);
    }
  if (regions.size() < 2) refuse(fmt::format("{} nuclei", regions.size()));
  if (!background) refuse("no pixel is background");
  double boxes = 0.0, pixels = 0.0;
  for (const auto& [label, region] : regions) {
    boxes += region.box_area();
    pixels += static_cast<double>(region.pixels);
  }
  const double cover = boxes / (static_cast<double>(image.width) * image.height);
  if (cover > most_cover_by_boxes)
    refuse(
        fmt::format("its {} values are scattered over the image like intensities", regions.size()));
  if (regions.size() >= many && pixels < least_pixels * static_cast<double>(regions.size()))
    refuse(fmt::format("its {} values have {:.1f} pixels each", regions.size(),
                       pixels / static_cast<double>(regions.size())));
  std::vector<Nucleus> nuclei;
  nuclei.reserve(regions.size());
  for (const auto& [label, r] : regions) {
    const auto n = static_cast<double>(r.pixels);
    nuclei.push_back(
        {label, static_cast<double>(r.sum_x) / n, static_cast<double>(r.sum_y) / n, n});
  }
  return nuclei;
}

}  // namespace nucreg
