#include "tiff_file.hpp"

#include <fmt/format.h>
#include <tiffio.h>

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <span>

#include "nucreg/image/image.hpp"

namespace nucreg {
namespace {

constexpr std::uint64_t max_pixels = std::uint64_t{1} << 30;
// Up to here a file may promise what it likes; above, no codec makes more of its bytes.
constexpr std::uint64_t free_bytes = std::uint64_t{64} << 20, max_expansion = 4096;

// Lossless ones and JPEG; those of faxes are for pixels of 1 bit, as scanners and masks have them.
constexpr std::uint16_t understood[] = {
    COMPRESSION_NONE,     COMPRESSION_LZW,  COMPRESSION_ADOBE_DEFLATE, COMPRESSION_DEFLATE,
    COMPRESSION_PACKBITS, COMPRESSION_JPEG, COMPRESSION_ZSTD,          COMPRESSION_LZMA};
constexpr std::uint16_t of_faxes[] = {COMPRESSION_CCITTRLE, COMPRESSION_CCITTRLEW,
                                      COMPRESSION_CCITTFAX3, COMPRESSION_CCITTFAX4};

bool among(std::span<const std::uint16_t> codecs, std::uint16_t compression) {
  return std::ranges::find(codecs, compression) != codecs.end();
}

template <class T>
T tag(TIFF* tiff, std::uint32_t number, T standard) {
  T value = standard;
  return TIFFGetFieldDefaulted(tiff, number, &value) == 1 ? value : standard;
}

}  // namespace

struct TiffFile::Handle {
  TIFF* tiff = nullptr;
  std::string message, warning;

  static int keep(TIFF*, void* own, const char*, const char* format, va_list arguments) {
    char text[512];
    std::vsnprintf(text, sizeof text, format, arguments);
    static_cast<Handle*>(own)->message = text;
    return 1;  // libtiff's own handlers would print
  }
  static int warn(TIFF*, void* own, const char*, const char* format, va_list arguments) {
    char text[512];
    std::vsnprintf(text, sizeof text, format, arguments);
    static_cast<Handle*>(own)->warning = text;
    return 1;
  }
};

void TiffFile::Close::operator()(Handle* handle) const {
  if (handle->tiff != nullptr) TIFFClose(handle->tiff);
  delete handle;
}

TiffFile::TiffFile(const std::filesystem::path& path) : bytes_(path), handle_(new Handle) {
  TIFFOpenOptions* const options = TIFFOpenOptionsAlloc();
  // A strip cannot be larger than its file, nor can a list of strips.
  TIFFOpenOptionsSetMaxSingleMemAlloc(
      options, static_cast<tmsize_t>(std::max(free_bytes, bytes_.size() + (1 << 20))));
  TIFFOpenOptionsSetErrorHandlerExtR(options, Handle::keep, handle_.get());
  TIFFOpenOptionsSetWarningHandlerExtR(options, Handle::warn, handle_.get());
  // Not mapped by libtiff: a file cut off meanwhile then ends a read, not the program.
  handle_->tiff = TIFFOpenExt(bytes_.path().c_str(), "rm", options);
  TIFFOpenOptionsFree(options);
  if (handle_->tiff == nullptr) throw ImageError(message(), {bytes_.path(), "bad-tiff"});
  walk();
}

void TiffFile::walk() {
  TIFF* const tiff = handle_->tiff;
  for (std::size_t directory = 0;; ++directory) {
    const auto kind = tag<std::uint32_t>(tiff, TIFFTAG_SUBFILETYPE, 0);
    directories_.emplace_back();
    if ((kind & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) == 0) {
      directories_.back() = static_cast<std::uint32_t>(pages_.size());
      pages_.push_back(TIFFCurrentDirOffset(tiff));
    }
    if (TIFFLastDirectory(tiff) != 0) break;
    if (TIFFReadDirectory(tiff) != 1)
      throw ImageError(message(),
                       {bytes_.path(), "bad-tiff", fmt::format("directory {}", directory + 1)});
  }
  if (pages_.empty()) throw ImageError("holds no full-size image", {bytes_.path(), "no-image"});
}

void TiffFile::go_to(std::size_t page) {
  if (current_ == page) return;
  current_.reset();
  handle_->message.clear();
  if (TIFFSetSubDirectory(handle_->tiff, pages_[page]) != 1) fail("bad-tiff", message(), page);
  // Colours stored as JPEG likes them come out as RGB.
  if (tag<std::uint16_t>(handle_->tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE) ==
          COMPRESSION_JPEG &&
      tag<std::uint16_t>(handle_->tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK) ==
          PHOTOMETRIC_YCBCR)
    TIFFSetField(handle_->tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  current_ = page;
}

TiffLayout TiffFile::layout(std::size_t page) {
  go_to(page);
  TIFF* const tiff = handle_->tiff;
  TiffLayout layout;
  layout.width_px = tag<std::uint32_t>(tiff, TIFFTAG_IMAGEWIDTH, 0);
  layout.height_px = tag<std::uint32_t>(tiff, TIFFTAG_IMAGELENGTH, 0);
  const std::uint64_t pixels = std::uint64_t{layout.width_px} * layout.height_px;
  if (pixels == 0 || pixels > max_pixels)
    fail("bad-size",
         fmt::format("{} x {} pixels; allowed: 1 to 2^30", layout.width_px, layout.height_px),
         page);

  const auto bits = tag<std::uint16_t>(tiff, TIFFTAG_BITSPERSAMPLE, 1);
  const auto format = tag<std::uint16_t>(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  const bool is_float = format == SAMPLEFORMAT_IEEEFP;
  // 4 means "undefined", which is what it says of plain numbers.
  if (!is_float && format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_INT &&
      format != SAMPLEFORMAT_VOID)
    fail("unsupported-pixels", "complex pixels are not supported", page);
  layout.one_bit = bits == 1 && !is_float;
  if (bits != 32 && !layout.one_bit && (is_float || (bits != 8 && bits != 16)))
    fail("unsupported-pixels",
         fmt::format("{}{} bits per pixel; understood: 1, 8, 16, 32 and float of 32: save it as {}",
                     is_float ? "float of " : "", bits,
                     is_float ? "float of 32 bits" : "8, 16 or 32 bits"),
         page);
  layout.type = is_float     ? PixelType::f32
                : bits <= 8  ? PixelType::u8
                : bits == 16 ? PixelType::u16
                             : PixelType::u32;
  layout.is_signed = format == SAMPLEFORMAT_INT;

  layout.samples = tag<std::uint16_t>(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
  if (layout.samples == 0 || layout.samples > 1024)
    fail("bad-samples", fmt::format("{} samples per pixel", layout.samples), page);
  layout.planar =
      tag<std::uint16_t>(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) == PLANARCONFIG_SEPARATE;
  layout.tiled = TIFFIsTiled(tiff) != 0;
  if (layout.one_bit && layout.samples > 1)
    fail("unsupported-pixels", "several samples of 1 bit: save it as 8 bits", page);
  if (tag<std::uint32_t>(tiff, TIFFTAG_IMAGEDEPTH, 1) != 1)
    fail("unsupported-depth", "voxels are not supported", page);

  // MetaMorph's stacks: as many planes lie behind each other, of which the page names the first.
  constexpr std::uint32_t uic2 = 33629;
  std::uint32_t planes = 0;
  const void* times = nullptr;
  if (TIFFGetField(tiff, uic2, &planes, &times) == 1 && planes > 1)
    fail(
        "unsupported-layout",
        fmt::format("a MetaMorph stack of {} planes: save it as TIFF with a page for each", planes),
        page);

  const auto compression = tag<std::uint16_t>(tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  layout.fax = layout.one_bit && among(of_faxes, compression);
  if (!layout.fax && !among(understood, compression))
    fail("unsupported-compression",
         fmt::format("compression {} is not supported: save it without, or with LZW or Deflate",
                     compression),
         page);
  layout.compressed = compression != COMPRESSION_NONE;
  const auto photometric = tag<std::uint16_t>(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  if (photometric == PHOTOMETRIC_YCBCR && compression != COMPRESSION_JPEG)
    fail("unsupported-colour", "YCbCr without JPEG is not supported", page);
  layout.white_is_zero = photometric == PHOTOMETRIC_MINISWHITE;
  if (layout.white_is_zero && is_float)
    fail("unsupported-colour", "white is zero, where black has no value: not supported", page);
  if (layout.plane_bytes() > free_bytes && layout.plane_bytes() / max_expansion > bytes_.size())
    fail("truncated",
         fmt::format("{} bytes of pixels cannot come out of {} bytes", layout.plane_bytes(),
                     bytes_.size()),
         page);
  return layout;
}

TiffTags TiffFile::tags(std::size_t page) {
  go_to(page);
  TIFF* const tiff = handle_->tiff;
  TiffTags tags;
  if (const char* text = nullptr;
      TIFFGetField(tiff, TIFFTAG_IMAGEDESCRIPTION, &text) == 1 && text != nullptr)
    tags.description = text;
  const auto resolution = [&](std::uint32_t number) {
    const double value = static_cast<double>(tag<float>(tiff, number, 0.0F));
    return value > 0.0 && std::isfinite(value) ? value : 0.0;
  };
  tags.x_resolution = resolution(TIFFTAG_XRESOLUTION);
  tags.y_resolution = resolution(TIFFTAG_YRESOLUTION);
  tags.per_centimetre =
      tag<std::uint16_t>(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH) == RESUNIT_CENTIMETER;
  return tags;
}

std::uint64_t TiffFile::data_offset(std::size_t page) {
  go_to(page);
  TIFF* const tiff = handle_->tiff;
  const std::uint64_t start = TIFFGetStrileOffset(tiff, 0);
  std::uint64_t next = start;
  for (std::uint32_t n = 0; n < TIFFNumberOfStrips(tiff); ++n) {
    if (TIFFGetStrileOffset(tiff, n) != next)
      fail("unsupported-layout", "images behind strips that lie apart are not supported", page);
    next += TIFFGetStrileByteCount(tiff, n);
  }
  return start;
}

bool TiffFile::swapped() const {
  return TIFFIsByteSwapped(handle_->tiff) != 0;
}

void TiffFile::read(std::size_t page, const TiffLayout& layout, std::uint16_t sample,
                    std::byte* to) {
  go_to(page);
  handle_->message.clear();
  handle_->warning.clear();
  if (layout.tiled)
    read_tiles(page, layout, sample, to);
  else
    read_strips(page, layout, sample, to);
  // A line that cannot be decoded is left white by libtiff, which only warns of it.
  const std::string& damage = handle_->message.empty() ? handle_->warning : handle_->message;
  if (layout.fax && !damage.empty()) fail("truncated", damage, page);
}

void TiffFile::check_piece(std::size_t page, std::uint64_t piece_bytes) const {
  if (piece_bytes == 0 || (piece_bytes > free_bytes && piece_bytes / max_expansion > bytes_.size()))
    fail("bad-tiff", fmt::format("strips or tiles of {} bytes", piece_bytes), page);
}

namespace {

/// Pixels of one bit, the highest of a byte first.
void unpack_bits(const std::byte* from, std::size_t width, std::byte* to) {
  for (std::size_t x = 0; x < width; ++x) {
    const bool set = (from[x / 8] & (std::byte{0x80} >> (x % 8))) != std::byte{0};
    to[x] = set ? std::byte{0xff} : std::byte{0};
  }
}

/// Of a row of so many pixels in the file.
std::size_t bytes_of_row(const TiffLayout& layout, std::size_t step, std::size_t width) {
  return layout.one_bit ? (width + 7) / 8 : step * width;
}

/// One sample of `width` interleaved pixels.
void pick(const std::byte* from, std::size_t step, std::size_t width, std::size_t value_bytes,
          std::byte* to) {
  if (step == value_bytes) {
    std::memcpy(to, from, width * value_bytes);
    return;
  }
  for (std::size_t x = 0; x < width; ++x)
    std::memcpy(to + x * value_bytes, from + x * step, value_bytes);
}

}  // namespace

void TiffFile::read_strips(std::size_t page, const TiffLayout& layout, std::uint16_t sample,
                           std::byte* to) {
  TIFF* const tiff = handle_->tiff;
  const std::size_t value_bytes = bytes_of(layout.type);
  const std::size_t step = layout.planar ? value_bytes : value_bytes * layout.samples;
  const std::size_t row_bytes = bytes_of_row(layout, step, layout.width_px);
  const std::uint32_t rows_per_strip = std::clamp<std::uint32_t>(
      tag<std::uint32_t>(tiff, TIFFTAG_ROWSPERSTRIP, layout.height_px), 1, layout.height_px);
  const std::uint64_t strip_bytes = std::uint64_t{row_bytes} * rows_per_strip;
  check_piece(page, strip_bytes);
  // What libtiff would write must be what is expected, whatever tags a codec looks at.
  if (TIFFStripSize64(tiff) != strip_bytes)
    fail("bad-tiff",
         fmt::format("strips of {} bytes instead of {}", TIFFStripSize64(tiff), strip_bytes), page);
  std::vector<std::byte> strip(strip_bytes);
  for (std::uint32_t y0 = 0; y0 < layout.height_px; y0 += rows_per_strip) {
    const std::uint32_t rows = std::min(rows_per_strip, layout.height_px - y0);
    const auto want = static_cast<tmsize_t>(row_bytes * rows);
    const std::uint32_t number = TIFFComputeStrip(tiff, y0, layout.planar ? sample : 0);
    if (TIFFReadEncodedStrip(tiff, number, strip.data(), want) != want)
      fail("truncated", fmt::format("row {}: {}", y0, message()), page);
    const std::byte* from = strip.data() + (layout.planar ? 0 : sample * value_bytes);
    for (std::uint32_t y = 0; y < rows; ++y, from += row_bytes, to += layout.width_px * value_bytes)
      if (layout.one_bit)
        unpack_bits(from, layout.width_px, to);
      else
        pick(from, step, layout.width_px, value_bytes, to);
  }
}

void TiffFile::read_tiles(std::size_t page, const TiffLayout& layout, std::uint16_t sample,
                          std::byte* to) {
  TIFF* const tiff = handle_->tiff;
  const auto width = tag<std::uint32_t>(tiff, TIFFTAG_TILEWIDTH, 0);
  const auto height = tag<std::uint32_t>(tiff, TIFFTAG_TILELENGTH, 0);
  const std::size_t value_bytes = bytes_of(layout.type);
  const std::size_t step = layout.planar ? value_bytes : value_bytes * layout.samples;
  if (width == 0 || height == 0 || width > max_pixels / height)
    fail("bad-tiff", fmt::format("tiles of {} x {} pixels", width, height), page);
  const std::size_t row_bytes = bytes_of_row(layout, step, width);
  const std::uint64_t tile_bytes = std::uint64_t{row_bytes} * height;
  check_piece(page, tile_bytes);
  if (TIFFTileSize64(tiff) != tile_bytes)
    fail("bad-tiff",
         fmt::format("tiles of {} bytes instead of {}", TIFFTileSize64(tiff), tile_bytes), page);
  std::vector<std::byte> tile(tile_bytes);
  for (std::uint64_t y0 = 0; y0 < layout.height_px; y0 += height)
    for (std::uint64_t x0 = 0; x0 < layout.width_px; x0 += width) {
      const std::uint32_t number =
          TIFFComputeTile(tiff, static_cast<std::uint32_t>(x0), static_cast<std::uint32_t>(y0), 0,
                          layout.planar ? sample : 0);
      const auto want = static_cast<tmsize_t>(tile_bytes);
      if (TIFFReadEncodedTile(tiff, number, tile.data(), want) != want)
        fail("truncated", fmt::format("tile at {}, {}: {}", x0, y0, message()), page);
      const std::uint64_t rows = std::min<std::uint64_t>(height, layout.height_px - y0);
      const std::uint64_t columns = std::min<std::uint64_t>(width, layout.width_px - x0);
      const std::byte* from = tile.data() + (layout.planar ? 0 : sample * value_bytes);
      for (std::uint64_t y = 0; y < rows; ++y, from += row_bytes) {
        std::byte* const row = to + ((y0 + y) * layout.width_px + x0) * value_bytes;
        if (layout.one_bit)
          unpack_bits(from, columns, row);
        else
          pick(from, step, columns, value_bytes, row);
      }
    }
}

std::string TiffFile::message() const {
  return handle_->message.empty() ? "cannot be read" : handle_->message;
}

void TiffFile::fail(std::string code, const std::string& problem, std::size_t page) const {
  throw ImageError(problem, {bytes_.path(), std::move(code), fmt::format("page {}", page),
                             page < pages_.size() ? std::optional(pages_[page]) : std::nullopt});
}

}  // namespace nucreg
