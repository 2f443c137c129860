#include "input_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/disk/files.hpp"

namespace nucreg::hdf5 {
namespace {

namespace fs = std::filesystem;

// A group lies in a group lies in the file. More than these nobody writes, and a walk ends.
constexpr int max_depth = 8;
constexpr int max_objects = 100'000;
// No stream of deflate holds more values than that for each of its bytes (RFC 1951).
constexpr double max_inflation = 1032.0;

/// Looks at everything in one file; throws Failure naming the object.
class Survey {
 public:
  explicit Survey(hid_t file) {
    hsize_t bytes = 0;
    check(H5Fget_filesize(file, &bytes), "H5Fget_filesize");
    file_bytes_ = static_cast<double>(bytes);
    group(file, "", 0);
  }

 private:
  struct Link {
    std::string name;
    H5L_type_t type = H5L_TYPE_HARD;
  };

  static std::vector<Link> links_of(hid_t group, const std::string& path) {
    std::vector<Link> links;
    const auto add = [](hid_t, const char* name, const H5L_info_t* info, void* out) -> herr_t {
      static_cast<std::vector<Link>*>(out)->push_back({name, info->type});
      return 0;
    };
    check(H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, add, &links), "H5Literate",
          path);
    return links;
  }

  void group(hid_t group, const std::string& path, int depth) {
    if (depth > max_depth)
      throw Failure("group", "groups lie too deep in each other, or in a circle", path);
    for (const Link& link : links_of(group, path)) {
      const std::string inner = path + "/" + link.name;
      if (link.type != H5L_TYPE_HARD)
        throw Failure("link", "is a link to somewhere else, which nucreg does not follow", inner);
      if (++objects_ > max_objects) throw Failure("group", "holds too many objects", path);
      object(group, link.name, inner, depth);
    }
  }

  void object(hid_t in, const std::string& name, const std::string& path, int depth) {
    H5O_info_t info{};
    check(H5Oget_info_by_name2(in, name.c_str(), &info, H5O_INFO_BASIC, H5P_DEFAULT), "H5Oget_info",
          path);
    if (info.type == H5O_TYPE_GROUP)
      group(Handle(H5Gopen2(in, name.c_str(), H5P_DEFAULT), "H5Gopen2", path).get(), path,
            depth + 1);
    else if (info.type == H5O_TYPE_DATASET)
      dataset(Handle(H5Dopen2(in, name.c_str(), H5P_DEFAULT), "H5Dopen2", path).get(), path);
  }

  void dataset(hid_t dataset, const std::string& path) const {
    const Handle options(H5Dget_create_plist(dataset), "H5Dget_create_plist", path);
    const H5D_layout_t layout = H5Pget_layout(options.get());
    if (layout == H5D_VIRTUAL)
      throw Failure("storage", "is a virtual dataset, whose values lie in other files", path);
    if (check(H5Pget_external_count(options.get()), "H5Pget_external_count", path) > 0)
      throw Failure("storage", "has its values in another file", path);
    demand_known_filters(options.get(), path);
    const Handle type(H5Dget_type(dataset), "H5Dget_type", path);
    const Handle space(H5Dget_space(dataset), "H5Dget_space", path);
    const auto value_bytes = static_cast<double>(H5Tget_size(type.get()));
    const auto values = static_cast<double>(
        check(H5Sget_simple_extent_npoints(space.get()), "H5Sget_simple_extent_npoints", path));
    const auto stored = static_cast<double>(H5Dget_storage_size(dataset));
    if (stored > file_bytes_) throw Failure("storage", "claims more bytes than the file has", path);
    if (layout != H5D_CHUNKED) return demand_stored(values * value_bytes, stored, path);
    // Texts that are all empty are not stored (ResultWriter); they are read a few at a time.
    if (H5Tget_class(type.get()) == H5T_STRING && path.starts_with("/trials/")) return;
    const double chunks = chunks_of(space.get(), options.get(), path);
    hsize_t there = 0;
    check(H5Dget_num_chunks(dataset, space.get(), &there), "H5Dget_num_chunks", path);
    if (static_cast<double>(there) < chunks)
      throw Failure("storage",
                    fmt::format("claims {:.0f} values, of which not all are stored", values), path);
    demand_stored(values * value_bytes, max_inflation * stored, path);
  }

  static void demand_known_filters(hid_t options, const std::string& path) {
    const int count = check(H5Pget_nfilters(options), "H5Pget_nfilters", path);
    for (int i = 0; i < count; ++i) {
      std::size_t values = 0;
      const H5Z_filter_t filter = H5Pget_filter2(options, static_cast<unsigned>(i), nullptr,
                                                 &values, nullptr, 0, nullptr, nullptr);
      constexpr std::array known{H5Z_FILTER_SHUFFLE, H5Z_FILTER_DEFLATE, H5Z_FILTER_FLETCHER32};
      if (std::ranges::find(known, filter) == known.end())
        throw Failure("filter",
                      fmt::format("is packed by filter {}, which nucreg does not load", filter),
                      path);
    }
  }

  static double chunks_of(hid_t space, hid_t options, const std::string& path) {
    std::array<hsize_t, H5S_MAX_RANK> extent{}, chunk{};
    const int rank = check(H5Sget_simple_extent_dims(space, extent.data(), nullptr),
                           "H5Sget_simple_extent_dims", path);
    check(H5Pget_chunk(options, H5S_MAX_RANK, chunk.data()), "H5Pget_chunk", path);
    double chunks = 1.0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(rank); ++i) {
      const hsize_t along = extent[i] / chunk[i] + (extent[i] % chunk[i] != 0 ? 1 : 0);
      chunks *= static_cast<double>(along);
    }
    return chunks;
  }

  static void demand_stored(double claimed, double at_most, const std::string& path) {
    if (claimed > at_most)
      throw Failure("storage", fmt::format("claims {:.0f} bytes, more than are stored", claimed),
                    path);
  }

  double file_bytes_ = 0.0;
  int objects_ = 0;
};

}  // namespace

Handle open_input(const fs::path& path, const std::string& wanted) {
  silence();
  const auto fail = [&](const std::string& problem, const std::string& allowed = {}) {
    throw InputError(problem, {.file = path.string(), .allowed = allowed});
  };
  std::error_code error;
  const auto kind = fs::status(path, error).type();
  if (kind == fs::file_type::not_found) fail("no such file");
  if (error) fail(error.message());
  if (kind == fs::file_type::directory) fail("is a directory");
  if (kind != fs::file_type::regular) fail("is not a regular file");
  if (H5Fis_hdf5(path.c_str()) == 0) fail("is not an HDF5 file, or its beginning is lost", wanted);
  demand_memory();
  const hid_t opened = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (opened < 0 && is_locked(path))
    fail("is locked by another program",
         "wait until that has written it, or close it there; if nothing has it open: export "
         "HDF5_USE_FILE_LOCKING=FALSE");
  Handle file(opened, "H5Fopen");
  Survey{file.get()};
  return file;
}

}  // namespace nucreg::hdf5
