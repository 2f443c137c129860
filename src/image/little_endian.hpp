// Numbers out of bytes that need not be aligned.
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>

namespace nucreg {

static_assert(std::endian::native == std::endian::little, "pixels are handed out as they lie");

template <class T>
[[nodiscard]] T load_little(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

}  // namespace nucreg
