// Values as bytes and back: lengths as 64-bit numbers, then the elements. For ranks of one build
// and one architecture, and for files that such ranks keep for each other.
#pragma once

#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/run/communicator.hpp"

namespace nucreg {

class ByteWriter {
 public:
  template <class Container>
  void array(const Container& values) {
    number(values.size());
    append(values.data(), values.size() * sizeof(values[0]));
  }
  void number(std::uint64_t value) { append(&value, sizeof value); }
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void value(const T& plain) { append(&plain, sizeof plain); }
  Bytes bytes;

 private:
  void append(const void* from, std::size_t size) {
    const auto* first = static_cast<const std::byte*>(from);
    bytes.insert(bytes.end(), first, first + size);
  }
};

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  template <class Container>
  void array(Container& values) {
    const std::uint64_t count = number();
    if (count > (bytes_.size() - at_) / sizeof(values[0])) cut_off();
    values.resize(count);
    take(values.data(), values.size() * sizeof(values[0]));
  }
  std::uint64_t number() {
    std::uint64_t plain = 0;
    value(plain);
    return plain;
  }
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void value(T& plain) { take(&plain, sizeof plain); }
  template <class T>
  T value() {
    T plain{};
    value(plain);
    return plain;
  }
  [[nodiscard]] bool empty() const { return at_ == bytes_.size(); }

 private:
  [[noreturn]] static void cut_off() { throw Error(ExitStatus::bug, "bytes are cut off"); }
  void take(void* to, std::size_t size) {
    if (size > bytes_.size() - at_) cut_off();
    if (size > 0) std::memcpy(to, bytes_.data() + at_, size);
    at_ += size;
  }
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
};

}  // namespace nucreg
