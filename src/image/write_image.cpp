#include "nucreg/image/write_image.hpp"

#include <fmt/format.h>
#include <tiffio.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/disk/publish.hpp"

namespace nucreg {
namespace {

constexpr std::uint64_t strip_bytes = 256 << 10;
constexpr std::uint64_t max_classic_bytes = 4000000000;  // above: BigTIFF

int keep_message(TIFF*, void* to, const char*, const char* format, va_list arguments) {
  char text[512];
  std::vsnprintf(text, sizeof text, format, arguments);
  *static_cast<std::string*>(to) = text;
  return 1;
}

void pack_row(const PlaneView& plane, std::size_t y, std::size_t value_bytes, std::byte* to) {
  const std::byte* from = plane.data + y * plane.row_bytes;
  if (plane.pixel_bytes == value_bytes) {
    std::memcpy(to, from, plane.width_px * value_bytes);
    return;
  }
  for (std::size_t x = 0; x < plane.width_px; ++x)
    std::memcpy(to + x * value_bytes, from + x * plane.pixel_bytes, value_bytes);
}

class Writer {
 public:
  Writer(const std::filesystem::path& file, bool big) : Writer(file) {
    TIFFOpenOptions* const options = TIFFOpenOptionsAlloc();
    TIFFOpenOptionsSetErrorHandlerExtR(options, keep_message, &message_);
    tiff_ = TIFFFdOpenExt(descriptor_.get(), path_.c_str(), big ? "w8" : "w", options);
    TIFFOpenOptionsFree(options);
    if (tiff_ == nullptr) fail();
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() {
    if (tiff_ != nullptr) TIFFCleanup(tiff_);
    if (!written_) remove_quietly(path_);
  }

  void write(const PlaneView& plane, const TiffOptions& options, int deflate_level) {
    const std::size_t value_bytes = bytes_of(plane.type);
    const std::size_t row_bytes = plane.width_px * value_bytes;
    const auto rows_per_strip = static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(strip_bytes / row_bytes, 1, plane.height_px));
    set_tags(plane, options, rows_per_strip, deflate_level);
    std::vector<std::byte> strip(row_bytes * rows_per_strip);
    errno = 0;
    for (std::size_t y0 = 0, number = 0; y0 < plane.height_px; y0 += rows_per_strip, ++number) {
      const std::size_t rows = std::min<std::size_t>(rows_per_strip, plane.height_px - y0);
      for (std::size_t y = 0; y < rows; ++y)
        pack_row(plane, y0 + y, value_bytes, &strip[y * row_bytes]);
      if (TIFFWriteEncodedStrip(tiff_, static_cast<std::uint32_t>(number), strip.data(),
                                static_cast<tmsize_t>(rows * row_bytes)) < 0)
        fail();
    }
    if (TIFFWriteDirectory(tiff_) != 1 || TIFFFlush(tiff_) != 1) fail();
    TIFFCleanup(std::exchange(tiff_, nullptr));  // which leaves the closing to us: TIFFClose would
    sync_and_close(descriptor_, path_);          // not say that it failed
    written_ = true;
  }

 private:
  explicit Writer(const std::filesystem::path& file)
      : path_(file.string()), descriptor_(open_to_write(file, Opened::empty)) {}

  void set_tags(const PlaneView& plane, const TiffOptions& options, std::uint32_t rows_per_strip,
                int deflate_level) {
    const bool is_float = plane.type == PixelType::f32;
    TIFFSetField(tiff_, TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(plane.width_px));
    TIFFSetField(tiff_, TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(plane.height_px));
    TIFFSetField(tiff_, TIFFTAG_BITSPERSAMPLE, static_cast<int>(8 * bytes_of(plane.type)));
    TIFFSetField(tiff_, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(tiff_, TIFFTAG_SAMPLEFORMAT, is_float ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT);
    TIFFSetField(tiff_, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tiff_, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tiff_, TIFFTAG_ROWSPERSTRIP, rows_per_strip);
    TIFFSetField(tiff_, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE);
    // ImageJ and a plain tifffile do not know the predictor for floats.
    TIFFSetField(tiff_, TIFFTAG_PREDICTOR, is_float ? PREDICTOR_NONE : PREDICTOR_HORIZONTAL);
    TIFFSetField(tiff_, TIFFTAG_ZIPQUALITY, deflate_level);
    if (!options.description.empty())
      TIFFSetField(tiff_, TIFFTAG_IMAGEDESCRIPTION, options.description.c_str());
    if (!options.pixel_size_um) return;
    const double width_um = *options.pixel_size_um;
    TIFFSetField(tiff_, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
    TIFFSetField(tiff_, TIFFTAG_XRESOLUTION, 1e4 / width_um);
    TIFFSetField(tiff_, TIFFTAG_YRESOLUTION, 1e4 / options.pixel_height_um.value_or(width_um));
  }

  [[noreturn]] void fail() const {
    const int code = errno;  // of the last call to the system: libtiff does not say why
    // libtiff begins with the name that it was given, which the error has already.
    std::string_view reason = message_;
    if (reason.starts_with(path_ + ": ")) reason.remove_prefix(path_.size() + 2);
    std::string text = reason.empty() ? "cannot be written" : std::string(reason);
    if (code != 0) text += std::string(": ") + std::strerror(code);
    throw OutputError(text, {.file = path_});
  }

  std::string path_, message_;
  Descriptor descriptor_;
  TIFF* tiff_ = nullptr;
  bool written_ = false;
};

void write_page(const std::filesystem::path& file, const PlaneView& plane,
                const TiffOptions& options, int deflate_level) {
  if (plane.width_px == 0 || plane.height_px == 0)
    throw OutputError("an image without pixels cannot be written", {.file = file.string()});
  const std::uint64_t bytes =
      std::uint64_t{plane.width_px} * plane.height_px * bytes_of(plane.type);
  Writer(file, bytes > max_classic_bytes).write(plane, options, deflate_level);
}

}  // namespace

void write_tiff(const std::filesystem::path& file, const PlaneView& plane,
                const TiffOptions& options) {
  write_page(file, plane, options, 6);
}

void write_label_tiff(const std::filesystem::path& file, const LabelImage& image,
                      const TiffOptions& options) {
  const std::uint32_t highest =
      image.labels.empty() ? 0 : *std::max_element(image.labels.begin(), image.labels.end());
  PlaneView view{.data = reinterpret_cast<const std::byte*>(image.labels.data()),
                 .width_px = image.width,
                 .height_px = image.height,
                 .row_bytes = image.width * sizeof(std::uint32_t),
                 .pixel_bytes = sizeof(std::uint32_t),
                 .type = PixelType::u32};
  // The low half of a little-endian value lies first, where a plane of u16 looks for it.
  if (highest <= 0xffff) view.type = PixelType::u16;
  // Labels are long runs: a higher level costs time and saves little.
  write_page(file, view, options, 1);
}

namespace {

void put_u32(std::string& bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xffU);
}

// PNG specification, third edition, 5.3: length, type, data, CRC of type and data.
void put_chunk(std::string& bytes, std::string_view type, std::string_view data) {
  put_u32(bytes, static_cast<std::uint32_t>(data.size()));
  const std::size_t start = bytes.size();
  bytes += type;
  bytes += data;
  put_u32(bytes,
          static_cast<std::uint32_t>(crc32_z(
              0, reinterpret_cast<const Bytef*>(bytes.data() + start), bytes.size() - start)));
}

}  // namespace

bool fits_png(std::size_t width_px, std::size_t height_px) {
  constexpr std::size_t max = std::numeric_limits<std::int32_t>::max();
  return width_px > 0 && height_px > 0 && width_px <= max && height_px <= max &&
         3 * width_px + 1 <= max / height_px;
}

void write_png(const std::filesystem::path& file, const RgbPicture& picture) {
  const auto fail = [&](const std::string& problem) {
    throw OutputError(problem, {.file = file.string()});
  };
  if (!fits_png(picture.width_px, picture.height_px)) fail("a PNG cannot have that size");
  const std::size_t row_bytes = 3 * picture.width_px;

  std::string rows;  // each with its filter before it: 1, the difference to the pixel on the left
  rows.reserve((row_bytes + 1) * picture.height_px);
  for (std::size_t y = 0; y < picture.height_px; ++y) {
    const std::uint8_t* const row = picture.values.data() + y * row_bytes;
    rows += '\1';
    for (std::size_t i = 0; i < row_bytes; ++i)
      rows += static_cast<char>(static_cast<std::uint8_t>(row[i] - (i < 3 ? 0 : row[i - 3])));
  }
  uLongf size = compressBound(static_cast<uLong>(rows.size()));
  std::string packed(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                reinterpret_cast<const Bytef*>(rows.data()), static_cast<uLong>(rows.size()),
                Z_BEST_SPEED) != Z_OK)
    fail("cannot be compressed");
  packed.resize(size);

  std::string bytes = "\x89PNG\r\n\x1a\n";
  std::string header;
  put_u32(header, static_cast<std::uint32_t>(picture.width_px));
  put_u32(header, static_cast<std::uint32_t>(picture.height_px));
  header += std::string("\x08\x02\0\0\0", 5);  // 8 bits, RGB, deflate, filters by row, no interlace
  put_chunk(bytes, "IHDR", header);
  put_chunk(bytes, "IDAT", packed);
  put_chunk(bytes, "IEND", "");

  try {
    write_file(file, bytes);
  } catch (const OutputError&) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(file, ignored)) std::filesystem::remove(file, ignored);
    throw;
  }
}

}  // namespace nucreg
