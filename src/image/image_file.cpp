#include "image_file.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "nucreg/image/image.hpp"

namespace nucreg {
namespace {

// Bytes of rows that are read at once to pick values out of them.
constexpr std::uint64_t block_bytes = std::uint64_t{1} << 20;

template <std::size_t bytes>
void gather_row(const std::byte* from, std::byte* to, std::uint64_t width, std::uint64_t step) {
  for (std::uint64_t x = 0; x < width; ++x) std::memcpy(to + x * bytes, from + x * step, bytes);
}

void pick(const std::byte* from, std::byte* to, const ImageFile::Grid& grid) {
  if (grid.pixel_bytes == grid.value_bytes)
    std::memcpy(to, from, grid.width * grid.value_bytes);
  else if (grid.value_bytes == 1)
    gather_row<1>(from, to, grid.width, grid.pixel_bytes);
  else if (grid.value_bytes == 2)
    gather_row<2>(from, to, grid.width, grid.pixel_bytes);
  else
    gather_row<4>(from, to, grid.width, grid.pixel_bytes);
}

}  // namespace

ImageFile::ImageFile(const std::filesystem::path& path) : path_(path.string()) {
  try {
    file_ = open_to_read(path);
    size_ = size_of(file_, path);
  } catch (const InputError& error) {
    std::error_code ignored;
    const bool folder = std::filesystem::is_directory(path, ignored);
    throw ImageError(error.problem(), {path_, folder ? "directory" : "unreadable"});
  }
  if (size_ == 0) throw ImageError("is empty", {path_, "empty"});
}

std::vector<std::byte> ImageFile::copy(std::uint64_t offset, std::uint64_t size) const {
  check_inside(offset, size);  // before memory is taken
  std::vector<std::byte> bytes(size);
  copy(offset, size, bytes.data());
  return bytes;
}

void ImageFile::copy(std::uint64_t offset, std::uint64_t size, std::byte* to) const {
  check_inside(offset, size);
  const auto got = read_at(file_, offset, {to, size});
  if (!got) throw ImageError(std::strerror(errno), {path_, "unreadable"});
  if (*got < size)
    throw ImageError(fmt::format("cut off while it was read; it had {} bytes when opened", size_),
                     {path_, "truncated", "", offset + *got});
}

void ImageFile::gather(const Grid& grid, std::byte* to) const {
  const std::uint64_t packed = grid.width * grid.value_bytes;
  const std::uint64_t last_row = (grid.width - 1) * grid.pixel_bytes + grid.value_bytes;
  check_inside(grid.offset, (grid.rows - 1) * grid.row_bytes + last_row);
  if (grid.pixel_bytes == grid.value_bytes && grid.row_bytes == packed)
    return copy(grid.offset, grid.rows * packed, to);
  const std::uint64_t rows = std::clamp<std::uint64_t>(block_bytes / grid.row_bytes, 1, grid.rows);
  std::vector<std::byte> block((rows - 1) * grid.row_bytes + last_row);
  for (std::uint64_t first = 0; first < grid.rows; first += rows) {
    const std::uint64_t here = std::min(rows, grid.rows - first);
    copy(grid.offset + first * grid.row_bytes, (here - 1) * grid.row_bytes + last_row,
         block.data());
    for (std::uint64_t y = 0; y < here; ++y, to += packed)
      pick(block.data() + y * grid.row_bytes, to, grid);
  }
}

void ImageFile::check_inside(std::uint64_t offset, std::uint64_t size) const {
  if (offset > size_ || size > size_ - offset)
    throw ImageError(fmt::format("{} bytes wanted, the file has {}", size, size_),
                     {path_, "truncated", "", offset});
}

bool may_inflate_to(std::uint64_t deflated, std::uint64_t inflated) {
  return inflated / 1032 <= deflated;
}

std::string inflate_pieces(std::span<const std::byte> deflated, std::uint64_t total,
                           std::span<std::byte> piece,
                           const std::function<void(std::size_t size)>& take) {
  // zlib counts in 32 bits.
  constexpr std::size_t most = std::numeric_limits<uInt>::max();
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return "zlib cannot start";
  struct End {
    z_stream* stream;
    ~End() { inflateEnd(stream); }
  } const end{&stream};

  std::uint64_t made = 0;
  int state = Z_OK;
  std::byte one_more{};  // shows a stream that continues behind its last byte
  while (state != Z_STREAM_END) {
    const bool full = made == total;
    const std::size_t want =
        full ? 1 : static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), total - made));
    std::byte* const to = full ? &one_more : piece.data();
    std::size_t got = 0;
    while (got < want && state != Z_STREAM_END) {
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(deflated.data()));
      const auto room_in = static_cast<uInt>(std::min(deflated.size(), most));
      const auto room_out = static_cast<uInt>(std::min(want - got, most));
      stream.avail_in = room_in;
      stream.next_out = reinterpret_cast<Bytef*>(to + got);
      stream.avail_out = room_out;
      state = ::inflate(&stream, Z_NO_FLUSH);
      deflated = deflated.subspan(room_in - stream.avail_in);
      got += room_out - stream.avail_out;
      if (state == Z_BUF_ERROR || (state == Z_OK && deflated.empty() && got < want))
        return fmt::format("the compressed data end after {} of {} bytes", made + got, total);
      if (state != Z_OK && state != Z_STREAM_END)
        return fmt::format("broken compressed data: {}",
                           stream.msg != nullptr ? stream.msg : "a preset dictionary");
    }
    if (full && got != 0) return fmt::format("inflates to more than {} bytes", total);
    if (!full && got > 0) take(got);
    made += full ? 0 : got;
  }
  if (made != total) return fmt::format("inflates to {} bytes instead of {}", made, total);
  return {};
}

}  // namespace nucreg
