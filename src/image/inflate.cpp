#include "inflate.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>

namespace nucreg {

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
  std::byte one_more{};  // a stream that goes on behind its last byte is told by this
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
