#include "new_file.hpp"

#include <libdeflate.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <vector>

#include "dataset.hpp"
#include "hdf5.hpp"
#include "input_file.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/disk/files.hpp"
#include "nucreg/disk/publish.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg::hdf5 {
namespace {

// A checksum of a whole file within it.

constexpr const char* path_of_checksum = "/checksum";
// In the root: one flipped bit cannot remove both it and the dataset.
constexpr const char* name_of_checksum = "checksum";
constexpr const char* meaning = "CRC-32 of all bytes of this file, these four taken as zeros";
constexpr std::size_t checksum_bytes = sizeof(std::uint32_t);

std::uint32_t crc_of(const Descriptor& file, const std::filesystem::path& name, std::uint64_t at) {
  std::vector<std::byte> block(std::size_t{1} << 20);
  std::uint32_t crc = 0;
  for (std::uint64_t first = 0;;) {
    const auto count = read_at(file, first, block);
    if (!count) throw InputError(std::generic_category().message(errno), {.file = name.string()});
    if (*count == 0) return crc;
    const std::uint64_t end = first + *count;
    for (std::uint64_t byte = std::max(first, at); byte < std::min(end, at + checksum_bytes);
         ++byte)
      block[byte - first] = std::byte{0};
    crc = libdeflate_crc32(crc, block.data(), *count);
    first = end;
  }
}

/// Adds the dataset /checksum, four bytes, and the attribute that says what it is; returns where in
/// the file they will lie. Throws Failure.
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

/// Fills those bytes of a file that is closed: the CRC-32 of all others, these taken as zeros.
/// Throws OutputError naming `name`, which it will have, or InputError.
void fill_checksum(const std::filesystem::path& file, std::uint64_t at,
                   const std::filesystem::path& name) {
  const std::uint32_t crc = crc_of(open_to_read(file, Owner::ours), file, at);
  Descriptor opened = open_to_write(file, Opened::kept);
  if (write_some_at(opened, at, std::as_bytes(std::span(&crc, 1))) < sizeof crc)
    throw OutputError(std::string("write: ") + std::strerror(errno), {.file = name.string()});
  sync_and_close(opened, name);
}

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

// How the HDF5 library writes a new file. The library cannot close what it failed to write: it
// keeps it open and crashes over it at exit. This driver never lets it see a failure.

/// What access properties carry to open_file.
struct Access {
  Descriptor* opened;  // taken by it
  WriteError* error;
};

struct OutputFile {
  H5FD_t base;  // the library's part comes first
  Descriptor descriptor;
  haddr_t allocated;  // the library's "end of allocation"
  haddr_t size;       // its "end of file"
  WriteError* error;

  void failed(const char* call) const {
    if (error->code == 0) *error = {call, errno};
  }
};

OutputFile& output(H5FD_t* file) {
  return *reinterpret_cast<OutputFile*>(file);
}
const OutputFile& output(const H5FD_t* file) {
  return *reinterpret_cast<const OutputFile*>(file);
}

H5FD_t* open_file(const char* /*name*/, unsigned /*flags*/, hid_t access, haddr_t /*max*/) {
  const auto* carried = static_cast<const Access*>(H5Pget_driver_info(access));
  auto* made = new OutputFile{.descriptor = std::move(*carried->opened), .error = carried->error};
  return &made->base;
}

herr_t close_file(H5FD_t* file) {
  OutputFile& f = output(file);
  if (f.error->code == 0 && fsync(f.descriptor.get()) != 0) f.failed("fsync");
  if (close(f.descriptor.release()) != 0) f.failed("close");
  delete &f;
  return 0;
}

herr_t write_bytes(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, std::size_t bytes,
                   const void* data) {
  OutputFile& f = output(file);
  f.size = std::max<haddr_t>(f.size, at + bytes);
  const auto* from = static_cast<const std::byte*>(data);
  if (f.error->code == 0 && write_some_at(f.descriptor, at, {from, bytes}) < bytes)
    f.failed("write");
  return 0;
}

herr_t read_bytes(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, std::size_t bytes, void* data) {
  OutputFile& f = output(file);
  auto* to = static_cast<std::byte*>(data);
  const auto got = read_at(f.descriptor, at, {to, bytes});
  if (!got) f.failed("read");
  // The library may read what it has allocated and not yet written.
  std::fill(to + got.value_or(0), to + bytes, std::byte{0});
  return 0;
}

herr_t truncate_file(H5FD_t* file, hid_t, hbool_t) {
  OutputFile& f = output(file);
  if (f.error->code == 0 && ftruncate(f.descriptor.get(), static_cast<off_t>(f.allocated)) != 0)
    f.failed("ftruncate");
  f.size = f.allocated;
  return 0;
}

herr_t query_features(const H5FD_t*, unsigned long* features) {
  *features = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
              H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

hid_t register_driver() {
  H5FD_class_t driver{};
  driver.name = "nucreg_output";
  driver.maxaddr = HADDR_MAX >> 1;
  driver.fc_degree = H5F_CLOSE_WEAK;
  driver.fapl_size = sizeof(Access);
  driver.open = open_file;
  driver.close = close_file;
  driver.query = query_features;
  driver.get_eoa = [](const H5FD_t* file, H5FD_mem_t) { return output(file).allocated; };
  driver.set_eoa = [](H5FD_t* file, H5FD_mem_t, haddr_t end) -> herr_t {
    output(file).allocated = end;
    return 0;
  };
  driver.get_eof = [](const H5FD_t* file, H5FD_mem_t) { return output(file).size; };
  driver.read = read_bytes;
  driver.write = write_bytes;
  driver.truncate = truncate_file;
  constexpr H5FD_mem_t free_lists[] = H5FD_FLMAP_DICHOTOMY;
  std::copy(std::begin(free_lists), std::end(free_lists), driver.fl_map);
  return check(H5FDregister(&driver), "H5FDregister");
}

/// Access properties for H5Fcreate. `error` must outlive the file, and is to be looked at after
/// each call of the library and after closing, by which time the file has been synced. `opened`:
/// taken by H5Fcreate.
Handle output_access(Descriptor& opened, WriteError& error) {
  static const hid_t driver = register_driver();
  const Access carried{&opened, &error};
  Handle access(H5Pcreate(H5P_FILE_ACCESS), "H5Pcreate");
  check(H5Pset_driver(access.get(), driver, &carried), "H5Pset_driver");
  return access;
}

}  // namespace

NewFile::NewFile(std::filesystem::path target)
    : target_(std::move(target)), temporary_(temporary_beside(target_)) {
  silence();
  demand_memory();
  Descriptor opened = open_temporary(target_);
  try {
    attempt([&] {
      const Handle access = output_access(opened, error_);
      file_ = Handle(H5Fcreate(temporary_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()),
                     "H5Fcreate");
    });
  } catch (...) {
    remove_quietly(temporary_);
    throw;
  }
}

NewFile::~NewFile() {
  if (published_) return;
  if (error_.code == 0) error_ = {"close", ECANCELED};  // nothing more needs to reach the disk
  file_ = Handle();
  remove_quietly(temporary_);
}

void NewFile::throw_if_unwritten() const {
  if (error_.code != 0)
    throw OutputError(error_.call + (": " + std::generic_category().message(error_.code)),
                      {.file = target_.string()});
}

void NewFile::seal() {
  attempt([&] { checksum_at_ = add_checksum(file_.get()); });
}

void NewFile::publish(bool overwrite) {
  attempt([&] { file_.close("H5Fclose"); });
  if (checksum_at_) fill_checksum(temporary_, *checksum_at_, target_);
  publish_file(temporary_, target_, overwrite);
  published_ = true;
}

void describe(hid_t file, const std::string& path, const std::string& description) {
  const Handle object(H5Oopen(file, path.c_str(), H5P_DEFAULT), "H5Oopen", path);
  write_attribute(object.get(), "description", description, path);
}

}  // namespace nucreg::hdf5

namespace nucreg {

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
