// Parts of a plan: disjoint, together everything, equal in size.
#include "nucreg/plan/part.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "text.hpp"

using namespace nucreg;

TEST_CASE("parts are disjoint, together the whole, and differ by one trial at most") {
  for (std::uint64_t configurations = 1; configurations <= 6; ++configurations)
    for (std::uint64_t trials = 1; trials <= 7; ++trials)
      for (std::uint64_t count = 1; count <= configurations * trials; ++count) {
        CAPTURE(configurations);
        CAPTURE(trials);
        CAPTURE(count);
        std::vector<int> owners(configurations * trials);
        std::uint64_t smallest = owners.size(), largest = 0;
        for (std::uint64_t number = 1; number <= count; ++number) {
          const Part part{number, count};
          std::uint64_t size = 0;
          for (std::uint64_t c = 0; c < configurations; ++c) {
            const TrialRange range = part.of(c, trials);
            REQUIRE(range.first + range.count <= trials);
            for (std::uint64_t t = 0; t < trials; ++t)
              if (range.contains(t)) ++owners[c * trials + t], ++size;
          }
          REQUIRE(part.tasks(configurations, trials) == size);
          smallest = std::min(smallest, size);
          largest = std::max(largest, size);
        }
        REQUIRE(std::ranges::all_of(owners, [](int n) { return n == 1; }));
        REQUIRE(smallest >= 1);
        REQUIRE(largest - smallest <= 1);
      }
}

TEST_CASE("parts of the largest plans do not overflow") {
  const std::uint64_t trials = (std::uint64_t{1} << 53) - 1;
  std::uint64_t next = 0;
  // Configuration 0 is dealt in order.
  for (std::uint64_t number = 1; number <= 1000; ++number) {
    const TrialRange range = Part{number, 1000}.of(0, trials);
    REQUIRE(range.first == next);
    next += range.count;
  }
  CHECK(next == trials);
  const TrialRange last = Part{max_parts, max_parts}.of(999'999, trials);
  CHECK(last.first + last.count <= trials);
}

TEST_CASE("each trial has an equal share of each configuration") {
  CHECK(Part{2, 4}.of(3, 100).first == 25);
  CHECK(Part{2, 4}.of(3, 100).count == 25);
}

TEST_CASE("K/N and nothing else names a part") {
  CHECK(parse_part("1/1").whole());
  CHECK(parse_part("2/8") == Part{2, 8});
  CHECK(parse_part("2/8").text() == "2/8");
  for (const char* text : {"", "/", "2", "2/", "/8", "0/8", "9/8", "-1/8", "2/8/3", " 2/8", "2/8 ",
                           "a/b", "1.5/2", "0/0", "1/1000001", "1/99999999999999999999999", "+1/2"})
    CHECK_THROWS_AS(static_cast<void>(parse_part(text)), JobError);
}

TEST_CASE("more parts than trials are refused") {
  const Plan plan = make_plan(plan_test::job_with("points = [10, 20]", {}, 3));
  CHECK_NOTHROW(check_part({6, 6}, plan));
  CHECK_THROWS_WITH_AS(check_part({1, 7}, plan),
                       "--part: the job has no 7 parts; allowed: at most one per trial, 6",
                       JobError);
}
