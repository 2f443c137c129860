#include "nucreg/solve/record.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <vector>

using namespace nucreg;

namespace {

std::vector<Record> sample() {
  std::vector<Record> records(3);
  records[0].objective = 2.5;
  records[1].message = "objective was NaN at evaluation 3";
  records[1].trace = {{1, 4.0, 0.5}, {2, 3.0, 0.75}};
  records[2].trial = 7;
  records[2].message = std::string(1000, 'x') + "\n";
  return records;
}

}  // namespace

TEST_CASE("records come back from bytes, messages as one bounded line") {
  std::vector<std::byte> bytes;
  put_records(sample(), bytes);
  std::vector<Record> back(3);
  back[0].message = "of another record";
  back[0].trace.resize(3);
  get_records(bytes, back);
  CHECK(back[0].objective == 2.5);
  CHECK(back[0].message.empty());
  CHECK(back[1].message == "objective was NaN at evaluation 3");
  CHECK(back[0].trace.empty());
  REQUIRE(back[1].trace.size() == 2);
  CHECK(back[1].trace[1].evaluation == 2);
  CHECK(back[1].trace[1].objective == 3.0);
  CHECK(back[1].trace[1].seconds == 0.75);
  CHECK(back[2].trial == 7);
  CHECK(back[2].message == std::string(max_message_bytes - 3, 'x') + "...");
  CHECK_NOTHROW(get_records({}, {}));
}

TEST_CASE("bytes that hold other records are refused, wherever they are cut") {
  std::vector<std::byte> bytes;
  put_records(sample(), bytes);
  std::vector<Record> back(3);
  for (std::size_t length = 0; length < bytes.size(); ++length)
    CHECK_THROWS_AS(get_records(std::span(bytes).first(length), back), BadBytes);
  bytes.push_back({});
  CHECK_THROWS_AS(get_records(bytes, back), BadBytes);
}
