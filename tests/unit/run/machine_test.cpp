// Processors of ranks, and what spoils timings.
#include "nucreg/run/machine.hpp"

#include <doctest/doctest.h>
#include <sched.h>
#include <unistd.h>

#include "nucreg/run/dispatch.hpp"

using namespace nucreg;

TEST_CASE("processor lists are short and complete") {
  const auto text = [](std::vector<int> cpus) { return cpu_list(cpus); };
  CHECK(text({}) == "");
  CHECK(text({3}) == "3");
  CHECK(text({0, 1, 4}) == "0-1,4");
  CHECK(text({0, 2, 4, 5, 6, 100}) == "0,2,4-6,100");
}

TEST_CASE("facts of this process follow its affinity") {
  cpu_set_t before;
  REQUIRE(sched_getaffinity(0, sizeof(before), &before) == 0);
  const RankFacts all = this_rank_facts(5);
  CHECK(all.rank == 5);
  CHECK(all.pid == getpid());
  CHECK(!all.host.empty());
  REQUIRE(static_cast<int>(all.cpus.size()) == CPU_COUNT(&before));

  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(all.cpus.back()), &one);
  REQUIRE(sched_setaffinity(0, sizeof(one), &one) == 0);
  const RankFacts bound = this_rank_facts(0);
  REQUIRE(sched_setaffinity(0, sizeof(before), &before) == 0);
  CHECK(bound.cpus == std::vector<int>{all.cpus.back()});
}

TEST_CASE("oversubscription counts the processors of one host together") {
  const auto rank = [](int number, const char* host, std::vector<int> cpus) {
    return RankFacts{.rank = number, .host = host, .pid = 1, .cpus = std::move(cpus)};
  };
  const std::vector<RankFacts> bound{rank(0, "a", {0}), rank(1, "a", {1})};
  CHECK(!oversubscribed(bound)[0]);
  CHECK(oversubscribed(bound, 2)[0]);
  const std::vector<RankFacts> same{rank(0, "a", {0}), rank(1, "a", {0})};
  CHECK(oversubscribed(same)[0]);
  const std::vector<RankFacts> loose{rank(0, "a", {0, 1}), rank(1, "a", {0, 1}),
                                     rank(2, "a", {0, 1}), rank(3, "b", {0, 1})};
  CHECK(oversubscribed(loose)[0]);
  CHECK(!oversubscribed(loose)[3]);
}

TEST_CASE("the root may run on what ranks of its host ran on, for a while") {
  const std::vector<RankFacts> ranks{{.rank = 0, .host = "a", .cpus = {4}},
                                     {.rank = 1, .host = "b", .cpus = {7}},
                                     {.rank = 2, .host = "a", .cpus = {0, 4}}};
  CHECK(root_host_cpus(ranks) == std::vector<int>{0, 4});
  CHECK(root_host_cpus({}).empty());

  cpu_set_t before;
  REQUIRE(sched_getaffinity(0, sizeof(before), &before) == 0);
  const std::vector<int> all = this_rank_facts(0).cpus;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(all.back()), &one);
  REQUIRE(sched_setaffinity(0, sizeof(one), &one) == 0);
  std::vector<int> wide;
  {
    const OnProcessors here(all);
    wide = this_rank_facts(0).cpus;
  }
  const std::vector<int> after = this_rank_facts(0).cpus;
  REQUIRE(sched_setaffinity(0, sizeof(before), &before) == 0);
  CHECK(wide == all);
  CHECK(after == std::vector<int>{all.back()});
}

TEST_CASE("what spoils timings is said, once each") {
  const auto rank = [](int number, const char* host, std::vector<int> cpus,
                       const char* clock = "tsc", double step = 1e-8) {
    return RankFacts{.rank = number,
                     .host = host,
                     .pid = 1,
                     .cpus = std::move(cpus),
                     .clock_source = clock,
                     .clock_step_seconds = step};
  };
  CHECK(machine_warnings({rank(0, "a", {0}), rank(1, "a", {1}), rank(0, "b", {0})}).empty());
  CHECK(machine_warnings({rank(0, "a", {0, 1, 2, 3})}).empty());
  CHECK(machine_warnings({rank(0, "a", {0}, "", 0.0)}).empty());

  const auto crowded = machine_warnings({rank(0, "a", {0}), rank(1, "a", {0})});
  REQUIRE(crowded.size() == 1);
  CHECK(crowded[0].starts_with("more ranks than processors"));

  const auto loose = machine_warnings(
      {rank(0, "b", {0, 1}), rank(1, "a", {0, 1}), rank(2, "a", {1, 2}), rank(3, "a", {0, 1, 2})});
  REQUIRE(loose.size() == 1);
  CHECK(loose[0].starts_with(
      "ranks are not pinned: ranks 1 and 2 on a may both run on processor 1;"));

  for (const auto& clock : {rank(0, "a", {0}, "jiffies", 4e-3), rank(0, "a", {0}, "tsc", 1e-3),
                            rank(0, "a", {0}, "acpi_pm", 3e-7)}) {
    RankFacts twin = clock;
    twin.rank = 1;
    twin.cpus = {1};
    const auto said = machine_warnings({clock, twin});
    REQUIRE(said.size() == 1);
    CHECK(said[0].find("source " + clock.clock_source) != std::string::npos);
  }
}
