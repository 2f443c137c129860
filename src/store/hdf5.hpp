// The HDF5 C library behind exceptions and handles that close themselves; types and attributes.
#pragma once

#include <hdf5.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace nucreg::hdf5 {

/// A call of the library that failed. Public functions turn it into an OutputError or InputError.
class Failure : public std::runtime_error {
 public:
  Failure(const std::string& call, const std::string& reason, std::string object)
      : std::runtime_error(call + ": " + reason), object_(std::move(object)) {}
  [[nodiscard]] const std::string& object() const { return object_; }

 private:
  std::string object_;
};

/// The innermost message on the library's error stack; the system's own words where it has them.
[[nodiscard]] std::string last_reason();

/// Stops the library from printing its errors.
void silence();
/// Throws std::bad_alloc where it would crash as it opens or creates a file: what it asks for then
/// is asked for before.
void demand_memory();

/// Returns the library's answer, or throws Failure if it is negative. `object` is the path
/// inside the file that the call was about.
template <class T>
T check(T answer, const char* call, const std::string& object = {}) {
  if (answer < 0) throw Failure(call, last_reason(), object);
  return answer;
}

/// Owns one identifier of any kind.
class Handle {
 public:
  Handle() = default;
  Handle(hid_t id, const char* call, const std::string& object = {})
      : id_(check(id, call, object)) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (id_ >= 0) H5Idec_ref(id_);
  }

  [[nodiscard]] hid_t get() const { return id_; }
  [[nodiscard]] bool valid() const { return id_ >= 0; }
  /// Closes now, so that what the library writes on closing can fail loudly.
  void close(const char* call, const std::string& object = {}) {
    if (id_ >= 0) check(H5Idec_ref(std::exchange(id_, H5I_INVALID_HID)), call, object);
  }

 private:
  hid_t id_ = H5I_INVALID_HID;
};

/// Runs `body`; a Failure within becomes an `E` that names the file.
template <class E, class Body>
decltype(auto) rethrow_as(const std::filesystem::path& file, Body&& body) {
  try {
    return body();
  } catch (const Failure& failure) {
    throw E(failure.what(), {.file = file.string(), .key = failure.object()});
  }
}

// The types that values have in the file.

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

using AttributeValue = std::variant<std::int64_t, double, std::string>;

/// Writes an attribute, in place of one of that name. `path` is the object's, for errors.
void write_attribute(hid_t object, const std::string& name, const AttributeValue& value,
                     const std::string& path);

/// The value of an attribute; none if there is no such attribute, or if it is neither a
/// number nor a string.
[[nodiscard]] std::optional<AttributeValue> read_attribute(hid_t object, const std::string& name,
                                                           const std::string& path);

/// All attributes of `/` that are numbers or strings, by name.
[[nodiscard]] std::map<std::string, AttributeValue> read_attributes(hid_t file);

}  // namespace nucreg::hdf5
