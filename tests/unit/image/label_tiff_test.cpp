// Label TIFFs of every layout that the reader claims, written by libtiff, and files that are none.
#include <doctest/doctest.h>
#include <tiffio.h>

#include <array>
#include <cstring>
#include <fstream>
#include <iterator>

#include "nucreg/core/error.hpp"
#include "nucreg/image/image.hpp"
#include "support/scratch.hpp"

using namespace nucreg;

namespace {

struct Layout {
  std::uint16_t bits = 16;
  std::uint16_t format = SAMPLEFORMAT_UINT;
  std::uint16_t samples = 1;
  std::uint16_t compression = COMPRESSION_NONE;
  std::uint32_t rows_per_strip = 8;
  bool tiled = false;
  const char* mode = "w";  // "wb" writes big-endian, "w8" BigTIFF
  bool negative = true;    // whether values use the bit of the sign, too

  [[nodiscard]] unsigned value_bits() const { return negative ? bits : bits - 1u; }
};

constexpr std::uint32_t made_width = 37, made_height = 29;

// Values that need every byte, and differ from pixel to pixel.
std::uint32_t value_at(std::uint32_t x, std::uint32_t y, unsigned bits) {
  if ((x + y) % 3 == 0) return 0;
  const std::uint64_t full = bits >= 32 ? 0xffffffffull : (1ull << bits) - 1;
  return static_cast<std::uint32_t>((x * 2654435761ull + y * 40503ull + 1) & full);
}

void put(std::uint8_t* to, std::uint64_t value, unsigned bits) {
  std::memcpy(to, &value, bits / 8);  // little-endian host; libtiff swaps
}

void write_tiff(const std::filesystem::path& file, const Layout& layout) {
  TIFFSetWarningHandler(nullptr);
  TIFF* tiff = TIFFOpen(file.c_str(), layout.mode);
  REQUIRE(tiff != nullptr);
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, made_width);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, made_height);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, layout.bits);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, layout.samples);
  TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, layout.format);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, layout.compression);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC,
               layout.samples == 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  const std::size_t bytes = layout.bits / 8u * layout.samples;
  if (layout.tiled) {
    constexpr std::uint32_t side = 16;
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, side);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, side);
    std::vector<std::uint8_t> tile(side * side * bytes);
    for (std::uint32_t y0 = 0; y0 < made_height; y0 += side)
      for (std::uint32_t x0 = 0; x0 < made_width; x0 += side) {
        for (std::uint32_t y = 0; y < side; ++y)
          for (std::uint32_t x = 0; x < side; ++x)
            put(&tile[(y * side + x) * bytes], value_at(x0 + x, y0 + y, layout.value_bits()),
                layout.bits);
        REQUIRE(TIFFWriteTile(tiff, tile.data(), x0, y0, 0, 0) >= 0);
      }
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, layout.rows_per_strip);
    std::vector<std::uint8_t> row(made_width * bytes);
    for (std::uint32_t y = 0; y < made_height; ++y) {
      for (std::uint32_t x = 0; x < made_width; ++x)
        put(&row[x * bytes], value_at(x, y, layout.value_bits()), layout.bits);
      REQUIRE(TIFFWriteScanline(tiff, row.data(), y) >= 0);
    }
  }
  TIFFClose(tiff);
}

void check_round_trip(const Layout& layout) {
  const Scratch scratch;
  write_tiff(scratch / "labels.tif", layout);
  const LabelImage image = read_label_tiff(scratch / "labels.tif");
  REQUIRE(image.width == made_width);
  REQUIRE(image.height == made_height);
  REQUIRE(image.labels.size() == made_width * made_height);
  for (std::uint32_t y = 0; y < made_height; ++y)
    for (std::uint32_t x = 0; x < made_width; ++x)
      REQUIRE(image.labels[y * made_width + x] == value_at(x, y, layout.value_bits()));
}

void check_refused(const std::filesystem::path& file, const std::string& part) {
  try {
    static_cast<void>(read_label_tiff(file));
    FAIL("was read: " << file);
  } catch (const InputError& error) {
    CAPTURE(std::string(error.what()));
    CHECK(error.fields().file == file.string());
    CHECK(error.problem().find(part) != std::string::npos);
  }
}

std::string contents(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

TEST_CASE("labels of 8, 16 and 32 bits survive every layout, compression and byte order") {
  for (const int bits : {8, 16, 32})
    for (const int compression :
         {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_PACKBITS})
      for (const char* mode : {"w", "wb", "w8", "wb8"})
        for (const bool tiled : {false, true}) {
          CAPTURE(bits);
          CAPTURE(compression);
          CAPTURE(mode);
          CAPTURE(tiled);
          check_round_trip({.bits = static_cast<std::uint16_t>(bits),
                            .compression = static_cast<std::uint16_t>(compression),
                            .tiled = tiled,
                            .mode = mode});
        }
  check_round_trip({.rows_per_strip = 1});
  check_round_trip({.rows_per_strip = made_height});
  for (const std::uint16_t bits : std::array<std::uint16_t, 3>{8, 16, 32})
    check_round_trip({.bits = bits, .format = SAMPLEFORMAT_INT, .negative = false});
}

TEST_CASE("images of another kind are refused with what they are") {
  const Scratch scratch;
  const auto file = scratch / "other.tif";
  write_tiff(file, {.bits = 32, .format = SAMPLEFORMAT_IEEEFP});
  check_refused(file, "not a whole number");
  write_tiff(file, {.bits = 8, .samples = 3});
  check_refused(file, "3 samples per pixel");
  write_tiff(file, {.bits = 8, .samples = 2});
  check_refused(file, "2 samples per pixel");
  for (const std::uint16_t bits : std::array<std::uint16_t, 3>{8, 16, 32}) {
    write_tiff(file, {.bits = bits, .format = SAMPLEFORMAT_INT});
    check_refused(file, "negative");
  }
  write_tiff(file, {.bits = 64});
  check_refused(file, "64 bits per pixel");
}

TEST_CASE("no file, a directory, an empty file and other formats are errors that name the path") {
  const Scratch scratch;
  check_refused(scratch / "none.tif", "No such file");
  check_refused(scratch / ".", "directory");
  for (const std::string text : {"", "x10,y10\n", "II*", "\x89PNG\r\n\x1a\n"}) {
    std::ofstream(scratch / "text.tif", std::ios::binary) << text;
    check_refused(scratch / "text.tif", "");
  }
}

TEST_CASE("a file cut off anywhere is refused or complete, and never harms") {
  // Directories lie behind the pixels in files of libtiff: cut there, nothing is left to read.
  for (const Layout& layout :
       {Layout{}, Layout{.compression = COMPRESSION_LZW}, Layout{.tiled = true},
        Layout{.compression = COMPRESSION_ADOBE_DEFLATE, .tiled = true, .mode = "wb8"}}) {
    const Scratch scratch;
    write_tiff(scratch / "whole.tif", layout);
    const LabelImage image = read_label_tiff(scratch / "whole.tif");
    std::filesystem::copy_file(scratch / "whole.tif", scratch / "part.tif");
    int read = 0;
    for (std::size_t length = std::filesystem::file_size(scratch / "whole.tif"); length-- > 0;) {
      std::filesystem::resize_file(scratch / "part.tif", length);
      try {
        // Numbers at the very end, such as a resolution, may be gone without loss.
        const LabelImage part = read_label_tiff(scratch / "part.tif");
        CHECK(part.labels == image.labels);
        ++read;
      } catch (const InputError&) {
      }
    }
    CHECK(read < 16);
  }
}

TEST_CASE("a directory in front of pixels that are cut off is refused") {
  const Scratch scratch;
  write_tiff(scratch / "whole.tif", {});
  // Made again with the directory first: eight bytes of header, then it, then the pixels.
  TIFF* tiff = TIFFOpen((scratch / "first.tif").c_str(), "w");
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, made_width);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, made_height);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 16);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
  TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, made_height);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  TIFFWriteCheck(tiff, 0, "test");
  REQUIRE(TIFFCheckpointDirectory(tiff) == 1);  // keeps room for the strip's place
  std::vector<std::uint16_t> strip(made_width * made_height, 7);
  TIFFWriteEncodedStrip(tiff, 0, strip.data(), static_cast<tmsize_t>(2 * strip.size()));
  TIFFClose(tiff);
  const std::string whole = contents(scratch / "first.tif");
  CHECK(read_label_tiff(scratch / "first.tif").labels.back() == 7);
  for (std::size_t length = 0; length + 16 < whole.size(); length += 13) {
    std::ofstream(scratch / "part.tif", std::ios::binary) << whole.substr(0, length);
    CHECK_THROWS_AS(static_cast<void>(read_label_tiff(scratch / "part.tif")), InputError);
  }
}

TEST_CASE("a header that promises too much is refused before memory is taken") {
  const Scratch scratch;
  write_tiff(scratch / "huge.tif", {.rows_per_strip = made_height});
  std::string bytes = contents(scratch / "huge.tif");
  // Entries of the directory for width, length and rows per strip: tag, type, count, value.
  for (const std::uint16_t tag : {std::uint16_t{256}, std::uint16_t{257}, std::uint16_t{278}}) {
    std::string start(4, '\0');
    const std::uint16_t type = TIFF_SHORT;
    std::memcpy(start.data(), &tag, 2);
    std::memcpy(start.data() + 2, &type, 2);
    const auto at = bytes.find(start);
    REQUIRE(at != std::string::npos);
    bytes.replace(at + 2, 10, std::string("\x04\x00\x01\x00\x00\x00\xff\xff\xff\x7f", 10));
  }
  std::ofstream(scratch / "huge.tif", std::ios::binary) << bytes;
  check_refused(scratch / "huge.tif", "2147483647 x 2147483647 pixels");
}
