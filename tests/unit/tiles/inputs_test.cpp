// What distinguishes files of one name, and which rank looks at which.
#include "nucreg/tiles/inputs.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/scratch.hpp"

using namespace nucreg;

namespace {

constexpr std::size_t max_whole_bytes = std::size_t{4} << 20;

FileSample sample_of_text(const Scratch& scratch, const std::string& text) {
  scratch.put("file", text);
  return sample_of(scratch / "file");
}

std::string changed(std::string text, std::size_t at) {
  text[at] = '!';
  return text;
}

}  // namespace

TEST_CASE("a byte distinguishes files, and large ones by size, start, end and samples between") {
  const Scratch scratch;
  const std::string small(max_whole_bytes, 'a'), large(3 * max_whole_bytes, 'a');
  for (const std::string& text : {std::string("a"), std::string(100'000, 'a'), small, large}) {
    const FileSample sample = sample_of_text(scratch, text);
    CHECK(sample.bytes == text.size());
    CHECK(sample.is_like(sample_of_text(scratch, text)));
    for (const std::size_t at : {std::size_t{0}, text.size() - 1})
      CHECK_FALSE(sample.is_like(sample_of_text(scratch, changed(text, at))));
    CHECK_FALSE(sample.is_like(sample_of_text(scratch, text + "a")));
  }
  for (std::size_t at = 1; at < small.size(); at += small.size() / 7)
    CHECK_FALSE(
        sample_of_text(scratch, small).is_like(sample_of_text(scratch, changed(small, at))));
  // A hole of 1 MiB is longer than the way from one sample to the next.
  std::string torn = large;
  torn.replace(large.size() / 2, std::size_t{1} << 20, std::size_t{1} << 20, '\0');
  CHECK_FALSE(sample_of_text(scratch, large).is_like(sample_of_text(scratch, torn)));
  CHECK(sample_of_text(scratch, "").is_like(sample_of_text(scratch, "")));
}

TEST_CASE("what cannot be read is like nothing that can, and says why") {
  const Scratch scratch;
  const FileSample none = sample_of(scratch / "none"), folder = sample_of(scratch.path());
  CHECK(none.is_like(folder));
  CHECK_FALSE(none.is_like(sample_of_text(scratch, "")));
  CHECK(none.text() == "No such file or directory");
  CHECK(folder.text() == "is a directory");
  CHECK(sample_of_text(scratch, "abc").text() == "3 bytes, sha256 ba7816bf8f01cfea");
  CHECK(sample_of_text(scratch, std::string(5'000'000, 'a'))
            .text()
            .starts_with("5,000,000 bytes, sha256 of samples "));
}
