// TIFF in every layout that the reader claims, written by libtiff.
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>

#include "nucreg/core/error.hpp"
#include "nucreg/image/image.hpp"
#include "nucreg/image/write_image.hpp"
#include "unit/image/made_tiff.hpp"

using namespace nucreg;

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
              const auto reader = open_made_tiff(scratch, spec);
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
        const auto reader = open_made_tiff(scratch, spec);
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
  CHECK_FALSE(open_made_tiff(scratch, {})->info().inverted);
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
  const auto reader = open_made_tiff(scratch, spec);
  REQUIRE(reader->info().channels.size() == 3);
  CHECK(reader->info().channels[2].component == "B");
  const Plane plane = reader->read(0, 2);
  for (std::size_t i = 0; i < 16; ++i)  // lossy, but near
    CHECK(std::abs(value_of(plane.view(), i, i) - 16.0 * static_cast<double>(i) - 15.0) < 12.0);
}

TEST_CASE("plain pages are frames; reduced copies are none; pages unlike the first are refused") {
  const Scratch scratch;
  const TiffSpec spec{.pages = 3, .resolution = 20000.0F};
  const auto reader = open_made_tiff(scratch, spec);
  CHECK(reader->info().pixel_size_um == 0.5);
  REQUIRE(reader->info().loops.size() == 1);
  CHECK(reader->info().loops[0].axis == 'I');
  check_pixels(*reader, spec, 2, 0, 2);
  check_pixels(*reader, spec, 0, 0, 0);
  CHECK_FALSE(open_made_tiff(scratch, {.resolution = 72.0F, .unit = RESUNIT_INCH})
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

TEST_CASE("pixels of one bit are 0 and 255, as masks are") {
  constexpr std::uint32_t width = 37, height = 29, side = 16;
  const auto is_set = [](std::uint32_t x, std::uint32_t y) { return (x * 5 + y * 3) % 7 < 3; };
  const auto packed = [&](std::uint32_t x0, std::uint32_t y, std::uint32_t count) {
    std::vector<std::uint8_t> bytes((count + 7) / 8);
    for (std::uint32_t i = 0; i < count; ++i)
      if (is_set(x0 + i, y)) bytes[i / 8] |= static_cast<std::uint8_t>(0x80U >> (i % 8));
    return bytes;
  };
  for (const int compression :
       {COMPRESSION_PACKBITS, COMPRESSION_CCITTRLE, COMPRESSION_CCITTFAX3, COMPRESSION_CCITTFAX4})
    for (const bool tiled : {false, true})
      for (const bool white_is_zero : {false, true}) {
        const Scratch scratch;
        const std::filesystem::path file = scratch / "mask.tif";
        TIFF* const tiff = TIFFOpen(file.c_str(), "w");
        REQUIRE(tiff != nullptr);
        TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, width);
        TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, height);
        TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 1);
        TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
        TIFFSetField(tiff, TIFFTAG_COMPRESSION, compression);
        TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC,
                     white_is_zero ? PHOTOMETRIC_MINISWHITE : PHOTOMETRIC_MINISBLACK);
        if (tiled) {
          TIFFSetField(tiff, TIFFTAG_TILEWIDTH, side);
          TIFFSetField(tiff, TIFFTAG_TILELENGTH, side);
          for (std::uint32_t y0 = 0; y0 < height; y0 += side)
            for (std::uint32_t x0 = 0; x0 < width; x0 += side) {
              std::vector<std::uint8_t> tile;
              for (std::uint32_t y = y0; y < y0 + side; ++y)
                for (const std::uint8_t byte : packed(x0, y, side)) tile.push_back(byte);
              REQUIRE(TIFFWriteTile(tiff, tile.data(), x0, y0, 0, 0) >= 0);
            }
        } else {
          TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 8);
          for (std::uint32_t y = 0; y < height; ++y)
            REQUIRE(TIFFWriteScanline(tiff, packed(0, y, width).data(), y, 0) >= 0);
        }
        TIFFClose(tiff);
        const auto reader = open_image(file);
        CHECK(reader->info().type == PixelType::u8);
        const Plane plane = reader->read(0, 0);
        for (std::uint32_t y = 0; y < height; ++y)
          for (std::uint32_t x = 0; x < width; ++x)
            REQUIRE((plane.view().at<std::uint8_t>(x, y) == 255) ==
                    (is_set(x, y) != white_is_zero));
      }
}

TEST_CASE("lines of a fax that cannot be decoded are an error, not white") {
  const Scratch scratch;
  const std::filesystem::path file = scratch / "fax.tif";
  TIFF* const tiff = TIFFOpen(file.c_str(), "w");
  REQUIRE(tiff != nullptr);
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, 640);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, 40);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 1);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_CCITTFAX4);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
  TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 40);
  for (std::uint32_t y = 0; y < 40; ++y) {
    std::vector<std::uint8_t> row(80, 0);
    for (std::uint32_t i = 0; i < 80; ++i)
      row[i] = static_cast<std::uint8_t>((i * 37 + y * 11) % 251);
    REQUIRE(TIFFWriteScanline(tiff, row.data(), y, 0) >= 0);
  }
  TIFFClose(tiff);
  REQUIRE_NOTHROW(static_cast<void>(open_image(file)->read(0, 0)));
  {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(200);
    stream.write(std::string(64, '\0').data(), 64);
  }
  CHECK_THROWS_AS(static_cast<void>(open_image(file)->read(0, 0)), InputError);
}

TEST_CASE("pixels and codecs that are not understood are refused") {
  const Scratch scratch;
  refused(scratch, "unsupported-pixels", {.bits = 64, .format = SAMPLEFORMAT_IEEEFP});
  refused(scratch, "unsupported-pixels", {.bits = 64});
  refused(scratch, "unsupported-pixels", {.bits = 32, .format = SAMPLEFORMAT_COMPLEXINT});
  refused(scratch, "unsupported-compression", {.bits = 8, .compression = COMPRESSION_LERC});
}

TEST_CASE("the image that was opened last stays open until another one is asked for") {
  const Scratch scratch;
  write_test_tiff(scratch / "a.tif", {.pages = 2});
  write_test_tiff(scratch / "b.tif", {});
  const auto first = opened_image(scratch / "a.tif");
  CHECK(opened_image(scratch / "a.tif") == first);
  write_test_tiff(scratch / "a.tif", {.pages = 3});
  CHECK(opened_image(scratch / "a.tif")->info().frames.size() == 3);
  CHECK(opened_image(scratch / "b.tif")->info().frames.size() == 1);
  std::filesystem::remove(scratch / "b.tif");
  CHECK_THROWS_AS(static_cast<void>(opened_image(scratch / "b.tif")), InputError);
}

TEST_CASE("a TIFF cut off while it is open is an error") {
  const Scratch scratch;
  for (const std::uint32_t pages : {1u, 2u}) {
    const TiffSpec spec{.width = 400, .height = 300, .pages = pages};
    const auto reader = open_made_tiff(scratch, spec);
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
