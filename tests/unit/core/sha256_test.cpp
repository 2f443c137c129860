#include "nucreg/core/sha256.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "nucreg/core/error.hpp"

using namespace nucreg;

namespace {

std::string sum_of(std::string_view text) {
  Sha256 sum;
  sum.add(text);
  return sum.hex();
}

}  // namespace

TEST_CASE("a file that is asked for often is read once") {
  const std::filesystem::path file = std::filesystem::temp_directory_path() / "nucreg_sums_test";
  std::ofstream(file) << "abc";
  FileSums sums;
  CHECK(sums.of(file) == sum_of("abc"));
  std::filesystem::remove(file);
  CHECK(sums.of(file) == sum_of("abc"));
  CHECK_THROWS_AS(static_cast<void>(FileSums().of(file)), InputError);
}

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

TEST_CASE("a file has the sum of its bytes, in however many pieces it is read") {
  const auto file = std::filesystem::temp_directory_path() / "nucreg_sha256_test";
  const std::string bytes(3'000'001, '\7');
  std::ofstream(file, std::ios::binary) << bytes;
  CHECK(sha256_of_file(file) == sum_of(bytes));
  std::filesystem::resize_file(file, 0);
  CHECK(sha256_of_file(file) == sum_of(""));
  std::filesystem::remove(file);
  CHECK_THROWS_AS(static_cast<void>(sha256_of_file(file)), InputError);
  CHECK_THROWS_AS(static_cast<void>(sha256_of_file("/")), InputError);
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
