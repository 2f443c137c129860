#include "checksum.hpp"

#include <libdeflate.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <vector>

#include "attribute.hpp"
#include "dataset.hpp"
#include "input_file.hpp"
#include "new_file.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/disk/files.hpp"
#include "nucreg/store/result_file.hpp"
#include "table_columns.hpp"
#include "types.hpp"

namespace nucreg {
namespace hdf5 {
namespace {

constexpr const char* path_of_checksum = "/checksum";
// Of the root: one flipped bit cannot remove both it and the dataset.
constexpr const char* name_of_checksum = "checksum";
constexpr const char* meaning = "CRC-32 of all bytes of this file, these four taken as zeros";
constexpr std::size_t checksum_bytes = sizeof(std::uint32_t);

std::uint32_t crc_of(const Descriptor& file, const std::filesystem::path& name, std::uint64_t at) {
  std::vector<std::uint8_t> block(std::size_t{1} << 20);
  std::uint32_t crc = 0;
  for (std::uint64_t first = 0;;) {
    const ssize_t count = pread(file.get(), block.data(), block.size(), static_cast<off_t>(first));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      throw InputError(std::generic_category().message(errno), {.file = name.string()});
    if (count == 0) return crc;
    const std::uint64_t end = first + static_cast<std::uint64_t>(count);
    for (std::uint64_t byte = std::max(first, at); byte < std::min(end, at + checksum_bytes);
         ++byte)
      block[byte - first] = 0;
    crc = libdeflate_crc32(crc, block.data(), static_cast<std::size_t>(count));
    first = end;
  }
}

}  // namespace

std::uint64_t add_checksum(hid_t file) {
  write_attribute(file, name_of_checksum, std::string(meaning), "/");
  const Handle type = type_of<std::uint32_t>();
  const Handle space(H5Screate(H5S_SCALAR), "H5Screate", path_of_checksum);
  const Handle options(H5Pcreate(H5P_DATASET_CREATE), "H5Pcreate");
  no_times(options.get(), path_of_checksum);
  check(H5Pset_layout(options.get(), H5D_CONTIGUOUS), "H5Pset_layout", path_of_checksum);
  check(H5Pset_alloc_time(options.get(), H5D_ALLOC_TIME_EARLY), "H5Pset_alloc_time",
        path_of_checksum);
  const Handle dataset(H5Dcreate2(file, path_of_checksum, type.get(), space.get(), H5P_DEFAULT,
                                  options.get(), H5P_DEFAULT),
                       "H5Dcreate2", path_of_checksum);
  const std::uint32_t none = 0;
  check(H5Dwrite(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, &none), "H5Dwrite",
        path_of_checksum);
  write_attribute(dataset.get(), "description", std::string(meaning), path_of_checksum);
  const haddr_t at = H5Dget_offset(dataset.get());
  if (at == HADDR_UNDEF) throw Failure("H5Dget_offset", last_reason(), path_of_checksum);
  return at;
}

void fill_checksum(const std::filesystem::path& file, std::uint64_t at,
                   const std::filesystem::path& name) {
  const std::uint32_t crc = crc_of(open_to_read(file, Owner::ours), file, at);
  const Descriptor opened = open_to_write(file, Opened::kept);
  if (pwrite(opened.get(), &crc, sizeof crc, static_cast<off_t>(at)) != sizeof crc)
    throw OutputError(std::string("write: ") + std::strerror(errno), {.file = name.string()});
}

namespace {

/// What a file says of its checksum, if it says anything.
struct Claimed {
  std::uint64_t at = 0;
  std::uint32_t crc = 0;
};

std::optional<Claimed> claimed_by(hid_t file) {
  const Handle dataset(H5Dopen2(file, path_of_checksum, H5P_DEFAULT), "H5Dopen2", path_of_checksum);
  const Handle space(H5Dget_space(dataset.get()), "H5Dget_space", path_of_checksum);
  const haddr_t at = H5Dget_offset(dataset.get());
  if (at == HADDR_UNDEF || H5Sget_simple_extent_npoints(space.get()) != 1) return std::nullopt;
  Claimed claimed{.at = at};
  check(H5Dread(dataset.get(), type_of<std::uint32_t>().get(), H5S_ALL, H5S_ALL, H5P_DEFAULT,
                &claimed.crc),
        "H5Dread", path_of_checksum);
  return claimed;
}

}  // namespace
}  // namespace hdf5

std::optional<bool> checksum_matches(const std::filesystem::path& path) {
  return hdf5::rethrow_as<InputError>(path, [&]() -> std::optional<bool> {
    const hdf5::Handle file = hdf5::open_input(path, "a result of nucreg");
    const bool named = hdf5::read_attribute(file.get(), hdf5::name_of_checksum, "/").has_value();
    const bool there = hdf5::has_link(file.get(), hdf5::path_of_checksum);
    if (!named && !there) return std::nullopt;
    if (!named || !there) return false;
    const auto claimed = hdf5::claimed_by(file.get());
    return claimed && hdf5::crc_of(open_to_read(path), path, claimed->at) == claimed->crc;
  });
}

}  // namespace nucreg
