#include "hdf5.hpp"

#include <sys/mman.h>

#include <bit>
#include <cstdint>
#include <new>
#include <utility>
#include <vector>

namespace nucreg::hdf5 {

void silence() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

void demand_memory() {
  constexpr std::size_t bytes = std::size_t{16} << 20;
  // Of the kernel: nothing is touched, nor counted as memory that was used.
  void* block = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) throw std::bad_alloc();
  munmap(block, bytes);
}

std::string last_reason() {
  std::string reason;
  const auto keep_innermost = [](unsigned depth, const H5E_error2_t* error, void* out) -> herr_t {
    if (depth == 0 && error->desc) *static_cast<std::string*>(out) = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, &reason);
  // Failed system calls read "... errno = 28, error message = 'No space left on device', buf =
  // ...".
  static const std::string mark = "error message = '";
  if (const auto at = reason.find(mark); at != std::string::npos) {
    const auto begin = at + mark.size();
    return reason.substr(begin, reason.find('\'', begin) - begin);
  }
  return reason.empty() ? "unknown error of the HDF5 library" : reason;
}

static_assert(std::endian::native == std::endian::little, "values are written as memory has them");

template <>
Handle type_of<double>() {
  return {H5Tcopy(H5T_IEEE_F64LE), "H5Tcopy"};
}
template <>
Handle type_of<std::int64_t>() {
  return {H5Tcopy(H5T_STD_I64LE), "H5Tcopy"};
}
template <>
Handle type_of<std::int32_t>() {
  return {H5Tcopy(H5T_STD_I32LE), "H5Tcopy"};
}
template <>
Handle type_of<std::uint32_t>() {
  return {H5Tcopy(H5T_STD_U32LE), "H5Tcopy"};
}
template <>
Handle type_of<bool>() {
  return enum_type({"FALSE", "TRUE"});
}

Handle string_type(std::size_t bytes) {
  Handle type(H5Tcopy(H5T_C_S1), "H5Tcopy");
  check(H5Tset_size(type.get(), bytes), "H5Tset_size");
  check(H5Tset_cset(type.get(), H5T_CSET_UTF8), "H5Tset_cset");
  check(H5Tset_strpad(type.get(), bytes == H5T_VARIABLE ? H5T_STR_NULLTERM : H5T_STR_NULLPAD),
        "H5Tset_strpad");
  return type;
}

Handle enum_type(const std::vector<std::string>& members) {
  Handle type(H5Tenum_create(H5T_STD_I8LE), "H5Tenum_create");
  for (std::int8_t value = 0; const std::string& member : members) {
    check(H5Tenum_insert(type.get(), member.c_str(), &value), "H5Tenum_insert");
    ++value;
  }
  return type;
}

std::vector<std::string> read_strings(hid_t type, hid_t space,
                                      const std::function<void(void*)>& read) {
  const auto count =
      static_cast<std::size_t>(check(H5Sget_simple_extent_npoints(space), "H5Sget_simple_extent"));
  std::vector<std::string> texts;
  texts.reserve(count);
  if (check(H5Tis_variable_str(type), "H5Tis_variable_str") > 0) {
    std::vector<char*> pointers(count, nullptr);
    read(static_cast<void*>(pointers.data()));
    for (const char* text : pointers) texts.emplace_back(text ? text : "");
    check(H5Dvlen_reclaim(type, space, H5P_DEFAULT, static_cast<void*>(pointers.data())),
          "H5Dvlen_reclaim");
    return texts;
  }
  const std::size_t bytes = H5Tget_size(type);
  const char padding = H5Tget_strpad(type) == H5T_STR_SPACEPAD ? ' ' : '\0';
  std::vector<char> buffer(count * bytes);
  read(static_cast<void*>(buffer.data()));
  for (std::size_t i = 0; i < count; ++i) {
    std::string text(buffer.data() + i * bytes, bytes);
    text.erase(text.find_last_not_of(padding) + 1);
    texts.push_back(std::move(text));
  }
  return texts;
}

namespace {

void write_scalar(hid_t object, const std::string& name, const Handle& type, const void* value,
                  const std::string& path) {
  const Handle space(H5Screate(H5S_SCALAR), "H5Screate", path);
  const Handle attribute(
      H5Acreate2(object, name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT),
      "H5Acreate2", path);
  check(H5Awrite(attribute.get(), type.get(), value), "H5Awrite", path);
}

template <class T>
T read_number(const Handle& attribute, const std::string& path) {
  T value{};
  check(H5Aread(attribute.get(), type_of<T>().get(), static_cast<void*>(&value)), "H5Aread", path);
  return value;
}

}  // namespace

void write_attribute(hid_t object, const std::string& name, const AttributeValue& value,
                     const std::string& path) {
  if (check(H5Aexists(object, name.c_str()), "H5Aexists", path) > 0)
    check(H5Adelete(object, name.c_str()), "H5Adelete", path);
  if (const auto* text = std::get_if<std::string>(&value)) {
    // Variable length: h5py gives a str, and the text lies in a heap that has no limit of 64 KiB.
    const char* pointer = text->c_str();
    write_scalar(object, name, string_type(H5T_VARIABLE), static_cast<const void*>(&pointer), path);
  } else if (const auto* number = std::get_if<double>(&value)) {
    write_scalar(object, name, type_of<double>(), number, path);
  } else {
    write_scalar(object, name, type_of<std::int64_t>(), &std::get<std::int64_t>(value), path);
  }
}

std::optional<AttributeValue> read_attribute(hid_t object, const std::string& name,
                                             const std::string& path) {
  if (check(H5Aexists(object, name.c_str()), "H5Aexists", path) == 0) return std::nullopt;
  const Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), "H5Aopen", path);
  const Handle type(H5Aget_type(attribute.get()), "H5Aget_type", path);
  const Handle space(H5Aget_space(attribute.get()), "H5Aget_space", path);
  if (H5Sget_simple_extent_npoints(space.get()) != 1) return std::nullopt;
  switch (H5Tget_class(type.get())) {
    case H5T_INTEGER:
      return read_number<std::int64_t>(attribute, path);
    case H5T_FLOAT:
      return read_number<double>(attribute, path);
    case H5T_STRING:
      return read_strings(type.get(), space.get(),
                          [&](void* buffer) {
                            check(H5Aread(attribute.get(), type.get(), buffer), "H5Aread", path);
                          })
          .front();
    default:
      return std::nullopt;
  }
}

std::map<std::string, AttributeValue> read_attributes(hid_t file) {
  std::vector<std::string> names;
  const auto add_name = [](hid_t, const char* name, const H5A_info_t*, void* out) -> herr_t {
    static_cast<std::vector<std::string>*>(out)->emplace_back(name);
    return 0;
  };
  check(H5Aiterate2(file, H5_INDEX_NAME, H5_ITER_INC, nullptr, add_name, &names), "H5Aiterate2",
        "/");
  std::map<std::string, AttributeValue> attributes;
  for (const std::string& name : names)
    if (auto value = read_attribute(file, name, "/")) attributes.emplace(name, std::move(*value));
  return attributes;
}

}  // namespace nucreg::hdf5
