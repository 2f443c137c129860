#include "mapped_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bus_guard.hpp"
#include "nucreg/image/image_error.hpp"

namespace nucreg {
namespace {

struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

[[noreturn]] void fail_errno(const std::string& path, const char* call) {
  throw ImageError(fmt::format("{}: {}", call, std::strerror(errno)), {path, "unreadable"});
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path.string()) {
  // A pipe would wait for its writer; the kind is looked at below.
  const Descriptor file{::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.number < 0) fail_errno(path_, "open");
  struct stat facts {};
  if (::fstat(file.number, &facts) != 0) fail_errno(path_, "fstat");
  if (S_ISDIR(facts.st_mode)) throw ImageError("is a directory", {path_, "directory"});
  if (!S_ISREG(facts.st_mode)) throw ImageError("is not a regular file", {path_, "unreadable"});
  if (facts.st_size == 0) throw ImageError("is empty", {path_, "empty"});
  size_ = static_cast<std::uint64_t>(facts.st_size);
  void* map = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file.number, 0);
  if (map == MAP_FAILED) fail_errno(path_, "mmap");
  data_ = static_cast<const std::byte*>(map);
}

MappedFile::~MappedFile() {
  ::munmap(const_cast<std::byte*>(data_), size_);
}

std::vector<std::byte> MappedFile::copy(std::uint64_t offset, std::uint64_t size) const {
  check_inside(offset, size);  // before memory is taken
  std::vector<std::byte> bytes(size);
  copy(offset, size, bytes.data());
  return bytes;
}

void MappedFile::copy(std::uint64_t offset, std::uint64_t size, std::byte* to) const {
  if (size == 0) return;
  gather({.offset = offset,
          .rows = 1,
          .width = 1,
          .row_bytes = size,
          .pixel_bytes = size,
          .value_bytes = size},
         to);
}

namespace {

template <std::size_t bytes>
void gather_row(const std::byte* from, std::byte* to, std::uint64_t width, std::uint64_t step) {
  for (std::uint64_t x = 0; x < width; ++x) std::memcpy(to + x * bytes, from + x * step, bytes);
}

// No object in here has a destructor: bus_guard leaves it by a jump.
void gather_rows(const MappedFile::Grid& grid, const std::byte* from, std::byte* to) {
  for (std::uint64_t y = 0; y < grid.rows; ++y) {
    if (grid.pixel_bytes == grid.value_bytes)
      std::memcpy(to, from, grid.width * grid.value_bytes);
    else if (grid.value_bytes == 1)
      gather_row<1>(from, to, grid.width, grid.pixel_bytes);
    else if (grid.value_bytes == 2)
      gather_row<2>(from, to, grid.width, grid.pixel_bytes);
    else
      gather_row<4>(from, to, grid.width, grid.pixel_bytes);
    from += grid.row_bytes;
    to += grid.width * grid.value_bytes;
  }
}

}  // namespace

void MappedFile::gather(const Grid& grid, std::byte* to) const {
  const std::uint64_t last_row = (grid.width - 1) * grid.pixel_bytes + grid.value_bytes;
  check_inside(grid.offset, (grid.rows - 1) * grid.row_bytes + last_row);
  const std::byte* from = data_ + grid.offset;
  if (!bus_guard({data_, data_ + size_}, [&] { gather_rows(grid, from, to); }))
    fail_torn(grid.offset);
}

void MappedFile::check_inside(std::uint64_t offset, std::uint64_t size) const {
  if (offset > size_ || size > size_ - offset)
    throw ImageError(fmt::format("{} bytes wanted, the file has {}", size, size_),
                     {path_, "truncated", "", offset});
}

void MappedFile::fail_torn(std::uint64_t offset) const {
  throw ImageError(fmt::format("cut off while it was read; it had {} bytes when opened", size_),
                   {path_, "truncated", "", offset});
}

}  // namespace nucreg
