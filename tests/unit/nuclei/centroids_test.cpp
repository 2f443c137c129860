#include "nucreg/nuclei/segment.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "nucreg/core/error.hpp"

using namespace nucreg;

namespace {

LabelImage image_of(std::uint32_t width, std::vector<std::uint32_t> labels) {
  const auto height = static_cast<std::uint32_t>(labels.size() / width);
  return {width, height, std::move(labels)};
}

void check_refused(const LabelImage& image, const std::string& part) {
  try {
    static_cast<void>(centroids(image, "some.tif"));
    FAIL("was taken for labels");
  } catch (const InputError& error) {
    CAPTURE(std::string(error.what()));
    CHECK(error.fields().file == "some.tif");
    CHECK(error.problem().find("no label image") != std::string::npos);
    CHECK(error.problem().find(part) != std::string::npos);
    CHECK(!error.fields().allowed.empty());
  }
}

std::filesystem::path data() {
  const char* shared = std::getenv("NUCREG_SHARED");
  return shared ? std::filesystem::path(shared) / "data" : std::filesystem::path();
}

bool absent(const std::filesystem::path& file) {
  if (std::filesystem::exists(file)) return false;
  MESSAGE("skipped: no " << file.string());
  return true;
}

}  // namespace

TEST_CASE("centroids and areas are those worked out by hand") {
  const auto nuclei = centroids(image_of(6, {0, 9, 9, 0, 0, 4,  //
                                             0, 9, 9, 0, 0, 4,  //
                                             0, 0, 0, 0, 0, 4,  //
                                             7, 0, 0, 2, 0, 0,  //
                                             0, 0, 0, 2, 2, 0}),
                                "some.tif");
  REQUIRE(nuclei.size() == 4);
  const auto check = [&](std::size_t i, std::uint32_t label, double x, double y, double area) {
    CHECK(nuclei[i].label == label);
    CHECK(nuclei[i].x_px == doctest::Approx(x).epsilon(1e-15));
    CHECK(nuclei[i].y_px == doctest::Approx(y).epsilon(1e-15));
    CHECK(nuclei[i].area_px == area);
  };
  check(0, 2, 10.0 / 3.0, 11.0 / 3.0, 3);  // by rising label
  check(1, 4, 5, 1, 3);
  check(2, 7, 0, 3, 1);
  check(3, 9, 1.5, 0.5, 4);
}

TEST_CASE("the largest labels there are count like any other") {
  const auto nuclei = centroids(image_of(3, {0xffffffff, 0, 0xfffffffe}), "some.tif");
  REQUIRE(nuclei.size() == 2);
  CHECK(nuclei[0].label == 0xfffffffe);
  CHECK(nuclei[0].x_px == 2.0);
  CHECK(nuclei[1].label == 0xffffffff);
}

TEST_CASE("none or one nucleus, and no background, are no label image") {
  for (const LabelImage& empty : {image_of(2, {0, 0, 0, 0}), LabelImage{}})
    CHECK_THROWS_WITH_AS(static_cast<void>(centroids(empty, "some.tif")),
                         doctest::Contains("some.tif: no nuclei"), InputError);
  check_refused(image_of(2, {0, 5, 5, 0}), "one nucleus: every pixel is 0 or 5");
  check_refused(image_of(2, {1, 2, 3, 4}), "background");
}

TEST_CASE("few levels of brightness are no labels") {
  for (const std::uint32_t levels : {1U, 2U, 3U}) {
    // Twenty blobs, each with a dim edge where there is more than one level.
    LabelImage image{100, 80, std::vector<std::uint32_t>(8000)};
    for (std::uint32_t y = 0; y < 80; ++y)
      for (std::uint32_t x = 0; x < 100; ++x) {
        const std::uint32_t depth = std::min({x % 20, 19 - x % 20, y % 20, 19 - y % 20});
        image.labels[y * 100 + x] = depth < 3 ? 0 : 255 - levels + std::min(depth - 2, levels);
      }
    check_refused(image, levels == 1 ? "mask" : "levels");
  }
}

TEST_CASE("a nucleus may hang together at corners, and a few may be in pieces") {
  CHECK(centroids(image_of(4, {1, 0, 0, 2,  //
                               0, 1, 2, 0,  //
                               0, 2, 1, 0,  //
                               2, 0, 0, 1}),
                  "some.tif")
            .size() == 2);
  LabelImage rows{9, 9, std::vector<std::uint32_t>(81)};  // a comb: joined only by its last row
  for (std::uint32_t y = 0; y < 9; ++y)
    for (std::uint32_t x = 0; x < 7; ++x) rows.labels[y * 9 + x] = y == 8 || x % 2 == 0 ? 3 : 0;
  rows.labels[8] = rows.labels[26] = 4;
  CHECK(centroids(rows, "some.tif").size() == 2);
}

TEST_CASE("values that occur once each are no nuclei") {
  LabelImage image{64, 64, std::vector<std::uint32_t>(64 * 64)};
  for (std::size_t i = 0; i < image.labels.size(); ++i)
    image.labels[i] = static_cast<std::uint32_t>(i);
  check_refused(image, "1.0 pixels");
}

TEST_CASE("intensities are told from labels") {
  LabelImage noise{100, 100, std::vector<std::uint32_t>(10000)};
  for (std::size_t i = 0; i < noise.labels.size(); ++i)
    noise.labels[i] = static_cast<std::uint32_t>(i) * 2654435761u >> 24;
  check_refused(noise, "scattered");
  LabelImage ramp = noise;  // smooth, as blurred images are
  for (std::size_t i = 0; i < ramp.labels.size(); ++i) {
    const double x = static_cast<double>(i % 100), y = static_cast<double>(i / 100);
    ramp.labels[i] = static_cast<std::uint32_t>(100.0 + 100.0 * std::sin(x / 7) * std::sin(y / 9));
  }
  ramp.labels[0] = 0;
  check_refused(ramp, "scattered");
}

TEST_CASE("nuclei that lie close together are labels all the same") {
  LabelImage packed{120, 120, std::vector<std::uint32_t>(120 * 120)};
  for (std::uint32_t y = 0; y < 119; ++y)
    for (std::uint32_t x = 0; x < 120; ++x) packed.labels[y * 120 + x] = 1 + x / 10 + 12 * (y / 10);
  CHECK(centroids(packed, "some.tif").size() == 144);
}

TEST_CASE("real labels of 1,675 nuclei are read, each within the image") {
  const auto file = data() / "ops" / "nuclei_10x_labels.tif";
  if (absent(file)) return;
  const LabelImage image = read_label_tiff(file);
  CHECK(image.width == 1024);
  CHECK(image.height == 1024);
  const auto nuclei = centroids(image, file.string());
  CHECK(nuclei.size() == 1675);
  double area = 0.0;
  for (const Nucleus& nucleus : nuclei) {
    area += nucleus.area_px;
    CHECK(nucleus.x_px >= 0.0);
    CHECK(nucleus.x_px <= 1023.0);
    CHECK(nucleus.y_px >= 0.0);
    CHECK(nucleus.y_px <= 1023.0);
  }
  CHECK(area > 0.02 * 1024 * 1024);
  CHECK(area < 1024 * 1024);
}

TEST_CASE("expert labels are taken, the image that they were drawn on is not") {
  const auto labels = data() / "nuclei" / "dsb_labels.tif";
  const auto image = data() / "nuclei" / "dsb_img.tif";
  if (absent(labels) || absent(image)) return;
  CHECK(centroids(read_label_tiff(labels), labels.string()).size() == 125);
  try {
    static_cast<void>(centroids(read_label_tiff(image), image.string()));
    FAIL("was taken for labels");
  } catch (const InputError& error) {
    CHECK(error.fields().file == image.string());
  }
}
