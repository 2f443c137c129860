// The types that values have in the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "hdf5.hpp"

namespace nucreg::hdf5 {

/// The type of a number or truth value, little-endian, which is also how memory holds it.
/// A bool is h5py's: an enumeration of FALSE and TRUE on int8.
template <class T>
[[nodiscard]] Handle type_of();
template <>
Handle type_of<double>();
template <>
Handle type_of<std::int64_t>();
template <>
Handle type_of<std::int32_t>();
template <>
Handle type_of<std::uint32_t>();
template <>
Handle type_of<bool>();

/// UTF-8 of a fixed number of bytes, filled up with zeros; H5T_VARIABLE: of any length.
[[nodiscard]] Handle string_type(std::size_t bytes);

/// An enumeration on int8 whose members are numbered from 0.
[[nodiscard]] Handle enum_type(const std::vector<std::string>& members);

/// Reads all strings of `space`, of fixed or variable length, through `read(buffer)`, which fills
/// the buffer with values of `type`.
[[nodiscard]] std::vector<std::string> read_strings(hid_t type, hid_t space,
                                                    const std::function<void(void*)>& read);

}  // namespace nucreg::hdf5
