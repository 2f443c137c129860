#include "output_driver.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace nucreg::hdf5 {
namespace {

/// What access properties carry to open_file.
struct Access {
  WriteError* error;
};

struct OutputFile {
  H5FD_t base;  // the library's part comes first
  int descriptor;
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

H5FD_t* open_file(const char* name, unsigned /*flags*/, hid_t access, haddr_t /*max*/) {
  WriteError* error = static_cast<const Access*>(H5Pget_driver_info(access))->error;
  const int descriptor = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    *error = {"open", errno};
    return nullptr;
  }
  auto* made = new OutputFile{.descriptor = descriptor, .error = error};
  return &made->base;
}

herr_t close_file(H5FD_t* file) {
  OutputFile& f = output(file);
  if (f.error->code == 0 && fsync(f.descriptor) != 0) f.failed("fsync");
  if (close(f.descriptor) != 0) f.failed("close");
  delete &f;
  return 0;
}

herr_t write_bytes(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, std::size_t bytes,
                   const void* data) {
  OutputFile& f = output(file);
  f.size = std::max<haddr_t>(f.size, at + bytes);
  for (auto* from = static_cast<const char*>(data); bytes > 0 && f.error->code == 0;) {
    const ssize_t done = pwrite(f.descriptor, from, bytes, static_cast<off_t>(at));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) f.failed("write");
    if (done <= 0) continue;
    from += done;
    at += static_cast<haddr_t>(done);
    bytes -= static_cast<std::size_t>(done);
  }
  return 0;
}

herr_t read_bytes(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, std::size_t bytes, void* data) {
  OutputFile& f = output(file);
  auto* to = static_cast<char*>(data);
  while (bytes > 0) {
    const ssize_t done = pread(f.descriptor, to, bytes, static_cast<off_t>(at));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) f.failed("read");
    if (done <= 0) break;
    to += done;
    at += static_cast<haddr_t>(done);
    bytes -= static_cast<std::size_t>(done);
  }
  std::memset(to, 0, bytes);  // the library may read what it has allocated and not yet written
  return 0;
}

herr_t truncate_file(H5FD_t* file, hid_t, hbool_t) {
  OutputFile& f = output(file);
  if (f.error->code == 0 && ftruncate(f.descriptor, static_cast<off_t>(f.allocated)) != 0)
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

}  // namespace

Handle output_access(WriteError& error) {
  static const hid_t driver = register_driver();
  const Access carried{&error};
  Handle access(H5Pcreate(H5P_FILE_ACCESS), "H5Pcreate");
  check(H5Pset_driver(access.get(), driver, &carried), "H5Pset_driver");
  return access;
}

}  // namespace nucreg::hdf5
