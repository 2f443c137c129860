// The HDF5 C library behind exceptions and handles that close themselves.
#pragma once

#include <hdf5.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

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

/// Returns the library's answer, or throws Failure where it is negative. `object` is the path
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

}  // namespace nucreg::hdf5
