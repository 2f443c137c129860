#include "utf8.hpp"

#include <cstdint>

#include "little_endian.hpp"

namespace nucreg {
namespace {

constexpr std::uint32_t replacement = 0xfffd;

void append(std::string& text, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

// Bytes of the character that `text` starts with; 0 where it starts with none.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  // Overlong, surrogate, above U+10FFFF.
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f)) return 0;
  if ((first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f)) return 0;
  return length;
}

}  // namespace

std::string utf8_of_utf16(std::span<const std::byte> units) {
  const auto unit = [&](std::size_t i) -> std::uint32_t {
    return load_little<std::uint16_t>(units.data() + 2 * i);
  };
  const std::size_t count = units.size() / 2;
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t high = unit(i);
    if (high < 0xd800 || high > 0xdfff) {
      append(text, high);
    } else if (high < 0xdc00 && i + 1 < count && unit(i + 1) >= 0xdc00 && unit(i + 1) <= 0xdfff) {
      append(text, 0x10000 + ((high - 0xd800) << 10) + (unit(++i) - 0xdc00));
    } else {
      append(text, replacement);
    }
  }
  return text;
}

std::string clean_utf8(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length == 0)
      append(clean, replacement);
    else
      clean += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return clean;
}

}  // namespace nucreg
