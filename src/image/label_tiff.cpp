#include <fmt/format.h>
#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "nucreg/core/error.hpp"
#include "nucreg/image/label_image.hpp"

namespace nucreg {
namespace {

constexpr std::uint64_t most_pixels = std::uint64_t{1} << 30;

// libtiff reports by callback, and has one for the whole process; the last message is kept here.
thread_local std::string last_message;

void keep_message(const char*, const char* format, va_list arguments) {
  char text[512];
  std::vsnprintf(text, sizeof text, format, arguments);
  last_message = text;
}

struct Closer {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};

class Reader {
 public:
  explicit Reader(const std::filesystem::path& file) : path_(file.string()) {
    TIFFSetErrorHandler(keep_message);
    TIFFSetWarningHandler(nullptr);
    last_message.clear();
    tiff_.reset(TIFFOpen(path_.c_str(), "r"));
    if (!tiff_) fail(last_message.empty() ? "cannot be opened" : last_message);
  }

  LabelImage read() {
    LabelImage image;
    TIFFGetField(tiff_.get(), TIFFTAG_IMAGEWIDTH, &image.width);
    TIFFGetField(tiff_.get(), TIFFTAG_IMAGELENGTH, &image.height);
    check_kind();
    const std::uint64_t pixels = std::uint64_t{image.width} * image.height;
    if (pixels == 0 || pixels > most_pixels)
      fail(fmt::format("{} x {} pixels; allowed: 1 to 2^30", image.width, image.height));
    image.labels.resize(pixels);
    if (TIFFIsTiled(tiff_.get()))
      read_tiles(image);
    else
      read_rows(image);
    return image;
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw InputError(reason, {.file = path_,
                              .allowed = "a label TIFF: one 8, 16 or 32-bit "
                                         "integer per pixel, 0 = background"});
  }

  void check_kind() {
    std::uint16_t samples = 1, format = SAMPLEFORMAT_UINT;
    TIFFGetFieldDefaulted(tiff_.get(), TIFFTAG_SAMPLESPERPIXEL, &samples);
    TIFFGetFieldDefaulted(tiff_.get(), TIFFTAG_BITSPERSAMPLE, &bits_);
    TIFFGetFieldDefaulted(tiff_.get(), TIFFTAG_SAMPLEFORMAT, &format);
    signed_ = format == SAMPLEFORMAT_INT;
    if (samples != 1) fail(fmt::format("{} samples per pixel", samples));
    if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_INT) fail("pixels are not integers");
    if (bits_ != 8 && bits_ != 16 && bits_ != 32) fail(fmt::format("{} bits per pixel", bits_));
  }

  [[nodiscard]] std::uint32_t pixel(const std::vector<std::uint8_t>& row, std::size_t x) const {
    const std::size_t bytes = bits_ / 8u;
    std::uint32_t value = 0;  // the host is little-endian, libtiff has swapped
    std::memcpy(&value, row.data() + x * bytes, bytes);
    if (signed_ && (value >> (bits_ - 1u)) != 0) fail("a label is negative");
    return value;
  }

  void read_rows(LabelImage& image) {
    std::vector<std::uint8_t> row(static_cast<std::size_t>(TIFFScanlineSize64(tiff_.get())));
    if (row.size() < std::size_t{image.width} * bits_ / 8) fail("rows are too short");
    for (std::uint32_t y = 0; y < image.height; ++y) {
      if (TIFFReadScanline(tiff_.get(), row.data(), y) < 0)
        fail(fmt::format("row {}: {}", y, last_message));
      for (std::uint32_t x = 0; x < image.width; ++x)
        image.labels[std::size_t{y} * image.width + x] = pixel(row, x);
    }
  }

  void read_tiles(LabelImage& image) {
    std::uint32_t width = 0, height = 0;
    TIFFGetField(tiff_.get(), TIFFTAG_TILEWIDTH, &width);
    TIFFGetField(tiff_.get(), TIFFTAG_TILELENGTH, &height);
    std::vector<std::uint8_t> tile(static_cast<std::size_t>(TIFFTileSize64(tiff_.get())));
    if (width == 0 || height == 0 || tile.size() < std::size_t{width} * height * bits_ / 8)
      fail("tiles of no size");
    for (std::uint32_t y0 = 0; y0 < image.height; y0 += height)
      for (std::uint32_t x0 = 0; x0 < image.width; x0 += width) {
        if (TIFFReadTile(tiff_.get(), tile.data(), x0, y0, 0, 0) < 0)
          fail(fmt::format("tile at {}, {}: {}", x0, y0, last_message));
        for (std::uint32_t y = y0; y < std::min(y0 + height, image.height); ++y)
          for (std::uint32_t x = x0; x < std::min(x0 + width, image.width); ++x)
            image.labels[std::size_t{y} * image.width + x] =
                pixel(tile, std::size_t{y - y0} * width + (x - x0));
      }
  }

  std::string path_;
  std::unique_ptr<TIFF, Closer> tiff_;
  std::uint16_t bits_ = 0;
  bool signed_ = false;
};

}  // namespace

LabelImage read_label_tiff(const std::filesystem::path& file) {
  if (std::filesystem::is_directory(file))
    throw InputError("is a directory", {.file = file.string()});
  return Reader(file).read();
}

}  // namespace nucreg
