// What ranks say to each other: tags, and values as bytes. All ranks run the same binary, so
// values travel as they lie in memory.
#pragma once

#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "nucreg/run/communicator.hpp"

namespace nucreg::tag {

inline constexpr int facts = 1;          ///< rank -> root, first of all
inline constexpr int setup = 2;          ///< root -> rank: the bytes of share_setup
inline constexpr int refusal = 3;        ///< root -> rank: exit status
inline constexpr int refusal_heard = 4;  ///< rank -> root
inline constexpr int batch = 10;         ///< root -> rank: (first, count) ...
inline constexpr int results = 11;       ///< rank -> root: (task, length, payload) ...
inline constexpr int sample = 12;        ///< rank -> root: Sample
inline constexpr int failure = 13;       ///< rank -> root: exit status, text
inline constexpr int finish = 14;        ///< root -> rank: drop what is queued, then say goodbye
inline constexpr int totals = 15;        ///< rank -> root: RankTotals, its last message
inline constexpr int release = 16;       ///< root -> rank: it is over; (gone rank, pid to end) ...
inline constexpr int alive = 17;         ///< both ways, each heartbeat; rank -> root: Vitals

}  // namespace nucreg::tag

namespace nucreg {

inline void put_bytes(Bytes& bytes, const void* from, std::size_t length) {
  if (length == 0) return;
  const std::size_t before = bytes.size();
  bytes.resize(before + length);
  std::memcpy(bytes.data() + before, from, length);
}

template <class T>
void put(Bytes& bytes, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  put_bytes(bytes, &value, sizeof(T));
}

inline void put_text(Bytes& bytes, const std::string& text) {
  put(bytes, std::uint64_t{text.size()});
  put_bytes(bytes, text.data(), text.size());
}

/// Takes values out in the order in which they were put in.
class WireReader {
 public:
  explicit WireReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] std::span<const std::byte> take(std::uint64_t length) {
    if (length > bytes_.size()) throw std::logic_error("a message between ranks is too short");
    const auto front = bytes_.first(length);
    bytes_ = bytes_.subspan(length);
    return front;
  }
  template <class T>
  [[nodiscard]] T get() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  [[nodiscard]] std::string get_text() {
    const auto raw = take(get<std::uint64_t>());
    return {reinterpret_cast<const char*>(raw.data()), raw.size()};
  }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace nucreg
