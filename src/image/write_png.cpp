#include "nucreg/image/write_png.hpp"

#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>

#include "nucreg/core/error.hpp"

namespace nucreg {
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

  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  if (stream) return;
  const std::string reason = std::strerror(errno);
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  fail(reason);
}

}  // namespace nucreg
