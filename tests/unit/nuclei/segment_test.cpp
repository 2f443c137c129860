#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/core/random.hpp"
#include "nucreg/nuclei/segment.hpp"
#include "nucreg/nuclei/tissue.hpp"

using namespace nucreg;

namespace {

constexpr std::array<double, 6> same_px{1, 0, 0, 0, 1, 0};

template <class T>
PlaneView view(const std::vector<T>& values, std::size_t width, std::size_t height) {
  constexpr PixelType type = std::is_same_v<T, std::uint8_t>    ? PixelType::u8
                             : std::is_same_v<T, std::uint16_t> ? PixelType::u16
                             : std::is_same_v<T, std::uint32_t> ? PixelType::u32
                                                                : PixelType::f32;
  return {.data = reinterpret_cast<const std::byte*>(values.data()),
          .width_px = width,
          .height_px = height,
          .row_bytes = width * sizeof(T),
          .pixel_bytes = sizeof(T),
          .type = type};
}
PlaneView view(const RenderedImage& image) {
  return view(image.values, image.width_px, image.height_px);
}

RenderedImage picture(const std::vector<TissueNucleus>& nuclei, std::size_t size = 200,
                      const Optics& optics = {}, std::uint64_t seed = 1) {
  RandomStream noise(seed, 0, 0, Purpose::noise);
  return render(nuclei, same_px, size, size, optics, noise);
}

TissueNucleus disk(double x, double y, double radius = 6.0) {
  return {.x_px = x, .y_px = y, .long_radius_px = radius, .short_radius_px = radius};
}

std::vector<TissueNucleus> grid(std::size_t size, double step, double radius) {
  std::vector<TissueNucleus> nuclei;
  for (double y = step / 2; y < static_cast<double>(size); y += step)
    for (double x = step / 2; x < static_cast<double>(size); x += step)
      nuclei.push_back(disk(x + 0.1 * std::fmod(y, 7.0), y + 0.1 * std::fmod(x, 5.0), radius));
  return nuclei;
}

// How many of the true nuclei have a found one within `radius_px`, and none is found twice.
std::size_t found_of(const std::vector<TissueNucleus>& truth, const Nuclei& found,
                     double radius_px) {
  std::size_t count = 0;
  for (const TissueNucleus& nucleus : truth) {
    int near = 0;
    for (std::size_t i = 0; i < found.size(); ++i)
      near += std::hypot(found.x_px[i] - nucleus.x_px, found.y_px[i] - nucleus.y_px) < radius_px;
    count += near == 1;
  }
  return count;
}

void check_nothing(const Segmentation& s, std::size_t pixels) {
  CHECK(s.nuclei.size() == 0);
  CHECK(s.labels.labels == std::vector<std::uint32_t>(pixels, 0));
}

}  // namespace

TEST_CASE("nuclei are found at every size, with their diameter") {
  for (const double radius : {3.0, 5.0, 10.0, 24.0}) {
    CAPTURE(radius);
    const double step = 4.0 * radius;
    const auto size = static_cast<std::size_t>(6.0 * step);
    const std::vector<TissueNucleus> truth = grid(size, step, radius);
    const RenderedImage image = picture(truth, size);
    const Segmentation s = segment(view(image));
    CHECK(s.nuclei.size() == truth.size());
    CHECK(found_of(truth, s.nuclei, 0.5) == truth.size());
    CHECK(s.diameter_px == doctest::Approx(2.0 * radius).epsilon(0.12));
    const Segmentation told = segment(view(image), {.diameter_px = 2.0 * radius});
    CHECK(told.diameter_px == 2.0 * radius);
    CHECK(found_of(truth, told.nuclei, 0.5) == truth.size());
  }
}

TEST_CASE("columns and labels belong together") {
  const std::vector<TissueNucleus> truth = grid(200, 25.0, 6.0);
  const RenderedImage image = picture(truth);
  const Segmentation s = segment(view(image));
  REQUIRE(s.nuclei.size() == truth.size());
  std::vector<double> area(s.nuclei.size(), 0.0), sum(s.nuclei.size(), 0.0);
  std::uint32_t highest = 0;
  for (std::size_t i = 0; i < s.labels.labels.size(); ++i) {
    const std::uint32_t label = s.labels.labels[i];
    CHECK_FALSE(label > highest + 1);  // numbered in order of their first pixels
    highest = std::max(highest, label);
    if (label == 0) continue;
    area[label - 1] += 1.0;
    sum[label - 1] += image.values[i];
  }
  CHECK(highest == s.nuclei.size());
  for (std::size_t i = 0; i < area.size(); ++i) {
    CHECK(area[i] == s.nuclei.area_px[i]);
    CHECK(s.nuclei.mean_intensity[i] == doctest::Approx(sum[i] / area[i]).epsilon(1e-9));
  }
}

TEST_CASE("touching nuclei are split, long ones are not") {
  std::vector<TissueNucleus> truth{disk(50, 50, 8),  disk(64.5, 50, 8), disk(50, 120, 8),
                                   disk(150, 50, 8), disk(110, 110, 8), disk(121, 120, 8)};
  truth.push_back(
      {.x_px = 150, .y_px = 160, .long_radius_px = 13, .short_radius_px = 7, .angle_rad = 0.7});
  const RenderedImage image = picture(truth);
  const Segmentation s = segment(view(image), {.diameter_px = 16.0});
  CHECK(s.nuclei.size() == truth.size());
  CHECK(found_of(truth, s.nuclei, 1.5) == truth.size());
}

TEST_CASE("uneven light, a bright neighbour and a dim nucleus") {
  std::vector<TissueNucleus> truth = grid(240, 30.0, 6.0);
  for (std::size_t i = 0; i < truth.size(); i += 3) truth[i].brightness = 0.35;
  for (std::size_t i = 1; i < truth.size(); i += 5) truth[i].brightness = 4.0;
  const RenderedImage image =
      picture(truth, 240, {.background_electrons = 200.0, .vignetting = 0.5});
  CHECK(found_of(truth, segment(view(image)).nuclei, 1.0) == truth.size());
}

TEST_CASE("nuclei at the border are kept and marked, specks are not nuclei") {
  std::vector<TissueNucleus> truth = grid(120, 40.0, 8.0);
  truth.push_back(disk(0.0, 80.0, 8.0));
  std::vector<TissueNucleus> all = truth;
  all.push_back(disk(40.0, 40.0, 1.2));
  const Segmentation s = segment(view(picture(all, 120)));
  REQUIRE(s.nuclei.size() == truth.size());
  for (std::size_t i = 0; i < s.nuclei.size(); ++i)
    CHECK(s.nuclei.touches_border[i] == (s.nuclei.x_px[i] < 8.0));
}

TEST_CASE("unit, offset, gain and type do not matter") {
  const std::vector<TissueNucleus> truth = grid(120, 30.0, 6.0);
  const RenderedImage image = picture(truth, 120, {.electrons = 150.0, .offset = 10.0});
  const Segmentation s = segment(view(image));
  REQUIRE(s.nuclei.size() == truth.size());
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint32_t> wide;
  std::vector<float> real;
  for (const std::uint16_t value : image.values) {
    bytes.push_back(static_cast<std::uint8_t>(std::min<int>(value, 255)));
    wide.push_back(value * 1024U + 3000000000U);
    real.push_back(static_cast<float>(value) * 0x1p-20F - 3.0F);
  }
  CHECK(segment(view(wide, 120, 120)).labels.labels == s.labels.labels);
  CHECK(segment(view(real, 120, 120)).labels.labels == s.labels.labels);
  CHECK(found_of(truth, segment(view(bytes, 120, 120)).nuclei, 0.5) == truth.size());
}

TEST_CASE("NaN and infinity have a meaning") {
  const std::vector<TissueNucleus> truth = grid(120, 30.0, 6.0);
  const RenderedImage image = picture(truth, 120);
  std::vector<float> values(image.values.begin(), image.values.end());
  values[5 * 120 + 30] = std::numeric_limits<float>::quiet_NaN();
  values[30 * 120 + 5] = -std::numeric_limits<float>::infinity();
  values[60 * 120 + 60] = std::numeric_limits<float>::infinity();
  const Segmentation s = segment(view(values, 120, 120));
  CHECK(found_of(truth, s.nuclei, 1.0) == truth.size());
  for (const double mean : s.nuclei.mean_intensity) CHECK(std::isfinite(mean));
  check_nothing(segment(view(std::vector<float>(100, std::nanf("")), 10, 10)), 100);
  check_nothing(
      segment(view(std::vector<float>(100, std::numeric_limits<float>::infinity()), 10, 10)), 100);
  std::vector<float> far(values);
  far[0] = std::numeric_limits<float>::max();
  far[1] = std::numeric_limits<float>::lowest();
  CHECK(segment(view(far, 120, 120)).labels.labels.size() == far.size());
}

TEST_CASE("images without contrast have no nuclei") {
  check_nothing(segment({}), 0);
  for (const std::size_t size : {1U, 2U, 7U, 64U})
    for (const std::uint16_t value : std::array<std::uint16_t, 3>{0, 100, 65535})
      check_nothing(segment(view(std::vector(size * size, value), size, size)), size * size);
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const RenderedImage noise = picture({}, 256, {}, seed);
    check_nothing(segment(view(noise)), 256 * 256);
    for (const double diameter : {4.0, 10.0, 40.0, 1000.0})
      check_nothing(segment(view(noise), {.diameter_px = diameter}), 256 * 256);
  }
}

TEST_CASE("one nucleus, a saturated one, and images of one row or column") {
  const std::vector<TissueNucleus> one{disk(70.3, 41.6)};
  const Segmentation s = segment(view(picture(one)));
  REQUIRE(s.nuclei.size() == 1);
  CHECK(s.nuclei.x_px[0] == doctest::Approx(70.3).epsilon(0.003));
  CHECK(s.nuclei.y_px[0] == doctest::Approx(41.6).epsilon(0.003));
  const Segmentation bright = segment(view(picture(one, 200, {.electrons = 1e7})));
  REQUIRE(bright.nuclei.size() == 1);
  CHECK(bright.nuclei.mean_intensity[0] == doctest::Approx(65535.0).epsilon(0.2));

  const RenderedImage image = picture(grid(64, 32.0, 6.0), 64);
  for (const auto& [width, height] : {std::pair<std::size_t, std::size_t>{4096, 1}, {1, 4096}}) {
    const Segmentation line = segment(view(image.values, width, height), {.diameter_px = 10.0});
    CHECK(line.labels.labels.size() == 4096);
  }
}

TEST_CASE("a diameter out of range and an impossible size are refused") {
  for (const double diameter : {0.0, -5.0, 2.9, 1001.0, std::nan(""), HUGE_VAL})
    CHECK_THROWS_AS(static_cast<void>(segment({}, {.diameter_px = diameter})), JobError);
  PlaneView huge{.width_px = std::size_t{1} << 32, .height_px = std::size_t{1} << 32};
  CHECK_THROWS_AS(static_cast<void>(segment(huge)), InputError);
}

TEST_CASE("the same image gives the same answer") {
  const RenderedImage image = picture(grid(200, 14.0, 6.0));
  const Segmentation one = segment(view(image)), two = segment(view(image));
  CHECK(one.labels.labels == two.labels.labels);
  CHECK(one.nuclei.x_px == two.nuclei.x_px);
  CHECK(one.nuclei.y_px == two.nuclei.y_px);
}

namespace {

PlaneView view(const std::vector<std::uint8_t>& values, std::size_t width) {
  return {.data = reinterpret_cast<const std::byte*>(values.data()),
          .width_px = width,
          .height_px = values.size() / width,
          .row_bytes = width,
          .pixel_bytes = 1,
          .type = PixelType::u8};
}

std::array<int, 3> colour(const RgbPicture& picture, std::size_t x, std::size_t y) {
  const auto* at = &picture.values[3 * (y * picture.width_px + x)];
  return {at[0], at[1], at[2]};
}

constexpr std::array<int, 3> orange{255, 110, 0};

}  // namespace

TEST_CASE("outlines are orange, the rest is grey and brighter where the image is") {
  std::vector<std::uint8_t> values(64, 10);
  LabelImage labels{8, 8, std::vector<std::uint32_t>(64, 0)};
  for (std::size_t y = 2; y < 6; ++y)
    for (std::size_t x = 2; x < 6; ++x) {
      values[y * 8 + x] = 200;
      labels.labels[y * 8 + x] = 1;
    }
  const RgbPicture picture = overlay(view(values, 8), labels);
  CHECK((picture.width_px == 8 && picture.height_px == 8));
  CHECK(colour(picture, 2, 2) == orange);
  CHECK(colour(picture, 5, 4) == orange);
  CHECK(colour(picture, 3, 3) == std::array{255, 255, 255});
  CHECK(colour(picture, 0, 0) == std::array{0, 0, 0});
}

TEST_CASE("of a large image the overlay is smaller and has every nucleus") {
  CHECK(overlay_factor(5792, 5792) == 1);
  CHECK(overlay_factor(5793, 5793) == 2);
  CHECK(overlay_factor(1 << 30, 1) == 32);
  CHECK(overlay_factor(1 << 15, 1 << 15) == 6);
  constexpr std::size_t width = 8193, height = 4097;  // one more than 2^25 pixels
  std::vector<std::uint8_t> values(width * height, 10);
  LabelImage labels{width, height, std::vector<std::uint32_t>(width * height, 0)};
  const auto mark = [&](std::size_t x, std::size_t y, std::uint32_t label) {
    values[y * width + x] = 200;
    labels.labels[y * width + x] = label;
  };
  mark(101, 51, 1);
  mark(width - 1, height - 1, 2);  // in a block that the image does not fill
  const RgbPicture picture = overlay(view(values, width), labels);
  CHECK((picture.width_px == 4097 && picture.height_px == 2049));
  CHECK(colour(picture, 50, 25) == orange);
  CHECK(colour(picture, 4096, 2048) == orange);
  CHECK(colour(picture, 49, 25) == std::array{0, 0, 0});
}
