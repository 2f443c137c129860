#include "nucreg/core/sha256.hpp"

#include <doctest/doctest.h>

using namespace nucreg;

namespace {

std::string sum_of(std::string_view text) {
  Sha256 sum;
  sum.add(text);
  return sum.hex();
}

}  // namespace

// Examples of NIST's "Descriptions of SHA-256" and of FIPS 180-4.
TEST_CASE("sums that are known") {
  CHECK(sum_of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sum_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sum_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  Sha256 million;
  for (int i = 0; i < 1000; ++i) million.add(std::string(1000, 'a'));
  CHECK(million.hex() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("what is sealed is whole or nothing") {
  for (const std::string content : {"", "abc", "a longer content\n"}) {
    const std::string text = sealed(content);
    CHECK(unsealed(text) == content);
    CHECK_FALSE(unsealed(text.substr(1)));
    CHECK_FALSE(unsealed(text.substr(0, text.size() - 1)));
    CHECK_FALSE(unsealed("x" + text));
  }
}
