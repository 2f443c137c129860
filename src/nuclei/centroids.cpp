#include "nucreg/nuclei/segment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "nucreg/core/error.hpp"

namespace nucreg {
namespace {

// Nuclei touch but hardly overlap: their boxes together seldom cover the image once.
constexpr double max_cover_by_boxes = 3.0;
// Many values with hardly more than a pixel each are noise of many bits.
constexpr std::size_t many = 100;
constexpr double min_mean_pixels = 1.5;

// A nucleus hangs together; a few do not where labels were made smaller. Levels of brightness, such
// as those of a mask or of a saturated picture, have a piece in every nucleus.
constexpr double max_pieces = 3.0;

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

// What the image holds by rising label. Labels up to 16 bits, which are most, are counted in a
// table.
struct RegionsOf {
  std::map<std::uint32_t, Region> regions;
  bool background = false;

  explicit RegionsOf(const LabelImage& image) {
    constexpr std::uint32_t in_table = 1 << 16;
    std::vector<Region> table(in_table);
    const std::uint32_t* label = image.labels.data();
    for (std::uint32_t y = 0; y < image.height; ++y)
      for (std::uint32_t x = 0; x < image.width; ++x, ++label)
        (*label < in_table ? table[*label] : regions[*label]).add(x, y);
    background = table[0].pixels > 0;
    for (std::uint32_t k = in_table - 1; k > 0; --k)
      if (table[k].pixels > 0) regions.emplace_hint(regions.begin(), k, table[k]);
  }
};

// Pieces of equal labels, through sides and corners. Runs of a row are joined to those above.
std::size_t count_pieces(const LabelImage& image) {
  struct Run {
    std::uint32_t label, first, last;
  };
  std::vector<std::uint32_t> parent;  // of every run so far
  const auto root = [&](std::uint32_t run) {
    while (parent[run] != run) run = parent[run] = parent[parent[run]];
    return run;
  };
  std::size_t pieces = 0;
  std::vector<Run> above, here;
  for (std::uint32_t y = 0; y < image.height; ++y) {
    const std::uint32_t* const row = image.labels.data() + std::size_t{y} * image.width;
    here.clear();
    for (std::uint32_t x = 0; x < image.width; ++x) {
      if (row[x] == 0) continue;
      if (x > 0 && row[x] == row[x - 1])
        here.back().last = x;
      else
        here.push_back({row[x], x, x});
    }
    const auto first_above = static_cast<std::uint32_t>(parent.size() - above.size());
    std::size_t up = 0;
    for (const Run& run : here) {
      const auto number = static_cast<std::uint32_t>(parent.size());
      parent.push_back(number);
      ++pieces;
      while (up < above.size() && above[up].last + 1 < run.first) ++up;
      for (std::size_t i = up; i < above.size() && above[i].first <= run.last + 1; ++i) {
        if (above[i].label != run.label) continue;
        const std::uint32_t a = root(first_above + static_cast<std::uint32_t>(i)), b = root(number);
        if (a == b) continue;
        parent[b] = a;
        --pieces;
      }
    }
    above.swap(here);
  }
  return pieces;
}

}  // namespace

std::vector<Nucleus> centroids(const LabelImage& image, const std::string& file) {
  const auto refuse = [&](const std::string& reason) {
    throw InputError("no label image: " + reason,
                     {.file = file, .allowed = "0 = background, k = the pixels of nucleus k"});
  };
  const RegionsOf found(image);
  const std::map<std::uint32_t, Region>& regions = found.regions;
  if (regions.size() == 1)
    refuse(fmt::format("a mask, or one nucleus: every pixel is 0 or {}", regions.begin()->first));
  if (regions.empty())
    throw InputError("no nuclei", {.file = file, .allowed = "a nucleus, whose pixels are not 0"});
  if (!found.background) refuse("no pixel is background");
  double boxes = 0.0, pixels = 0.0;
  for (const auto& [label, region] : regions) {
    boxes += region.box_area();
    pixels += static_cast<double>(region.pixels);
  }
  const double cover = boxes / (static_cast<double>(image.width) * image.height);
  if (cover > max_cover_by_boxes)
    refuse(
        fmt::format("its {} values are scattered over the image like intensities", regions.size()));
  if (regions.size() >= many && pixels < min_mean_pixels * static_cast<double>(regions.size()))
    refuse(fmt::format("its {} values have {:.1f} pixels each", regions.size(),
                       pixels / static_cast<double>(regions.size())));
  if (const std::size_t pieces = count_pieces(image);
      static_cast<double>(pieces) > max_pieces * static_cast<double>(regions.size()))
    refuse(fmt::format("its {} values are levels, not nuclei: they lie in {} pieces",
                       regions.size(), pieces));
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
