// Which tasks are left, and how they are named.
#include "nucreg/app/run_setup.hpp"

#include <doctest/doctest.h>

#include <set>

#include "nucreg/job/parse.hpp"

using namespace nucreg;

namespace {

Job job_of(const std::string& more = "") {
  return parse_job_text("[job]\nname = \"j\"\ntrials = 5\n[problem]\npoints = [10, 1000]\n" + more +
                        "[[solver]]\nname = \"LM\"\nkind = \"lm\"\n");
}

}  // namespace

TEST_CASE("all tasks where nothing is done, the most expensive first") {
  const Job job = job_of();
  const TaskList list = task_list(job, make_plan(job), {}, {});
  REQUIRE(list.blocks.size() == 2);
  CHECK(list.blocks[0].first == 5);
  CHECK(list.blocks[0].count == 5);
  CHECK(list.blocks[1].first == 0);
  CHECK(list.blocks[0].cost_seconds > list.blocks[1].cost_seconds);
}

TEST_CASE("exactly the tasks that are not done") {
  const Job job = job_of();
  const Plan plan = make_plan(job);
  // Every subset of the ten tasks.
  for (unsigned subset = 0; subset < 1024; ++subset) {
    std::vector<bool> done;
    std::set<std::uint64_t> missing;
    for (unsigned task = 0; task < 10; ++task) {
      done.push_back((subset >> task & 1u) != 0);
      if (!done.back()) missing.insert(task);
    }
    std::set<std::uint64_t> listed;
    for (const TaskList::Block& block : task_list(job, plan, {}, done).blocks)
      for (std::uint64_t i = 0; i < block.count; ++i)
        REQUIRE(listed.insert(block.first + i).second);
    REQUIRE(listed == missing);
  }
}

TEST_CASE("of a part exactly its tasks that are not done") {
  const Job job = job_of();
  const Plan plan = make_plan(job);
  std::vector<bool> done(10);
  done[1] = done[8] = true;
  for (const bool resumed : {false, true}) {
    std::set<std::uint64_t> listed;
    for (std::uint64_t number = 1; number <= 4; ++number)
      for (const auto& block :
           task_list(job, plan, {number, 4}, resumed ? done : std::vector<bool>{}).blocks) {
        REQUIRE(block.count > 0);
        for (std::uint64_t i = 0; i < block.count; ++i) {
          const std::uint64_t task = block.first + i;
          CHECK(Part{number, 4}.of(task / 5, 5).contains(task % 5));
          CHECK(listed.insert(task).second);
        }
      }
    CHECK(listed.size() == (resumed ? 8 : 10));
    CHECK(listed.contains(1) == !resumed);
  }
}

TEST_CASE("tasks by configuration and trial") {
  const Job job = job_of();
  const Plan plan = make_plan(job);
  CHECK(trials_text({}, plan) == "none");
  CHECK(trials_text({{3, 1, 0.0}}, plan) == "configuration 0: trial 3");
  CHECK(trials_text({{0, 2, 0.0}, {4, 1, 0.0}, {6, 3, 0.0}}, plan) ==
        "configuration 0: trial 0-1, 4; configuration 1: trial 1-3");
  const std::vector<TaskList::Block> many(20, {1, 1, 0.0});
  CHECK(trials_text(many, plan).ends_with(" and 12 more blocks"));
}

TEST_CASE("a lease outlasts every trial whose solvers keep to max_seconds") {
  const Job job = job_of(
      "[fit]\nmax_seconds = [1.0, { min = 2.0, max = 50.0 }]\n"
      "[run]\ntiming_repeats = 3\n");
  CHECK(dispatch_options(job, make_plan(job)).lease_seconds > 4 * 50.0);
}
