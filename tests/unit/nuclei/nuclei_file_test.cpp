// What a file of nuclei is taken for, and what the user makes of it.
#include "nucreg/nuclei/nuclei_file.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/image/write_image.hpp"
#include "support/scratch.hpp"

using namespace nucreg;

namespace {

constexpr std::size_t side = 120;

// Twelve disks of radius 5 with the values 1 to 12 times `step`, or all with `step`.
template <class T>
std::vector<T> disks(T step, bool numbered = true) {
  std::vector<T> values(side * side, T{});
  for (std::size_t k = 0; k < 12; ++k)
    for (std::size_t y = 0; y < side; ++y)
      for (std::size_t x = 0; x < side; ++x) {
        const double dx = static_cast<double>(x) - (15.0 + 30.0 * static_cast<double>(k % 4));
        const double dy = static_cast<double>(y) - (20.0 + 40.0 * static_cast<double>(k / 4));
        if (std::hypot(dx, dy) <= 5.0)
          values[y * side + x] = static_cast<T>(step * static_cast<T>(numbered ? k + 1 : 1));
      }
  return values;
}

class Files {
 public:
  template <class T>
  NucleiFile read(const std::vector<T>& values, PixelType type,
                  const NucleiFileOptions& options = {}) const {
    write_tiff(scratch_ / "a.tif", {.data = reinterpret_cast<const std::byte*>(values.data()),
                                    .width_px = side,
                                    .height_px = side,
                                    .row_bytes = side * sizeof(T),
                                    .pixel_bytes = sizeof(T),
                                    .type = type});
    return read_nuclei_file(scratch_ / "a.tif", options);
  }
  [[nodiscard]] std::filesystem::path path(const char* name) const { return scratch_ / name; }

 private:
  Scratch scratch_;
};

}  // namespace

TEST_CASE("labels are whole numbers that hang together, also as floats") {
  const Files files;
  const auto check = [](const NucleiFile& found) {
    CHECK(found.kind == NucleiKind::labels);
    REQUIRE(found.table.nuclei.size() == 12);
    CHECK(found.table.labels.back() == 12);
    CHECK(found.table.nuclei.x_px[5] == 45.0);
    CHECK(found.table.nuclei.y_px[5] == 60.0);
  };
  check(files.read(disks<std::uint8_t>(1), PixelType::u8));
  check(files.read(disks<std::uint16_t>(1), PixelType::u16));
  check(files.read(disks<std::uint32_t>(1), PixelType::u32));
  check(files.read(disks<float>(1), PixelType::f32));
  auto fractions = disks<float>(1);
  fractions[7] = 0.5F;
  CHECK(files.read(fractions, PixelType::f32).kind == NucleiKind::image);
  fractions[7] = -1.0F;
  CHECK(files.read(fractions, PixelType::f32).kind == NucleiKind::image);
}

TEST_CASE("NaN is the background of labels and masks") {
  const Files files;
  for (const bool numbered : {true, false}) {
    auto values = disks<float>(1, numbered);
    const NucleiFile zeros = files.read(values, PixelType::f32);
    for (float& value : values)
      if (value == 0.0F) value = std::numeric_limits<float>::quiet_NaN();
    const NucleiFile nans = files.read(values, PixelType::f32);
    CHECK(nans.kind == (numbered ? NucleiKind::labels : NucleiKind::mask));
    CHECK(nans.table.nuclei.size() == 12);
    CHECK(nans.table.nuclei.x_px == zeros.table.nuclei.x_px);
    CHECK(nans.table.nuclei.y_px == zeros.table.nuclei.y_px);
    CHECK(nans.table.labels == zeros.table.labels);
  }
}

TEST_CASE("labels with -1 as background are refused with what to do") {
  const Files files;
  auto values = disks<float>(1);
  for (float& value : values) value -= 1.0F;
  for (const auto as : {std::optional<NucleiKind>(), std::optional(NucleiKind::labels)})
    CHECK_THROWS_WITH_AS(static_cast<void>(files.read(values, PixelType::f32, {.as = as})),
                         doctest::Contains("add 1 to all pixels"), InputError);
  CHECK(files.read(values, PixelType::f32, {.as = NucleiKind::image}).kind == NucleiKind::image);
}

TEST_CASE("a mask that is mostly nucleus may be inverted, which is told") {
  const Files files;
  auto values = disks<std::uint8_t>(255, false);
  CHECK(files.read(values, PixelType::u8).table.warnings.empty());
  for (std::uint8_t& value : values) value = static_cast<std::uint8_t>(255 - value);
  const NucleiFile inverted = files.read(values, PixelType::u8);
  CHECK(inverted.kind == NucleiKind::mask);
  REQUIRE(inverted.table.warnings.size() == 1);
  CHECK(inverted.table.warnings[0].find("invert the mask") != std::string::npos);
}

TEST_CASE("a diameter makes a picture of labels, unless they come first") {
  const Files files;
  const auto labels = disks<std::uint16_t>(1);
  CHECK(files.read(labels, PixelType::u16, {.diameter_px = 10.0, .diameter_decides = false}).kind ==
        NucleiKind::labels);
}

TEST_CASE("a mask gives the same nuclei whatever its two values are") {
  const Files files;
  const NucleiFile ones = files.read(disks<std::uint8_t>(1, false), PixelType::u8);
  CHECK(ones.kind == NucleiKind::mask);
  CHECK(ones.table.nuclei.size() == 12);
  const auto same = [&](const NucleiFile& other) {
    CHECK(other.kind == NucleiKind::mask);
    CHECK(other.table.nuclei.x_px == ones.table.nuclei.x_px);
    CHECK(other.table.nuclei.area_px == ones.table.nuclei.area_px);
  };
  same(files.read(disks<std::uint8_t>(2, false), PixelType::u8));
  same(files.read(disks<std::uint8_t>(255, false), PixelType::u8));
  same(files.read(disks<std::uint16_t>(40000, false), PixelType::u16));
  same(files.read(disks<std::uint32_t>(1, false), PixelType::u32));
  same(files.read(disks<float>(1, false), PixelType::f32));
  same(files.read(disks<std::uint8_t>(9), PixelType::u8, {.as = NucleiKind::mask}));
}

TEST_CASE("the user's word counts more than the looks of a file") {
  const Files files;
  const auto labels = disks<std::uint16_t>(1);
  CHECK(files.read(labels, PixelType::u16, {.as = NucleiKind::image}).kind == NucleiKind::image);
  CHECK(files.read(labels, PixelType::u16, {.diameter_px = 10.0}).kind == NucleiKind::image);
  CHECK(files.read(labels, PixelType::u16, {.as = NucleiKind::labels}).kind == NucleiKind::labels);
  const auto mask = disks<std::uint8_t>(1, false);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(files.read(mask, PixelType::u8, {.as = NucleiKind::labels})),
      doctest::Contains("a mask"), InputError);
  const std::vector<float> halves(side * side, 0.5F);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(files.read(halves, PixelType::f32, {.as = NucleiKind::labels})),
      doctest::Contains("whole numbers"), InputError);
  std::ofstream(files.path("table.tif")) << "x,y\n1,2\n3,4\n";
  CHECK(read_nuclei_file(files.path("table.tif"), {.as = NucleiKind::table}).table.nuclei.size() ==
        2);
  CHECK_THROWS_AS(static_cast<void>(read_nuclei_file(files.path("table.tif"))), InputError);
  std::ofstream(files.path("table.csv")) << "x,y\n1,2\n3,4\n";
  CHECK(read_nuclei_file(files.path("table.csv")).kind == NucleiKind::table);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(read_nuclei_file(files.path("table.csv"), {.as = NucleiKind::image})),
      doctest::Contains("--as table"), InputError);
}

TEST_CASE("arrays of NumPy with two values are masks, also of truth values") {
  const Files files;
  const auto read = [&](const char* type, const std::vector<std::uint8_t>& values,
                        const NucleiFileOptions& options = {}) {
    std::string header =
        "{'descr': '" + std::string(type) + "', 'fortran_order': False, 'shape': (120, 120), }";
    header.resize(117, ' ');
    const auto path = files.path("a.npy");
    std::ofstream file(path, std::ios::binary);
    file.write("\x93NUMPY\x01\0\x76\0", 10) << header << '\n';
    file.write(reinterpret_cast<const char*>(values.data()), std::ssize(values));
    file.close();
    return read_nuclei_file(path, options);
  };
  const std::vector<std::uint8_t> ones = disks<std::uint8_t>(1, false);
  const NucleiFile plane = files.read(ones, PixelType::u8);
  for (const auto& [type, values] :
       {std::pair("|b1", ones), std::pair("|u1", ones),
        std::pair("|u1", disks<std::uint8_t>(255, false)), std::pair("|i1", ones)}) {
    const NucleiFile found = read(type, values);
    CHECK(found.kind == NucleiKind::mask);
    CHECK(found.table.nuclei.x_px == plane.table.nuclei.x_px);
    CHECK(found.table.nuclei.y_px == plane.table.nuclei.y_px);
  }
  CHECK(read("|u1", disks<std::uint8_t>(1)).table.nuclei.size() == 12);
  CHECK(read("|u1", disks<std::uint8_t>(1)).kind == NucleiKind::labels);
  const NucleiFile asked = read("|u1", disks<std::uint8_t>(1), {.as = NucleiKind::mask});
  CHECK(asked.kind == NucleiKind::mask);
  CHECK(asked.table.nuclei.x_px == plane.table.nuclei.x_px);
  CHECK_THROWS_WITH_AS(read("|u1", ones, {.as = NucleiKind::labels}),
                       doctest::Contains("a mask, or one nucleus"), InputError);
  std::vector<std::uint8_t> most(side * side, 1);
  most[0] = 0;
  CHECK(read("|b1", most).table.warnings.size() == 1);
  CHECK_THROWS_AS(read("|b1", std::vector<std::uint8_t>(side * side, 1)), InputError);
}
