// What dispatch and set-up must do over any communicator: run by the unit tests inside a process
// and by the MPI tests over MPI. Every rank calls every function.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/run/dispatch.hpp"

namespace nucreg::battery {

/// Bytes that tell the task and the length that it chose.
inline std::byte pattern(std::uint64_t task, std::size_t i) {
  return static_cast<std::byte>((task * 31 + i * 7) & 255);
}

inline void append_pattern(std::uint64_t task, std::size_t length, Bytes& payload) {
  for (std::size_t i = 0; i < length; ++i) payload.push_back(pattern(task, i));
}

/// Runs `tasks` and checks that the root sees each exactly once, with `length(task)` right bytes.
template <class Length, class Effort>
void check_each_once(Communicator& communicator, const TaskList& tasks, Length length,
                     Effort effort) {
  const DispatchOptions options{.monitor_seconds = 0.02, .solves_per_task = 3, .progress = {}};
  const Work work = [&](std::uint64_t task, Bytes& payload) {
    effort(task);
    append_pattern(task, length(task), payload);
  };
  if (communicator.rank() != 0) {
    (void)receive_setup(communicator);
    return serve(communicator, work, options);
  }
  const auto facts = share_setup(communicator, [](const auto&) { return Bytes{}; });

  std::uint64_t total = 0, end = 0;
  for (const TaskList::Block& block : tasks.blocks) {
    total += block.count;
    end = std::max(end, block.first + block.count);
  }
  std::vector<int> seen(end, 0);
  std::vector<std::int64_t> by_rank(facts.size(), 0);
  std::uint64_t wrong_payloads = 0;
  const auto sink = [&](std::uint64_t task, int rank, std::span<const std::byte> payload) {
    ++seen.at(task);
    ++by_rank.at(static_cast<std::size_t>(rank));
    bool right = payload.size() == length(task);
    for (std::size_t i = 0; right && i < payload.size(); ++i)
      right = payload[i] == pattern(task, i);
    wrong_payloads += right ? 0 : 1;
  };
  std::vector<Progress> progress;
  DispatchOptions root_options = options;
  root_options.progress = [&](const Progress& now) { progress.push_back(now); };
  const DispatchReport report = dispatch(communicator, tasks, work, sink, facts, root_options);

  std::uint64_t missing = 0, others = 0;
  for (const TaskList::Block& block : tasks.blocks)
    for (std::uint64_t task = block.first; task < block.first + block.count; ++task)
      if (std::exchange(seen[task], 0) != 1) ++missing;
  for (const int count : seen) others += count != 0 ? 1 : 0;
  CHECK(missing == 0);
  CHECK(others == 0);
  CHECK(wrong_payloads == 0);
  CHECK(report.tasks_done == total);

  REQUIRE(!progress.empty());
  CHECK(progress.back().done == total);
  CHECK(progress.back().total == total);

  REQUIRE(report.ranks.rows() == facts.size());
  const auto& solves = report.ranks.get<std::int64_t>("solves");
  for (std::size_t rank = 0; rank < facts.size(); ++rank) {
    CHECK(report.ranks.get<std::int64_t>("rank")[rank] == static_cast<std::int64_t>(rank));
    CHECK(report.ranks.get<std::int64_t>("pid")[rank] == facts[rank].pid);
    CHECK(report.ranks.get<std::string>("host")[rank] == facts[rank].host);
    CHECK(report.ranks.get<std::string>("cpus")[rank] == cpu_list(facts[rank].cpus));
    CHECK(solves[rank] == 3 * by_rank[rank]);
    CHECK(report.ranks.get<double>("busy_s")[rank] >= 0.0);
    CHECK(report.ranks.get<double>("wait_s")[rank] >= 0.0);
    CHECK(report.ranks.get<double>("cpu_s")[rank] > 0.0);
    CHECK(report.ranks.get<std::int64_t>("max_rss_bytes")[rank] > 0);
  }
  std::vector<int> samples(facts.size(), 0);
  std::vector<std::int64_t> last(facts.size(), 0);
  for (std::size_t row = 0; row < report.samples.rows(); ++row) {
    const auto rank = static_cast<std::size_t>(report.samples.get<std::int64_t>("rank")[row]);
    REQUIRE(rank < facts.size());
    ++samples[rank];
    last[rank] = report.samples.get<std::int64_t>("solves")[row];
    CHECK(report.samples.get<std::int64_t>("rss_bytes")[row] > 0);
  }
  for (std::size_t rank = 0; rank < facts.size(); ++rank) {
    CHECK(samples[rank] >= 2);
    CHECK(last[rank] == solves[rank]);
  }
}

inline void no_effort(std::uint64_t) {}
inline std::size_t short_payload(std::uint64_t task) {
  return task % 23;
}

inline void every_task_once(Communicator& communicator) {
  check_each_once(communicator, {{{0, 5000, 1.0}}}, short_payload, no_effort);
}

inline void uneven_costs(Communicator& communicator) {
  const TaskList tasks{{{1000, 3, 1e-2}, {0, 200, 1e-4}, {400, 500, 1e-6}, {200, 0, 0.0}}};
  check_each_once(communicator, tasks, short_payload, [](std::uint64_t task) {
    if (task >= 1000) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (task < 200) std::this_thread::sleep_for(std::chrono::microseconds(100));
  });
}

inline void more_ranks_than_tasks(Communicator& communicator) {
  check_each_once(communicator, {{{7, 1, 1.0}}}, short_payload, no_effort);
}

inline void no_tasks(Communicator& communicator) {
  check_each_once(communicator, {}, short_payload, no_effort);
}

inline void big_payloads(Communicator& communicator) {
  check_each_once(
      communicator, {{{0, 24, 1.0}}},
      [](std::uint64_t task) { return (std::size_t{1} << 20) + task; }, no_effort);
}

inline void tiny_tasks(Communicator& communicator) {
  check_each_once(
      communicator, {{{0, 200'000, 1e-9}}}, [](std::uint64_t) { return 0u; }, no_effort);
}

/// Both sides of a run that must end with an error of this status and text on the root.
inline void check_ends_with(Communicator& communicator, const Work& work, const Sink& sink,
                            ExitStatus status, const std::string& text) {
  if (communicator.rank() != 0) {
    (void)receive_setup(communicator);
    return serve(communicator, work, {});
  }
  const auto facts = share_setup(communicator, [](const auto&) { return Bytes{}; });
  std::string thrown = "nothing";
  try {
    (void)dispatch(communicator, {{{0, 100'000, 1.0}}}, work, sink, facts, {});
  } catch (const Error& error) {
    thrown = error.what();
    CHECK(error.status() == status);
  }
  CHECK(thrown.find(text) != std::string::npos);
}

inline void sink_that_throws(Communicator& communicator) {
  int calls = 0;
  const auto sink = [&](std::uint64_t, int, std::span<const std::byte>) {
    if (++calls == 100) throw OutputError("disk full");
    CHECK(calls < 100);
  };
  check_ends_with(
      communicator, [](std::uint64_t task, Bytes& payload) { append_pattern(task, 100, payload); },
      sink, ExitStatus::output, "disk full");
}

inline void work_that_throws(Communicator& communicator) {
  const int thrower = communicator.size() - 1;
  const int rank = communicator.rank();
  const Work work = [=](std::uint64_t, Bytes&) {
    if (rank == thrower) throw InputError("cannot read");
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  };
  check_ends_with(
      communicator, work, [](std::uint64_t, int, std::span<const std::byte>) {}, ExitStatus::input,
      "cannot read");
}

inline void setup_reaches_all(Communicator& communicator) {
  constexpr std::size_t length = 3'000'000;
  if (communicator.rank() != 0) {
    const Bytes bytes = receive_setup(communicator);
    REQUIRE(bytes.size() == length);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < length; ++i) wrong += bytes[i] == pattern(5, i) ? 0 : 1;
    CHECK(wrong == 0);
    return;
  }
  const auto facts = share_setup(communicator, [&](const std::vector<RankFacts>& all) {
    CHECK(all.size() == static_cast<std::size_t>(communicator.size()));
    Bytes bytes;
    append_pattern(5, length, bytes);
    return bytes;
  });
  REQUIRE(facts.size() == static_cast<std::size_t>(communicator.size()));
  for (std::size_t rank = 0; rank < facts.size(); ++rank) {
    CHECK(facts[rank].rank == static_cast<int>(rank));
    CHECK(!facts[rank].host.empty());
    CHECK(facts[rank].pid > 0);
    CHECK(!facts[rank].cpus.empty());
  }
}

inline void check_refused(Communicator& communicator, int status) {
  int heard = -1;
  try {
    (void)receive_setup(communicator);
  } catch (const SetupRefused& refused) {
    heard = refused.exit_status;
  }
  CHECK(heard == status);
}

/// Before the root listened to anyone, after its own set-up threw, and then all goes well.
inline void refusal(Communicator& communicator) {
  if (communicator.rank() != 0) {
    check_refused(communicator, 2);
    check_refused(communicator, 3);
  } else {
    refuse_setup(communicator, 2);
    const auto failing = [](const std::vector<RankFacts>&) -> Bytes { throw InputError("no"); };
    CHECK_THROWS_AS((void)share_setup(communicator, failing), InputError);
    refuse_setup(communicator, 3);
  }
  every_task_once(communicator);
}

/// A rank that is early for the next run must not be heard in this one.
inline void many_runs_in_a_row(Communicator& communicator) {
  const Work work = [](std::uint64_t task, Bytes& payload) { append_pattern(task, 3, payload); };
  const DispatchOptions options{.monitor_seconds = 0.0};
  std::vector<RankFacts> facts(static_cast<std::size_t>(communicator.size()));
  for (std::uint64_t run = 0; run < 50; ++run) {
    if (communicator.rank() != 0) {
      serve(communicator, work, options);
      continue;
    }
    std::uint64_t sum = 0;
    const auto sink = [&](std::uint64_t task, int, std::span<const std::byte>) { sum += task; };
    const auto report = dispatch(communicator, {{{run, 4, 1.0}}}, work, sink, facts, options);
    CHECK(sum == 4 * run + 6);
    CHECK(report.samples.rows() == 2 * facts.size());
  }
}

struct Case {
  const char* name;
  void (*run)(Communicator&);
};

inline const std::vector<Case>& cases() {
  static const std::vector<Case> all{{"every task exactly once", every_task_once},
                                     {"uneven costs", uneven_costs},
                                     {"more ranks than tasks", more_ranks_than_tasks},
                                     {"no tasks", no_tasks},
                                     {"payloads of a megabyte", big_payloads},
                                     {"200,000 tiny tasks", tiny_tasks},
                                     {"sink that throws", sink_that_throws},
                                     {"work that throws", work_that_throws},
                                     {"many runs in a row", many_runs_in_a_row},
                                     {"set-up reaches all", setup_reaches_all},
                                     {"refusal", refusal}};
  return all;
}

}  // namespace nucreg::battery
