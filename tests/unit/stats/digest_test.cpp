#include "nucreg/stats/digest.hpp"

#include <doctest/doctest.h>

using namespace nucreg;

namespace {

Record row(std::uint32_t trial, std::uint32_t solver, std::string message,
           SolveStatus status = SolveStatus::failed) {
  Record made;
  made.trial = trial;
  made.solver = solver;
  made.status = status;
  made.message = std::move(message);
  return made;
}

}  // namespace

TEST_CASE("messages are counted by solver, status and words") {
  MessageTally tally;
  const std::vector<Record> first{row(0, 0, "a"), row(0, 1, ""), row(1, 0, "b"), row(1, 1, "b")};
  const std::vector<Record> second{row(2, 0, "b"), row(3, 0, "b", SolveStatus::stalled),
                                   row(4, 0, "b")};
  tally.add(first);
  tally.add(second);
  const auto counts = tally.commonest(10);
  REQUIRE(counts.size() == 4);
  CHECK(counts[0].message == "b");
  CHECK(counts[0].solver == 0);
  CHECK(counts[0].count == 3);
  CHECK(counts[0].trial == 1);
  CHECK(counts[1].message == "a");
  CHECK(counts[3].status == SolveStatus::stalled);
  CHECK(tally.commonest(1).size() == 1);
  CHECK(tally.others() == 0);
}

TEST_CASE("more different messages than are kept apart are only counted") {
  MessageTally tally(2);
  for (const char* text : {"a", "b", "c", "a", "d"}) {
    const Record made = row(0, 0, text);
    tally.add({&made, 1});
  }
  CHECK(tally.commonest(10).size() == 2);
  CHECK(tally.commonest(1)[0].count == 2);
  CHECK(tally.others() == 2);
  CHECK(MessageTally().commonest(3).empty());
}
