// The trials of a run as a stage: which tasks, how they are named, the same on every rank.
#include "nucreg/trials/trial_stage.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <set>

#include "nucreg/job/parse.hpp"
#include "nucreg/solve/record.hpp"
#include "support/scratch.hpp"

using namespace nucreg;
namespace fs = std::filesystem;

namespace {

Job job_of(const std::string& more = "") {
  return parse_job_text("[job]\nname = \"j\"\ntrials = 5\n[problem]\npoints = [10, 1000]\n" + more +
                        "[[solver]]\nname = \"LM\"\nkind = \"lm\"\n");
}

}  // namespace

TEST_CASE("all tasks, the most expensive first") {
  const Job job = job_of();
  const TaskList list = task_list(standard_solvers(), job, make_plan(job), {});
  REQUIRE(list.blocks.size() == 2);
  CHECK(list.blocks[0].first == 5);
  CHECK(list.blocks[0].count == 5);
  CHECK(list.blocks[1].first == 0);
  CHECK(list.blocks[0].cost_seconds > list.blocks[1].cost_seconds);
}

TEST_CASE("exactly the tasks of a part that are not done") {
  const Job job = job_of();
  const Plan plan = make_plan(job);
  std::vector<bool> done(10);
  done[1] = done[8] = true;
  for (const bool resumed : {false, true}) {
    std::set<std::uint64_t> listed;
    for (std::uint64_t number = 1; number <= 4; ++number) {
      const TaskList part = task_list(standard_solvers(), job, plan, {number, 4});
      for (const auto& block : without_done(part, resumed ? done : std::vector<bool>{}).blocks) {
        REQUIRE(block.count > 0);
        for (std::uint64_t i = 0; i < block.count; ++i) {
          const std::uint64_t task = block.first + i;
          CHECK(Part{number, 4}.of(task / 5, 5).contains(task % 5));
          CHECK(listed.insert(task).second);
        }
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
  const SolverRegistry registry = standard_solvers();
  const TrialStage stage({.job_toml = to_toml(job), .clock_trusted = {true}}, registry, 0);
  CHECK(stage.limits().lease_seconds > 4 * 50.0);
}

TEST_CASE("another rank makes the same stage of what the root wrote") {
  const Scratch folder;
  const SolverRegistry registry = standard_solvers();
  const TrialStage root(
      {.job_toml = to_toml(job_of()), .output = folder / "out.h5", .clock_trusted = {true, true}},
      registry, 0);
  Bytes bytes;
  ByteWriter writer(bytes);
  root.write(writer);
  ByteReader reader(bytes);
  const auto other = TrialStage::read(reader, registry, 1);
  CHECK(reader.empty());
  CHECK(fs::exists(folder / "out.h5.logs/rank-0001.log"));
  for (const std::uint64_t task : {0, 7}) {
    Bytes ours, theirs;
    root.run(task, ours);
    other->run(task, theirs);
    std::vector<Record> a(1), b(1);
    get_records(ours, a);
    get_records(theirs, b);
    CHECK(a[0].rank == 0);
    CHECK(b[0].rank == 1);
    CHECK(a[0].trial == task % 5);
    CHECK(a[0].objective == b[0].objective);
    CHECK(std::memcmp(&a[0].params, &b[0].params, sizeof a[0].params) == 0);
  }
}
