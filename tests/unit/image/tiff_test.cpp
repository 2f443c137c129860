// TIFF in every layout and with every description that the reader claims, written by libtiff.
#include <doctest/doctest.h>

#include <cmath>

#include "nucreg/core/error.hpp"
#include "nucreg/image/image.hpp"
#include "nucreg/image/label_image.hpp"
#include "nucreg/image/write_tiff.hpp"
#include "support/scratch.hpp"
#include "support/tiff_builder.hpp"
#include "unit/image/plane_check.hpp"

using namespace nucreg;

namespace {

std::unique_ptr<ImageReader> open_made(const Scratch& scratch, const TiffSpec& spec) {
  write_test_tiff(scratch / "made.tif", spec);
  return open_image(scratch / "made.tif");
}

/// Frame and channel must be that page and sample.
void check_pixels(ImageReader& reader, const TiffSpec& spec, std::size_t frame, std::size_t channel,
                  std::uint32_t page, std::uint32_t sample = 0) {
  check_plane(reader.read(frame, channel), reader.info(), [&](std::size_t x, std::size_t y) {
    const std::uint32_t value =
        tiff_value(page, sample, static_cast<std::uint32_t>(y), static_cast<std::uint32_t>(x));
    if (spec.format == SAMPLEFORMAT_IEEEFP) return value + 0.5;
    return static_cast<double>(spec.bits == 8 ? value & 0xff : value);
  });
}

ImageError refused(const Scratch& scratch, const std::string& code, const TiffSpec& spec) {
  return image_error(code, [&] { static_cast<void>(open_made(scratch, spec)->read(0, 0)); });
}

TiffSpec ome(const OmeSpec& spec, std::uint32_t pages) {
  return {.pages = pages, .description = ome_description(spec)};
}

}  // namespace

TEST_CASE("pixels survive every type, layout, compression, byte order and number of samples") {
  struct Type {
    std::uint16_t bits, format;
    PixelType type;
  };
  for (const Type& type :
       {Type{8, SAMPLEFORMAT_UINT, PixelType::u8}, Type{16, SAMPLEFORMAT_UINT, PixelType::u16},
        Type{16, SAMPLEFORMAT_INT, PixelType::u16}, Type{32, SAMPLEFORMAT_UINT, PixelType::u32},
        Type{32, SAMPLEFORMAT_IEEEFP, PixelType::f32}})
    for (const int compression : {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ZSTD})
      for (const char* mode : {"w", "wb8"})
        for (const bool tiled : {false, true})
          for (const std::uint16_t samples : {std::uint16_t{1}, std::uint16_t{3}})
            for (const bool planar : {false, true}) {
              const Scratch scratch;
              const TiffSpec spec{.bits = type.bits,
                                  .format = type.format,
                                  .samples = samples,
                                  .planar = planar,
                                  .compression = static_cast<std::uint16_t>(compression),
                                  .tiled = tiled,
                                  .mode = mode,
                                  .pages = 2};
              const auto reader = open_made(scratch, spec);
              CHECK(reader->info().format == "TIFF");
              CHECK(reader->info().type == type.type);
              REQUIRE(reader->info().channels.size() == samples);
              REQUIRE(reader->info().frames.size() == 2);
              for (std::uint16_t s = 0; s < samples; ++s) check_pixels(*reader, spec, 1, s, 1, s);
            }
}

TEST_CASE("where white is zero, what is read is turned: larger is brighter") {
  for (const int bits : {8, 16, 32})
    for (const bool is_signed : {false, true})
      for (const char* mode : {"w", "wb"}) {
        const Scratch scratch;
        const std::uint16_t format = is_signed ? SAMPLEFORMAT_INT : SAMPLEFORMAT_UINT;
        // In signed ones of 8 bits every value below 128 fits: 4 rows of 20.
        const TiffSpec spec{.width = 20,
                            .height = 4,
                            .bits = static_cast<std::uint16_t>(bits),
                            .format = format,
                            .mode = mode,
                            .white_is_zero = true};
        const auto reader = open_made(scratch, spec);
        CHECK(reader->info().inverted);
        const double largest = std::ldexp(1.0, is_signed ? bits - 1 : bits) - 1.0;
        check_plane(reader->read(0, 0), reader->info(), [&](std::size_t x, std::size_t y) {
          return largest -
                 tiff_value(0, 0, static_cast<std::uint32_t>(y), static_cast<std::uint32_t>(x));
        });
        // Labels are numbers, whatever they look like.
        const LabelImage labels = read_label_tiff(scratch / "made.tif");
        for (std::uint32_t i = 0; i < 80; ++i)
          REQUIRE(labels.labels[i] == tiff_value(0, 0, i / 20, i % 20));
      }
  const Scratch scratch;
  CHECK_FALSE(open_made(scratch, {})->info().inverted);
  refused(scratch, "unsupported-colour",
          {.bits = 32, .format = SAMPLEFORMAT_IEEEFP, .white_is_zero = true});
  // 37 x 29 pixels of 8 bits have values above 127, which are negative.
  const TiffSpec negative{.bits = 8, .format = SAMPLEFORMAT_INT, .white_is_zero = true};
  refused(scratch, "negative-value", negative);
  CHECK_THROWS_AS(static_cast<void>(read_label_tiff(scratch / "made.tif")), ImageError);
}

TEST_CASE("JPEG pages come out as colours, though stored as others") {
  const Scratch scratch;
  const TiffSpec spec{.width = 16,
                      .height = 16,
                      .bits = 8,
                      .samples = 3,
                      .compression = COMPRESSION_JPEG,
                      .rows_per_strip = 16};
  const auto reader = open_made(scratch, spec);
  REQUIRE(reader->info().channels.size() == 3);
  CHECK(reader->info().channels[2].component == "B");
  const Plane plane = reader->read(0, 2);
  for (std::size_t i = 0; i < 16; ++i)  // lossy, but near
    CHECK(std::abs(value_of(plane.view(), i, i) - 16.0 * static_cast<double>(i) - 15.0) < 12.0);
}

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

TEST_CASE("plain pages are frames; reduced copies are none; pages unlike the first are refused") {
  const Scratch scratch;
  const TiffSpec spec{.pages = 3, .resolution = 20000.0F};
  const auto reader = open_made(scratch, spec);
  CHECK(reader->info().pixel_size_um == 0.5);
  REQUIRE(reader->info().loops.size() == 1);
  CHECK(reader->info().loops[0].axis == 'I');
  check_pixels(*reader, spec, 2, 0, 2);
  check_pixels(*reader, spec, 0, 0, 0);
  CHECK_FALSE(open_made(scratch, {.resolution = 72.0F, .unit = RESUNIT_INCH})
                  ->info()
                  .pixel_size_um.has_value());

  TIFF* tiff = TIFFOpen((scratch / "mixed.tif").c_str(), "w");
  for (const int page : {0, 1, 2}) {
    const TiffSpec own{.width = page == 2 ? 21u : 37u};
    TIFFSetField(tiff, TIFFTAG_SUBFILETYPE, page == 1 ? FILETYPE_REDUCEDIMAGE : 0);
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, own.width);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, own.height);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, own.bits);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, own.samples);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    write_test_page(tiff, own, 0);
    TIFFWriteDirectory(tiff);
  }
  TIFFClose(tiff);
  const auto mixed = open_image(scratch / "mixed.tif");
  REQUIRE(mixed->info().frames.size() == 2);
  static_cast<void>(mixed->read(0, 0));
  const auto error = image_error("mixed-pages", [&] { static_cast<void>(mixed->read(1, 0)); });
  CHECK(error.image_fields().part == "page 1");
}

TEST_CASE("pixels and codecs that are not understood are refused") {
  const Scratch scratch;
  refused(scratch, "unsupported-pixels", {.bits = 64, .format = SAMPLEFORMAT_IEEEFP});
  refused(scratch, "unsupported-pixels", {.bits = 64});
  refused(scratch, "unsupported-pixels", {.bits = 32, .format = SAMPLEFORMAT_COMPLEXINT});
  refused(scratch, "unsupported-compression", {.bits = 8, .compression = COMPRESSION_LERC});
}

TEST_CASE("a TIFF cut off while it is open is an error") {
  const Scratch scratch;
  for (const std::uint32_t pages : {1u, 2u}) {
    const TiffSpec spec{.width = 400, .height = 300, .pages = pages};
    const auto reader = open_made(scratch, spec);
    std::filesystem::resize_file(scratch / "made.tif", 4096);
    CHECK_THROWS_AS(static_cast<void>(reader->read(pages - 1, 0)), ImageError);
  }
}

TEST_CASE("a plane that is written comes back, of every type and also out of interleaved pixels") {
  for (const PixelType type : {PixelType::u8, PixelType::u16, PixelType::u32, PixelType::f32}) {
    const Scratch scratch;
    const std::size_t bytes = bytes_of(type), width = 301, height = 200, step = 3 * bytes;
    std::vector<std::byte> pixels(width * height * step + 7);
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = std::byte(i * 37 % 101);
    const PlaneView view{.data = pixels.data() + 1,
                         .width_px = width,
                         .height_px = height,
                         .row_bytes = width * step,
                         .pixel_bytes = step,
                         .type = type};
    write_tiff(scratch / "out.tif", view, {.pixel_size_um = 0.65});
    const auto reader = open_image(scratch / "out.tif");
    CHECK(reader->info().pixel_size_um == doctest::Approx(0.65));
    check_plane(reader->read(0, 0), reader->info(),
                [&](std::size_t x, std::size_t y) { return value_of(view, x, y); });
    write_tiff(scratch / "again.tif", view, {.pixel_size_um = 0.65});
    CHECK(bytes_of_file(scratch / "out.tif") == bytes_of_file(scratch / "again.tif"));
  }
}

TEST_CASE("labels are written in 16 bits where they fit") {
  const Scratch scratch;
  for (const std::uint32_t highest : {65535u, 65536u}) {
    const LabelImage image{.width = 3, .height = 2, .labels = {0, 1, 2, highest, 4, 0}};
    write_label_tiff(scratch / "labels.tif", image);
    CHECK(open_image(scratch / "labels.tif")->info().type ==
          (highest > 65535 ? PixelType::u32 : PixelType::u16));
    CHECK(read_label_tiff(scratch / "labels.tif").labels == image.labels);
  }
}

TEST_CASE("what cannot be written is an error that names the file, and nothing is left") {
  const Scratch scratch;
  const std::vector<std::byte> pixels(4 << 20);
  const PlaneView view{.data = pixels.data(),
                       .width_px = 2048,
                       .height_px = 2048,
                       .row_bytes = 2048,
                       .pixel_bytes = 1,
                       .type = PixelType::u8};
  const auto refuses = [&](const std::filesystem::path& file, const PlaneView& plane) {
    try {
      write_tiff(file, plane);
      FAIL("was written: " << file);
    } catch (const OutputError& error) {
      CHECK(error.fields().file == file.string());
    }
  };
  refuses(scratch / "none" / "out.tif", view);
  refuses(scratch / ".", view);
  refuses("/dev/full", view);
  refuses(scratch / "empty.tif", PlaneView{});
  CHECK(scratch.names().empty());
  CHECK(std::filesystem::exists("/dev/full"));
}
