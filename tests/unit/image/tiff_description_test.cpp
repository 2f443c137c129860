// What programs for microscopes say of their TIFF: ImageJ and OME-XML.
#include <doctest/doctest.h>

#include "nucreg/image/image.hpp"
#include "unit/image/made_tiff.hpp"

using namespace nucreg;

namespace {

TiffSpec ome(const OmeSpec& spec, std::uint32_t pages) {
  return {.pages = pages, .description = ome_description(spec)};
}

}  // namespace

TEST_CASE("an ImageJ hyperstack has channels, focus and time, in its order") {
  const Scratch scratch;
  const TiffSpec spec{.pages = 12,
                      .description = imagej_description(2, 3, 2, "unit=\\u00B5m\nspacing=0.5\n"),
                      .resolution = 2.0F,
                      .unit = RESUNIT_NONE};
  const auto reader = open_made(scratch, spec);
  const ImageInfo& info = reader->info();
  CHECK(info.format == "ImageJ TIFF");
  REQUIRE(info.channels.size() == 2);
  REQUIRE(info.frames.size() == 6);
  CHECK(info.pixel_size_um == 0.5);
  CHECK(info.z_step_um == 0.5);
  CHECK(info.frames[4].t == 1u);
  CHECK(info.frames[4].z == 1u);
  for (std::uint32_t f = 0; f < 6; ++f)
    for (std::uint32_t c = 0; c < 2; ++c) check_pixels(*reader, spec, f, c, 2 * f + c);
}

TEST_CASE("an ImageJ stack with one directory is read past it, in either byte order") {
  for (const char* mode : {"w", "wb"}) {
    const Scratch scratch;
    TiffSpec spec{.rows_per_strip = 29, .mode = mode, .description = imagej_description(1, 3, 1)};
    write_test_tiff(scratch / "made.tif", spec);
    image_error("truncated", [&] { static_cast<void>(open_image(scratch / "made.tif")); });
    // libtiff puts the directory behind the pixels: planes to follow are made by a longer strip.
    spec.height = 3 * 29;
    spec.rows_per_strip = spec.height;
    write_test_tiff(scratch / "made.tif", spec);
    std::string bytes = bytes_of_file(scratch / "made.tif");
    const bool big = mode[1] == 'b';
    for (const char tag : {'\x01', '\x16'}) {  // 257 and 278: rows, rows per strip
      const std::string entry = big ? std::string{'\x01', tag, 0, 3} : std::string{tag, 1, 3, 0};
      const auto at = bytes.rfind(entry);
      REQUIRE(at != std::string::npos);
      bytes[at + (big ? 9 : 8)] = 29;
    }
    write_bytes(scratch / "made.tif", bytes);
    const auto reader = open_image(scratch / "made.tif");
    REQUIRE(reader->info().frames.size() == 3);
    CHECK(reader->info().frames[2].z == 2u);
    check_plane(reader->read(2, 0), reader->info(), [](std::size_t x, std::size_t y) {
      return tiff_value(0, 0, static_cast<std::uint32_t>(y) + 58, static_cast<std::uint32_t>(x));
    });
  }
}

TEST_CASE("OME-XML names channels, calibrates and says which page is what") {
  const Scratch scratch;
  const auto pixels =
      R"(PhysicalSizeX="325" PhysicalSizeXUnit="nm" PhysicalSizeY="0.65" PhysicalSizeZ="2")";
  for (const std::string order : {"XYCZT", "XYTZC", "XYZTC"}) {
    const TiffSpec spec =
        ome({.channels = 2, .planes = 3, .times = 2, .order = order, .pixels = pixels}, 12);
    const auto reader = open_made(scratch, spec);
    const ImageInfo& info = reader->info();
    CHECK(info.format == "OME-TIFF");
    REQUIRE(info.channels.size() == 2);
    CHECK(info.channels[1].name == "channel & 1");
    CHECK(info.pixel_size_um == doctest::Approx(0.325));
    CHECK(info.pixel_height_um == 0.65);
    CHECK(info.z_step_um == 2.0);
    CHECK(info.objective.name == "Plan Apo 20x");
    CHECK(info.objective.magnification == 20.0);
    CHECK(info.objective.numerical_aperture == 0.75);
    REQUIRE(info.frames.size() == 6);
    for (std::uint32_t t = 0; t < 2; ++t)
      for (std::uint32_t z = 0; z < 3; ++z)
        for (std::uint32_t c = 0; c < 2; ++c) {
          const std::uint32_t page = order == "XYCZT"   ? c + 2 * z + 6 * t
                                     : order == "XYTZC" ? t + 2 * z + 6 * c
                                                        : z + 3 * t + 6 * c;
          CHECK(info.frames[3 * t + z].t == t);
          CHECK(info.frames[3 * t + z].z == z);
          check_pixels(*reader, spec, 3 * t + z, c, page);
        }
  }
}

TEST_CASE("OME pages in any order, some in another file, with stage positions") {
  const Scratch scratch;
  const TiffSpec spec = ome(
      {.planes = 3,
       .data = R"(<TiffData FirstZ="0" IFD="1"/><TiffData FirstZ="1" IFD="0" PlaneCount="1">)"
               R"(<UUID FileName="made.tif">urn:uuid:2</UUID></TiffData>)"
               R"(<TiffData FirstZ="2" IFD="0"><UUID FileName="b.tif">urn:uuid:3</UUID></TiffData>)"
               R"(<Plane TheC="0" TheZ="1" TheT="0" PositionX="1" PositionXUnit="mm" )"
               R"(PositionY="-2.5" DeltaT="1.5"/>)"},
      2);
  const auto reader = open_made(scratch, spec);
  const ImageInfo& info = reader->info();
  REQUIRE(info.frames.size() == 3);
  check_pixels(*reader, spec, 0, 0, 1);
  check_pixels(*reader, spec, 1, 0, 0);
  CHECK(info.frames[2].missing);
  image_error("missing-frame", [&] { static_cast<void>(reader->read(2, 0)); });
  CHECK(info.frames[1].x_um == 1000.0);
  CHECK(info.frames[1].y_um == -2.5);
  CHECK(reader->time_ms(1) == 1500.0);
  CHECK_FALSE(info.frames[0].x_um.has_value());
}

TEST_CASE("OME-XML that contradicts itself or the file is refused") {
  const Scratch scratch;
  refused(scratch, "ome-planes", ome({.planes = 3}, 2));
  refused(scratch, "ome-planes", ome({.data = ""}, 1));
  refused(scratch, "ome-planes", ome({.data = R"(<TiffData FirstZ="7"/>)"}, 1));
  refused(scratch, "ome-planes", ome({.data = R"(<TiffData PlaneCount="9"/>)"}, 1));
  refused(scratch, "ome-count", ome({.data = R"(<TiffData IFD="-1"/>)"}, 1));
  refused(scratch, "ome-size", ome({.width = 36}, 1));
  refused(scratch, "ome-order", ome({.order = "XYCZC"}, 1));
  refused(scratch, "ome-order", ome({.order = ""}, 1));
  refused(scratch, "bad-counts", ome({.planes = 0}, 1));
  refused(scratch, "bad-counts", ome({.channels = 1024, .planes = 1 << 19}, 1));
  refused(scratch, "ome-xml", {.description = "<?xml version=\"1.0\"?><OME><Image>"});
  CHECK(open_made(scratch, {.description = "<other>OME</other>"})->info().format == "TIFF");
}
