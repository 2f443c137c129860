// A file mapped into memory, and copies out of it that survive its being cut off meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nucreg {

class MappedFile {
 public:
  /// Throws InputError on a file that cannot be opened, that is not regular or that is empty.
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// Bytes [offset, offset + size), copied: what is parsed cannot change under the parser. Throws
  /// InputError beyond the end and where the file has been cut off since it was opened.
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
  [[noreturn]] void fail_torn(std::uint64_t offset) const;

  std::string path_;
  const std::byte* data_ = nullptr;
  std::uint64_t size_ = 0;
};

}  // namespace nucreg
