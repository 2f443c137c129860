// Values as bytes: what goes in comes out, and damaged bytes are refused before memory is taken.
#include "nucreg/core/bytes.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace nucreg {

struct BytesInner {
  std::string name;
  std::optional<double> size;
  bool operator==(const BytesInner&) const = default;
};
void fields(auto& archive, MaybeConst<BytesInner> auto& inner) {
  archive(inner.name, inner.size);
}

struct BytesOuter {
  std::vector<BytesInner> inners;
  std::vector<bool> truths;
  std::vector<double> numbers;
  std::array<double, 2> pair{};
  std::filesystem::path path;
  bool truth = false;
  bool operator==(const BytesOuter&) const = default;
};
void fields(auto& archive, MaybeConst<BytesOuter> auto& outer) {
  archive(outer.inners, outer.truths, outer.numbers, outer.pair, outer.path, outer.truth);
}

}  // namespace nucreg

using namespace nucreg;

namespace {

BytesOuter sample() {
  return {.inners = {{"a", 1.5}, {std::string("b\0c", 3), std::nullopt}},
          .truths = {true, false, true},
          .numbers = {1.0, -2.0, std::numeric_limits<double>::infinity()},
          .pair = {3.0, 4.0},
          .path = "some/where",
          .truth = true};
}

}  // namespace

TEST_CASE("a value comes back as it was") {
  CHECK(from_bytes<BytesOuter>(to_bytes(sample())) == sample());
  CHECK(from_bytes<BytesOuter>(to_bytes(BytesOuter{})) == BytesOuter{});
}

TEST_CASE("lengths are 64 bits and numbers lie as in memory") {
  const Bytes bytes = to_bytes(std::string("ab"), std::uint16_t{0x0102});
  const std::vector<int> expected{2, 0, 0, 0, 0, 0, 0, 0, 'a', 'b', 2, 1};
  REQUIRE(bytes.size() == expected.size());
  for (std::size_t i = 0; i < bytes.size(); ++i)
    CHECK(std::to_integer<int>(bytes[i]) == expected[i]);
}

TEST_CASE("bytes that are cut off anywhere are refused") {
  const Bytes whole = to_bytes(sample());
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK_THROWS_AS(static_cast<void>(from_bytes<BytesOuter>(std::span(whole).first(size))),
                    BadBytes);
}

TEST_CASE("more bytes than the value has are refused") {
  Bytes bytes = to_bytes(sample());
  bytes.push_back(std::byte{0});
  CHECK_THROWS_WITH_AS(static_cast<void>(from_bytes<BytesOuter>(bytes)),
                       "there are more bytes than expected", BadBytes);
}

TEST_CASE("a length beyond the bytes takes no memory") {
  for (const std::uint64_t count :
       {std::uint64_t{1} << 62, std::uint64_t{1} << 61, ~std::uint64_t{0}}) {
    const Bytes bytes = to_bytes(count, 1.0);
    CHECK_THROWS_AS(static_cast<void>(from_bytes<std::vector<double>>(bytes)), BadBytes);
    CHECK_THROWS_AS(static_cast<void>(from_bytes<std::vector<BytesInner>>(bytes)), BadBytes);
    CHECK_THROWS_AS(static_cast<void>(from_bytes<std::string>(bytes)), BadBytes);
  }
}

TEST_CASE("a truth value is 0 or 1") {
  CHECK_THROWS_AS(static_cast<void>(from_bytes<bool>(Bytes{std::byte{2}})), BadBytes);
  CHECK_THROWS_AS(static_cast<void>(from_bytes<std::optional<int>>(Bytes{std::byte{7}})), BadBytes);
}
