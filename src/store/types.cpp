#include "types.hpp"

#include <bit>
#include <cstdint>

namespace nucreg::hdf5 {

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

}  // namespace nucreg::hdf5
