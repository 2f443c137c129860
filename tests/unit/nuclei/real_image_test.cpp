// Against labels that experts drew, and against the known maps between magnifications.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <utility>
#include <vector>

#include "nucreg/image/image.hpp"
#include "nucreg/nuclei/segment.hpp"
#include "support/spots.hpp"

using namespace nucreg;

namespace {

std::filesystem::path shared(const char* name) {
  const char* const folder = std::getenv("NUCREG_SHARED");
  return std::filesystem::path(folder ? folder : "../shared") / "data" / name;
}

bool is_there(const std::filesystem::path& file) {
  if (std::filesystem::exists(file)) return true;
  MESSAGE("skipped: no " << file.string());
  return false;
}

// 2 TP / (found + true); a pair counts where intersection over union is above a half, which no
// nucleus has with two others.
double f1_by_overlap(const LabelImage& found, const LabelImage& truth) {
  std::map<std::uint32_t, double> area_found, area_true;
  std::map<std::pair<std::uint32_t, std::uint32_t>, double> common;
  for (std::size_t i = 0; i < truth.labels.size(); ++i) {
    const std::uint32_t f = found.labels[i], t = truth.labels[i];
    if (f != 0) area_found[f] += 1.0;
    if (t != 0) area_true[t] += 1.0;
    if (f != 0 && t != 0) common[{f, t}] += 1.0;
  }
  double both = 0.0;
  for (const auto& [pair, pixels] : common)
    both += pixels > 0.5 * (area_found[pair.first] + area_true[pair.second] - pixels);
  return 2.0 * both / static_cast<double>(area_found.size() + area_true.size());
}

Segmentation segment_file(const std::filesystem::path& file) {
  const Plane plane = open_image(file)->read(0, 0);
  return segment(plane.view());
}

}  // namespace

TEST_CASE("nuclei that experts have drawn") {
  const auto image = shared("nuclei/dsb_img.tif"), drawn = shared("nuclei/dsb_labels.tif");
  if (!is_there(image) || !is_there(drawn)) return;
  const Segmentation found = segment_file(image);
  const LabelImage truth = read_label_tiff(drawn);
  Spots centres;
  for (const Nucleus& nucleus : centroids(truth, drawn.string())) {
    centres.x.push_back(nucleus.x_px);
    centres.y.push_back(nucleus.y_px);
  }
  CHECK(f1_by_overlap(found.labels, truth) >= 0.88);
  CHECK(f1_by_distance({found.nuclei.x_px, found.nuclei.y_px}, centres, 4.0) >= 0.90);
}

// The maps are those of truth.json.
TEST_CASE("the same nuclei at 10x and at 40x") {
  const std::array<std::array<double, 6>, 2> maps{
      {{3.999817763323821, -0.11681735523967843, -499.14439325116086, 0.11670616148512981,
        3.9960104972399275, -496.3761834350925},
       {4.003624495030652, -0.0883150450649883, -77.75202500278245, 0.0884008701167616,
        4.007515239572695, -931.9392551431025}}};
  if (!is_there(shared("pairs/human/10x.tif"))) return;
  const Segmentation ten = segment_file(shared("pairs/human/10x.tif"));
  for (std::size_t tile = 0; tile < maps.size(); ++tile) {
    CAPTURE(tile);
    const Segmentation forty =
        segment_file(shared(tile == 0 ? "pairs/human/40x_0.tif" : "pairs/human/40x_1.tif"));
    CHECK(forty.diameter_px / ten.diameter_px == doctest::Approx(4.0).epsilon(0.15));
    Spots mapped, found;
    const auto keep = [](Spots& spots, double x, double y) {
      if (std::min(x, y) < 20.0 || std::max(x, y) > 1003.0) return;  // cut at the edge
      spots.x.push_back(x);
      spots.y.push_back(y);
    };
    const auto& [a, b, tx, c, d, ty] = maps[tile];
    for (std::size_t i = 0; i < ten.nuclei.size(); ++i) {
      const double x = ten.nuclei.x_px[i], y = ten.nuclei.y_px[i];
      keep(mapped, a * x + b * y + tx, c * x + d * y + ty);
    }
    for (std::size_t i = 0; i < forty.nuclei.size(); ++i)
      keep(found, forty.nuclei.x_px[i], forty.nuclei.y_px[i]);
    CHECK(found.x.size() > 40);
    CHECK(f1_by_distance(mapped, found, 12.0) >= 0.95);
  }
}
