// Values as bytes and back: the one binary format, for messages between ranks, journals and caches
// of one build and one architecture.
#pragma once

#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "nucreg/core/error.hpp"

namespace nucreg {

/// Whether two numbers have the same bits; NaN is the same as any NaN.
[[nodiscard]] inline bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

using Bytes = std::vector<std::byte>;

/// The bytes are not those of the value that is read: they end too early, or hold more.
struct BadBytes : Error {
  explicit BadBytes(const std::string& problem) : Error(ExitStatus::bug, problem) {}
};

/// A type takes part by one function in its namespace that lists its fields for both directions:
///
///     void fields(auto& archive, MaybeConst<TileTask> auto& task) {
///       archive(task.file, task.frame, task.diameter_px);
///     }
template <class T, class Type>
concept MaybeConst = std::same_as<std::remove_const_t<T>, Type>;

namespace bytes_detail {

struct AnyArchive {
  template <class... T>
  void operator()(T&...) {}
};
template <class T>
concept HasFields = requires(AnyArchive& archive, T& value) {
  fields(archive, value);
};
/// Goes as it lies in memory.
template <class T>
concept Plain = std::is_trivially_copyable_v<T> && !HasFields<T> && !std::is_pointer_v<T>;

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

}  // namespace bytes_detail

/// Appends values to bytes: numbers, enums and plain structs as they lie in memory; strings, paths
/// and vectors behind their length (64 bits); optional values behind a truth value; all else by its
/// fields.
class ByteWriter {
 public:
  explicit ByteWriter(Bytes& bytes) : bytes_(bytes) {}

  template <class... T>
  void operator()(const T&... values) {
    (put(values), ...);
  }
  /// Without their number: the reader must know it.
  void raw(const void* from, std::size_t size) {
    if (size == 0) return;
    const std::size_t before = bytes_.size();
    bytes_.resize(before + size);
    std::memcpy(bytes_.data() + before, from, size);
  }

 private:
  template <class T>
  void put(const T& value) {
    if constexpr (bytes_detail::is_optional<T>) {
      put(value.has_value());
      if (value) put(*value);
    } else if constexpr (bytes_detail::Plain<T>) {
      raw(&value, sizeof value);
    } else {
      fields(*this, value);
    }
  }
  void put(const std::string& text) {
    put(std::uint64_t{text.size()});
    raw(text.data(), text.size());
  }
  void put(const std::filesystem::path& path) { put(path.string()); }
  template <class T>
  void put(const std::vector<T>& values) {
    put(std::uint64_t{values.size()});
    if constexpr (std::same_as<T, bool>)
      for (const bool value : values) put(value);
    else if constexpr (bytes_detail::Plain<T>)
      raw(values.data(), values.size() * sizeof(T));
    else
      for (const T& value : values) put(value);
  }

  Bytes& bytes_;
};

/// Takes values out in the order in which they were put in. Throws BadBytes; nothing is read or
/// allocated beyond what the bytes hold.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <class... T>
  void operator()(T&... values) {
    (get(values), ...);
  }
  template <class T>
  [[nodiscard]] T read() {
    T value{};
    get(value);
    return value;
  }
  /// The next bytes, as long as those that this reads from.
  [[nodiscard]] std::span<const std::byte> take(std::uint64_t size) {
    if (size > rest_.size()) throw BadBytes("bytes are cut off");
    const auto front = rest_.first(size);
    rest_ = rest_.subspan(size);
    return front;
  }
  [[nodiscard]] bool empty() const { return rest_.empty(); }
  /// Throws BadBytes if something is left.
  void end() const {
    if (!rest_.empty()) throw BadBytes("there are more bytes than expected");
  }

 private:
  template <class T>
  void get(T& value) {
    if constexpr (std::same_as<T, bool>) {
      const auto byte = read<std::uint8_t>();
      if (byte > 1) throw BadBytes("bytes hold no truth value");
      value = byte != 0;
    } else if constexpr (bytes_detail::is_optional<T>) {
      value.reset();
      if (read<bool>()) get(value.emplace());
    } else if constexpr (bytes_detail::Plain<T>) {
      copy(&value, sizeof value);
    } else {
      fields(*this, value);
    }
  }
  void get(std::string& text) {
    const auto raw = take(read<std::uint64_t>());
    text.assign(reinterpret_cast<const char*>(raw.data()), raw.size());
  }
  void get(std::filesystem::path& path) { path = read<std::string>(); }
  template <class T>
  void get(std::vector<T>& values) {
    constexpr std::size_t min_bytes = bytes_detail::Plain<T> ? sizeof(T) : 1;
    const auto count = read<std::uint64_t>();
    if (count > rest_.size() / min_bytes) throw BadBytes("bytes are cut off");
    values.clear();
    values.resize(count);
    if constexpr (std::same_as<T, bool>)
      for (std::size_t i = 0; i < count; ++i) values[i] = read<bool>();
    else if constexpr (bytes_detail::Plain<T>)
      copy(values.data(), count * sizeof(T));
    else
      for (T& value : values) get(value);
  }
  void copy(void* to, std::size_t size) {
    const auto from = take(size);
    if (size > 0) std::memcpy(to, from.data(), size);
  }

  std::span<const std::byte> rest_;
};

template <class... T>
[[nodiscard]] Bytes to_bytes(const T&... values) {
  Bytes bytes;
  ByteWriter{bytes}(values...);
  return bytes;
}

/// The value that all of the bytes are. Throws BadBytes.
template <class T>
[[nodiscard]] T from_bytes(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  T value = reader.read<T>();
  reader.end();
  return value;
}

}  // namespace nucreg
