#include "result_edits.hpp"

#include <fcntl.h>
#include <hdf5.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace nucreg {

std::uint64_t Choices::number(int bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes && !bytes_.empty(); ++i, bytes_ = bytes_.subspan(1))
    value = value << 8 | bytes_.front();
  return value;
}

std::string Choices::text() {
  std::string text;
  for (std::uint64_t left = number(1) % 64; left > 0 && !done(); --left)
    text += static_cast<char>(number(1));
  return text;
}

namespace {

// Few enough bytes to be written by every input.
constexpr std::uint64_t most_values = 4096;

/// Edits one open file; what the library refuses is no edit.
class Editor {
 public:
  Editor(hid_t file, Choices& choices) : file_(file), choices_(choices) {
    const auto add = [](hid_t, const char* name, const H5O_info_t*, void* out) -> herr_t {
      static_cast<std::vector<std::string>*>(out)->emplace_back(name);
      return 0;
    };
    H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_NATIVE, add, &paths_, H5O_INFO_BASIC);
  }

  void edit() {
    const std::string path = any_path();
    switch (choices_.below(9)) {
      case 0:
        return remove(path);
      case 1:
        return rename(path);
      case 2:
        return lead_elsewhere(path);
      case 3:
        return replace(path);
      case 4:
        return resize_table(path.substr(0, path.find('/')));
      case 5:
        return attribute(path);
      case 6:
        return attribute(".");
      default:
        return set_value(path);
    }
  }

 private:
  std::string any_path() { return paths_.at(choices_.below(paths_.size())); }

  void remove(const std::string& path) { H5Ldelete(file_, path.c_str(), H5P_DEFAULT); }

  void rename(const std::string& path) {
    const std::string name = choices_.below(2) == 0 ? choices_.text() : any_path();
    remove(name);
    H5Lmove(file_, path.c_str(), file_, name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
  }

  void lead_elsewhere(const std::string& path) {
    const std::string target = any_path();
    remove(path);
    switch (choices_.below(3)) {
      case 0:
        H5Lcreate_soft(target.c_str(), file_, path.c_str(), H5P_DEFAULT, H5P_DEFAULT);
        return;
      case 1:
        H5Lcreate_external("/dev/zero", "/", file_, path.c_str(), H5P_DEFAULT, H5P_DEFAULT);
        return;
      default:
        H5Lcreate_hard(file_, target.c_str(), file_, path.c_str(), H5P_DEFAULT, H5P_DEFAULT);
    }
  }

  hid_t any_type() {
    switch (choices_.below(9)) {
      case 0:
        return H5Tcopy(H5T_STD_I8LE);
      case 1:
        return H5Tcopy(H5T_STD_I32BE);
      case 2:
        return H5Tcopy(H5T_STD_U64LE);
      case 3:
        return H5Tcopy(H5T_STD_I64LE);
      case 4:
        return H5Tcopy(H5T_IEEE_F32LE);
      case 5:
        return H5Tcopy(H5T_IEEE_F64LE);
      case 6: {
        const hid_t type = H5Tcopy(H5T_C_S1);
        H5Tset_size(type, 1 + choices_.below(200));
        return type;
      }
      case 7: {
        const hid_t type = H5Tenum_create(H5T_STD_I8LE);
        const std::array names{"FALSE", "TRUE", "other"};
        for (std::int8_t value = 0; const char* name : names) {
          H5Tenum_insert(type, name, &value);
          ++value;
        }
        return type;
      }
      default: {
        const hid_t type = H5Tcreate(H5T_COMPOUND, 8);
        H5Tinsert(type, "a", 0, H5T_STD_I32LE);
        return type;
      }
    }
  }

  std::uint64_t any_extent() {
    constexpr std::array<std::uint64_t, 8> extents{0, 1, 2, 6, 9, 24, 1U << 20U, 1ULL << 40U};
    return extents.at(choices_.below(extents.size()));
  }

  hid_t any_space() {
    const std::array<hsize_t, 3> extent{any_extent(), any_extent(), any_extent()};
    const auto rank = static_cast<int>(choices_.below(5));
    if (rank == 4) return H5Screate(H5S_NULL);
    return rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, extent.data(), nullptr);
  }

  std::vector<std::byte> values_of(std::uint64_t bytes) {
    std::vector<std::byte> values(bytes);
    const std::uint64_t pattern = choices_.number(8);
    for (std::uint64_t i = 0; i < bytes; ++i) values[i] = std::byte(pattern >> 8 * (i % 8));
    return values;
  }

  void replace(const std::string& path) {
    remove(path);
    const hid_t type = any_type(), space = any_space(), options = H5Pcreate(H5P_DATASET_CREATE);
    if (choices_.below(2) == 0) {
      constexpr std::array<hsize_t, 3> chunk{1, 1, 1};
      H5Pset_chunk(options, std::max(1, H5Sget_simple_extent_ndims(space)), chunk.data());
      if (choices_.below(4) == 0) H5Pset_scaleoffset(options, H5Z_SO_INT, 0);
    }
    const hid_t made =
        H5Dcreate2(file_, path.c_str(), type, space, H5P_DEFAULT, options, H5P_DEFAULT);
    const auto count =
        static_cast<std::uint64_t>(std::max<hssize_t>(0, H5Sget_simple_extent_npoints(space)));
    if (made >= 0 && count <= most_values) write(made, type, count);
    if (made >= 0) H5Dclose(made);
    H5Pclose(options);
    H5Sclose(space);
    H5Tclose(type);
  }

  void write(hid_t dataset, hid_t type, std::uint64_t count) {
    const auto values = values_of(count * H5Tget_size(type));
    H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  }

  /// Every column of a table gets as many rows, those that it had first, or again.
  void resize_table(const std::string& table) {
    const std::uint64_t rows = choices_.below(64);
    for (const std::string& path : paths_)
      if (path.starts_with(table + "/")) resize(path, rows);
  }

  /// How many there are; 0 if they are more than that, or strings of any length.
  static std::uint64_t few_values(hid_t space, hid_t type, std::uint64_t most) {
    const hssize_t count = H5Sget_simple_extent_npoints(space);
    const bool few = count > 0 && static_cast<std::uint64_t>(count) <= most;
    return few && H5Tis_variable_str(type) == 0 ? static_cast<std::uint64_t>(count) : 0;
  }

  void resize(const std::string& path, std::uint64_t rows) {
    const hid_t old = H5Dopen2(file_, path.c_str(), H5P_DEFAULT);
    if (old < 0) return;
    const hid_t type = H5Dget_type(old), space = H5Dget_space(old);
    std::array<hsize_t, H5S_MAX_RANK> extent{};
    H5Sget_simple_extent_dims(space, extent.data(), nullptr);
    const auto count = few_values(space, type, most_values);
    std::vector<std::byte> values(count * H5Tget_size(type));
    if (count > 0 && H5Sget_simple_extent_ndims(space) > 0 &&
        H5Dread(old, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0) {
      const std::size_t row_bytes = values.size() / extent[0];
      std::vector<std::byte> resized(rows * row_bytes);
      for (std::uint64_t row = 0; row < rows; ++row)
        std::memcpy(resized.data() + row * row_bytes, values.data() + row % extent[0] * row_bytes,
                    row_bytes);
      extent[0] = rows;
      remove(path);
      const hid_t to = H5Screate_simple(H5Sget_simple_extent_ndims(space), extent.data(), nullptr);
      const hid_t made =
          H5Dcreate2(file_, path.c_str(), type, to, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
      if (made >= 0) H5Dwrite(made, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, resized.data());
      if (made >= 0) H5Dclose(made);
      H5Sclose(to);
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(old);
  }

  void set_value(const std::string& path) {
    const hid_t dataset = H5Dopen2(file_, path.c_str(), H5P_DEFAULT);
    if (dataset < 0) return;
    const hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    const auto count = few_values(space, type, 16 * most_values);
    const std::size_t bytes = H5Tget_size(type);
    std::vector<std::byte> values(count * bytes);
    if (count > 0 && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0) {
      std::byte* at = values.data() + choices_.below(count) * bytes;
      if (const std::string text = H5Tget_class(type) == H5T_STRING ? choices_.text() : "";
          !text.empty())
        std::memcpy(at, text.data(), std::min(text.size(), bytes));
      else
        for (std::size_t i = 0; i < std::min<std::size_t>(bytes, 8); ++i)
          at[i] = std::byte(choices_.number(1));
      H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(dataset);
  }

  std::string attribute_name(const std::string& path) {
    std::vector<std::string> names{"units", "format"};
    const auto add = [](hid_t, const char* name, const H5A_info_t*, void* out) -> herr_t {
      static_cast<std::vector<std::string>*>(out)->emplace_back(name);
      return 0;
    };
    if (const hid_t object = H5Oopen(file_, path.c_str(), H5P_DEFAULT); object >= 0) {
      H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, add, &names);
      H5Oclose(object);
    }
    return names.at(choices_.below(names.size()));
  }

  void attribute(const std::string& path) {
    const std::string name = attribute_name(path);
    const auto make = [&](hid_t type, hid_t space, const void* value) {
      H5Adelete_by_name(file_, path.c_str(), name.c_str(), H5P_DEFAULT);
      const hid_t made = H5Acreate_by_name(file_, path.c_str(), name.c_str(), type, space,
                                           H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
      if (made >= 0) H5Awrite(made, type, value);
      if (made >= 0) H5Aclose(made);
    };
    const hid_t scalar = H5Screate(H5S_SCALAR);
    const std::uint64_t number = choices_.number(8);
    switch (choices_.below(6)) {
      case 0:
        H5Adelete_by_name(file_, path.c_str(), name.c_str(), H5P_DEFAULT);
        break;
      case 1:
        make(H5T_STD_I64LE, scalar, &number);
        break;
      case 2:
        make(H5T_IEEE_F64LE, scalar, &number);
        break;
      case 3: {
        const hid_t space = any_space(), type = any_type();
        const auto count = H5Sget_simple_extent_npoints(space);
        const auto few = static_cast<std::uint64_t>(std::clamp<hssize_t>(count, 0, 64));
        if (count <= 64) make(type, space, values_of(few * H5Tget_size(type)).data());
        H5Tclose(type);
        H5Sclose(space);
        break;
      }
      default: {
        const hid_t type = H5Tcopy(H5T_C_S1);
        H5Tset_size(type, H5T_VARIABLE);
        const std::string text = edited_text(path, name);
        const char* pointer = text.c_str();
        make(type, scalar, static_cast<const void*>(&pointer));
        H5Tclose(type);
      }
    }
    H5Sclose(scalar);
  }

  /// The text that is there with another piece in it, so that jobs stay nearly jobs.
  std::string edited_text(const std::string& path, const std::string& name) {
    std::string text;
    const hid_t there =
        H5Aopen_by_name(file_, path.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
    if (there >= 0) {
      const hid_t type = H5Aget_type(there);
      char* pointer = nullptr;
      if (H5Tis_variable_str(type) > 0 && H5Aread(there, type, static_cast<void*>(&pointer)) >= 0 &&
          pointer) {
        text = pointer;
        H5free_memory(pointer);
      }
      H5Tclose(type);
      H5Aclose(there);
    }
    const std::size_t at = choices_.below(text.size() + 1);
    return text.replace(at, choices_.below(16), choices_.text());
  }

  hid_t file_;
  Choices& choices_;
  std::vector<std::string> paths_;
};

/// Bytes that are put into the file as it lies, at times behind what names a structure of HDF5.
struct Patch {
  std::uint64_t place, mark, behind, count, bytes;

  explicit Patch(Choices& choices)
      : place(choices.number(4)),
        mark(choices.number(1)),
        behind(choices.number(1)),
        count(1 + choices.below(sizeof bytes)),
        bytes(choices.number(sizeof bytes)) {}

  void put(const std::filesystem::path& file) const {
    const int descriptor = open(file.c_str(), O_RDWR | O_CLOEXEC);
    struct stat facts {};
    fstat(descriptor, &facts);
    std::string content(static_cast<std::size_t>(facts.st_size), '\0');
    if (pread(descriptor, content.data(), content.size(), 0) < 0) content.clear();
    std::size_t at = place % (content.size() + 1);
    constexpr std::array marks{"GCOL", "FHDB", "FRHP", "OHDR", "TREE", "SNOD", "HEAP", "BTLF"};
    if (mark % 16 < marks.size()) {
      const std::size_t found = content.find(marks.at(mark % 16), at);
      if (found != std::string::npos) at = found + behind % 160;
    }
    if (pwrite(descriptor, &bytes, count, static_cast<off_t>(at)) < 0) std::abort();
    close(descriptor);
  }
};

}  // namespace

void edit_file(const std::filesystem::path& file, Choices& choices) {
  std::vector<Patch> patches;
  if (const std::uint64_t kind = choices.below(8); kind > 4)
    for (std::uint64_t i = 4; i < kind; ++i) patches.emplace_back(choices);
  constexpr int most_edits = 24;
  const hid_t opened = H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  for (int edits = 0; edits < most_edits && !choices.done(); ++edits)
    Editor(opened, choices).edit();
  H5Fclose(opened);
  for (const Patch& patch : patches) patch.put(file);
}

}  // namespace nucreg
