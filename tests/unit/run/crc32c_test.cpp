#include "run/crc32c.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace nucreg;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

TEST_CASE("checksums of RFC 3720, appendix B.4, by either way") {
  std::string rising;
  for (int i = 0; i < 32; ++i) rising += static_cast<char>(i);
  for (const auto& crc : {crc32c, crc32c_by_table}) {
    CHECK(crc({}, 0) == 0u);
    CHECK(crc(bytes_of("123456789"), 0) == 0xE3069283u);
    CHECK(crc(bytes_of(std::string(32, '\0')), 0) == 0x8A9136AAu);
    CHECK(crc(bytes_of(std::string(32, '\xFF')), 0) == 0x62A8AB43u);
    CHECK(crc(bytes_of(rising), 0) == 0x46DD794Eu);
  }
}

TEST_CASE("both ways agree at every length and alignment, also in two parts") {
  std::string text;
  for (int i = 0; i < 80; ++i) text += static_cast<char>(i * i + 3 * i);
  for (std::size_t begin = 0; begin < 9; ++begin)
    for (std::size_t length = 0; begin + length <= text.size(); ++length) {
      const auto bytes = bytes_of(text).subspan(begin, length);
      const std::uint32_t whole = crc32c_by_table(bytes);
      CHECK(crc32c(bytes) == whole);
      const std::size_t cut = length / 3;
      CHECK(crc32c(bytes.subspan(cut), crc32c_by_table(bytes.first(cut))) == whole);
    }
}
