// Which channel a user means.
#include <doctest/doctest.h>

#include "nucreg/core/error.hpp"
#include "nucreg/image/image.hpp"

using namespace nucreg;

namespace {

ImageInfo image_of(std::vector<ImageChannel> channels) {
  ImageInfo info;
  info.channels = std::move(channels);
  return info;
}

}  // namespace

TEST_CASE("a channel is found by its name, by its label or by its number") {
  const ImageInfo info = image_of({{"DAPI", ""}, {"photo", "R"}, {"photo", "G"}, {"", ""}});
  CHECK(find_channel(info, "DAPI", "a.nd2") == 0);
  CHECK(find_channel(info, "photo", "a.nd2") == 1);
  CHECK(find_channel(info, "photo G", "a.nd2") == 2);
  for (const char* number : {"0", "1", "2", "3"})
    CHECK(find_channel(info, number, "a.nd2") == std::size_t(*number - '0'));
}

TEST_CASE("a name that is a number comes before the number") {
  CHECK(find_channel(image_of({{"1", ""}, {"0", ""}}), "1", "a.nd2") == 0);
}

TEST_CASE("what is no channel is told with those that are there") {
  const ImageInfo info = image_of({{"DAPI", ""}, {"", "R"}, {"", ""}});
  for (const char* none : {"", "3", "-1", "1.0", "0 ", "dapi", "99999999999999999999"})
    CHECK_THROWS_WITH_AS(static_cast<void>(find_channel(info, none, "a.nd2")),
                         doctest::Contains("allowed: 0 or DAPI, 1 or R, 2"), InputError);
  CHECK_THROWS_WITH_AS(static_cast<void>(find_channel(image_of({}), "0", "a.nd2")),
                       doctest::Contains("a.nd2: no channel \"0\""), InputError);
}

TEST_CASE("names that would fill a screen are cut") {
  std::vector<ImageChannel> many(100000);
  for (ImageChannel& channel : many) channel.name = "a channel\nof many";
  try {
    static_cast<void>(find_channel(image_of(std::move(many)), "x", "a.nd2"));
    FAIL("was found");
  } catch (const InputError& e) {
    CHECK(e.fields().allowed.size() <= 2000);
    CHECK(e.fields().allowed.find('\n') == std::string::npos);
  }
}
