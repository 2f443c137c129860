// Scalar attributes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "hdf5.hpp"

namespace nucreg::hdf5 {

using AttributeValue = std::variant<std::int64_t, double, std::string>;

/// Writes an attribute, in place of one of that name. `path` is the object's, for errors.
void write_attribute(hid_t object, const std::string& name, const AttributeValue& value,
                     const std::string& path);

/// The value of an attribute; none where there is no such attribute, or where it is neither a
/// number nor a string.
[[nodiscard]] std::optional<AttributeValue> read_attribute(hid_t object, const std::string& name,
                                                           const std::string& path);

/// All attributes of `/` that are numbers or strings, by name.
[[nodiscard]] std::map<std::string, AttributeValue> read_attributes(hid_t file);

}  // namespace nucreg::hdf5
