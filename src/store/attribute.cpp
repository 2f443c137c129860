#include "attribute.hpp"

#include <utility>
#include <vector>

#include "types.hpp"

namespace nucreg::hdf5 {
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
