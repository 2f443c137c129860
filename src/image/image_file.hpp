// Bytes of an image file: read at places, checked, gathered, inflated.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "nucreg/disk/files.hpp"

namespace nucreg {

static_assert(std::endian::native == std::endian::little, "pixels are handed out as they lie");

/// A number out of bytes that need not be aligned.
template <class T>
[[nodiscard]] T load_little(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// An open file. What is parsed is a copy, so that it cannot change under the parser. Functions may
/// be called from one thread at a time.
class ImageFile {
 public:
  /// Throws ImageError on a file that cannot be opened, is not regular or is empty.
  explicit ImageFile(const std::filesystem::path& path);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// Bytes [offset, offset + size). Throws ImageError beyond the end and if the file has been cut
  /// off since it was opened.
  [[nodiscard]] std::vector<std::byte> copy(std::uint64_t offset, std::uint64_t size) const;
  void copy(std::uint64_t offset, std::uint64_t size, std::byte* to) const;

  /// `rows` x `width` values of `value_bytes`, `pixel_bytes` and `row_bytes` apart in the file,
  /// packed into `to`. Throws as copy() does.
  struct Grid {
    std::uint64_t offset = 0, rows = 0, width = 0;
    std::uint64_t row_bytes = 0, pixel_bytes = 0, value_bytes = 0;
  };
  void gather(const Grid& grid, std::byte* to) const;

 private:
  void check_inside(std::uint64_t offset, std::uint64_t size) const;

  std::string path_;
  Descriptor file_;
  std::uint64_t size_ = 0;
};

/// Whether zlib could make `inflated` bytes of `deflated`: it never makes more than 1032 of one.
[[nodiscard]] bool may_inflate_to(std::uint64_t deflated, std::uint64_t inflated);

/// Inflates one zlib stream in pieces of `piece.size()` bytes (the last may be shorter), each
/// passed to `take`. Empty if the stream gave exactly `total` bytes and ended; else what was wrong.
[[nodiscard]] std::string inflate_pieces(std::span<const std::byte> deflated, std::uint64_t total,
                                         std::span<std::byte> piece,
                                         const std::function<void(std::size_t size)>& take);

}  // namespace nucreg
