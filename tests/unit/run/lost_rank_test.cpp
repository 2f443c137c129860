#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <map>
#include <mutex>
#include <thread>

#include "nucreg/core/clock.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/run/dispatch.hpp"
#include "run/protocol.hpp"

using namespace nucreg;

namespace {

using std::chrono::milliseconds;

/// Short times, so that silence is soon noticed.
DispatchOptions quick() {
  return {.monitor_seconds = 0.0,
          .grace_seconds = 5.0,
          .lease_seconds = 30.0,
          .heartbeat_seconds = 0.05,
          .lost_seconds = 1.0,
          .start_seconds = 1.0};
}

/// What the sink of a run was given.
class Results {
 public:
  explicit Results(std::uint64_t tasks) : seen_(tasks, 0) {}
  [[nodiscard]] Sink sink() {
    return [this](std::uint64_t task, int rank, std::span<const std::byte>) {
      ++seen_.at(task);
      ++by_rank_[rank];
    };
  }
  [[nodiscard]] bool each_once() const {
    return std::count(seen_.begin(), seen_.end(), 1) == static_cast<std::ptrdiff_t>(seen_.size());
  }
  [[nodiscard]] int of(int rank) const {
    const auto found = by_rank_.find(rank);
    return found == by_rank_.end() ? 0 : found->second;
  }

 private:
  std::vector<int> seen_;
  std::map<int, int> by_rank_;
};

std::vector<RankFacts> facts_for(const Communicator& communicator) {
  std::vector<RankFacts> facts(static_cast<std::size_t>(communicator.size()));
  for (std::size_t rank = 0; rank < facts.size(); ++rank)
    facts[rank] = {.rank = static_cast<int>(rank), .host = "host " + std::to_string(rank)};
  return facts;
}

void sleep_work(std::uint64_t, Bytes&) {
  std::this_thread::sleep_for(milliseconds(1));
}

std::optional<Message> next(Communicator& communicator) {
  while (true) {
    if (auto message = communicator.receive(); message && message->tag != tag::alive)
      return message;
    std::this_thread::sleep_for(milliseconds(1));
  }
}

/// The tasks of batches as results, in the order in which they came.
Bytes answer(const Message& batch) {
  Bytes results;
  for (ByteReader reader(batch.payload); !reader.empty();) {
    const auto first = reader.read<std::uint64_t>();
    const auto count = reader.read<std::uint64_t>();
    for (std::uint64_t i = 0; i < count; ++i) {
      ByteWriter{results}(first + i, std::uint64_t{0});
    }
  }
  return results;
}

/// A door that tasks wait at; it opens at the end, so that no thread is left.
class Door {
 public:
  ~Door() {
    open_ = true;
    while (waiting_ > 0 || has_hanging_worker()) std::this_thread::sleep_for(milliseconds(1));
  }
  void wait() {
    ++waiting_;
    while (!open_) std::this_thread::sleep_for(milliseconds(1));
    --waiting_;
  }
  void open() { open_ = true; }

 private:
  std::atomic<bool> open_ = false;
  std::atomic<int> waiting_ = 0;
};

}  // namespace

TEST_CASE("a rank that falls silent is named, with what it held, and others do it") {
  for (const bool spoke : {true, false}) {
    CAPTURE(spoke);
    Results results(300);
    run_local(3, [&](Communicator& communicator) {
      if (communicator.rank() == 1) {
        if (spoke) communicator.send(0, tag::alive, {});
        while (next(communicator)->tag != tag::release) {
        }
      } else if (communicator.rank() == 2) {
        serve(communicator, sleep_work, quick());
      } else {
        const auto report = dispatch(communicator, {{{0, 300, 1.0}}}, sleep_work, results.sink(),
                                     facts_for(communicator), quick());
        CHECK(report.tasks_done == 300);
        CHECK(!report.stopped);
        REQUIRE(report.lost.size() == 1);
        CHECK(report.lost[0].rank == 1);
        CHECK(report.lost[0].host == "host 1");
        CHECK(report.lost[0].reason == "was not heard for 1 s");
        CHECK(!report.lost[0].tasks.empty());
        CHECK(communicator.gave_up(1));
        CHECK(!communicator.gave_up(2));
      }
    });
    CHECK(results.each_once());
    CHECK(results.of(1) == 0);
    CHECK(results.of(2) > 0);
  }
}

TEST_CASE("all ranks but root are lost: root goes on alone") {
  Results results(100);
  run_local(4, [&](Communicator& communicator) {
    if (communicator.rank() != 0) {
      while (next(communicator)->tag != tag::release) {
      }
      return;
    }
    const auto report = dispatch(communicator, {{{0, 100, 1.0}}}, sleep_work, results.sink(),
                                 facts_for(communicator), quick());
    CHECK(report.lost.size() == 3);
  });
  CHECK(results.each_once());
  CHECK(results.of(0) == 100);
}

TEST_CASE("late answers count where nobody else was faster, and are dropped elsewhere") {
  Results results(400);
  run_local(2, [&](Communicator& communicator) {
    if (communicator.rank() == 0) {
      const auto report = dispatch(
          communicator, {{{0, 400, 1.0}}},
          [](std::uint64_t, Bytes&) { std::this_thread::sleep_for(milliseconds(8)); },
          results.sink(), facts_for(communicator), quick());
      REQUIRE(report.lost.size() == 1);
      return;
    }
    // Takes two batches, is silent until it was given up, and answers one of them then, the other
    // when the root has done it long ago.
    const Message first = *next(communicator), second = *next(communicator);
    REQUIRE(second.tag == tag::batch);
    CHECK(next(communicator)->tag == tag::finish);
    communicator.send(0, tag::results, answer(first));
    std::this_thread::sleep_for(milliseconds(500));
    communicator.send(0, tag::results, answer(second));
    while (next(communicator)->tag != tag::release) {
    }
  });
  CHECK(results.each_once());
}

TEST_CASE("a rank that hangs in a task is lost, its task is done by another") {
  Results results(100);
  Door door;
  run_local(2, [&](Communicator& communicator) {
    DispatchOptions options = quick();
    options.lease_seconds = 0.5;
    options.grace_seconds = 0.2;
    if (communicator.rank() == 1) {
      const Work work = [&](std::uint64_t, Bytes&) { door.wait(); };
      serve(communicator, work, options);
      CHECK(has_hanging_worker());
    } else {
      const auto report = dispatch(communicator, {{{0, 100, 1.0}}}, sleep_work, results.sink(),
                                   facts_for(communicator), options);
      REQUIRE(report.lost.size() == 1);
      CHECK(report.lost[0].reason.starts_with("hangs in task "));
    }
  });
  CHECK(results.each_once());
  CHECK(results.of(0) == 100);
}

TEST_CASE("a task on which every rank hangs gets its result by other means") {
  for (const int ranks : {1, 2, 3}) {
    CAPTURE(ranks);
    Results results(50);
    Door door;
    std::vector<std::uint64_t> abandoned;
    run_local(ranks, [&](Communicator& communicator) {
      DispatchOptions options = quick();
      options.lease_seconds = 0.5;
      options.grace_seconds = 0.2;
      options.abandoned = [&](std::uint64_t task, Bytes&) {
        std::this_thread::sleep_for(milliseconds(1500));  // it may warn, on a slow disk
        abandoned.push_back(task);
      };
      const Work work = [&](std::uint64_t task, Bytes&) {
        if (task == 20) door.wait();
      };
      if (communicator.rank() != 0) return serve(communicator, work, options);
      const auto report = dispatch(communicator, {{{0, 50, 1.0}}}, work, results.sink(),
                                   facts_for(communicator), options);
      CHECK(report.tasks_done == 50);
      CHECK(report.lost.size() == static_cast<std::size_t>(std::min(ranks, 2)));
    });
    CHECK(results.each_once());
    CHECK(abandoned == std::vector<std::uint64_t>{20});
  }
}

TEST_CASE("a task that hangs where nothing can stand in for it ends the run") {
  Door door;
  run_local(1, [&](Communicator& communicator) {
    DispatchOptions options = quick();
    options.lease_seconds = 0.3;
    options.grace_seconds = 0.1;
    const Work work = [&](std::uint64_t task, Bytes&) {
      if (task == 3) door.wait();
    };
    Results results(5);
    CHECK_THROWS_WITH_AS((void)dispatch(communicator, {{{0, 5, 1.0}}}, work, results.sink(),
                                        facts_for(communicator), options),
                         "task 3 hangs or ends every rank", Error);
  });
}

TEST_CASE("a stop lets tasks in hand end, hands out nothing more and says so") {
  for (const int ranks : {1, 3}) {
    CAPTURE(ranks);
    Results results(100'000);
    std::atomic<int> begun = 0, ended = 0;
    std::atomic<bool> stop = false;
    run_local(ranks, [&](Communicator& communicator) {
      DispatchOptions options = quick();
      options.stop_requested = [&] { return stop.load(); };
      const Work work = [&](std::uint64_t, Bytes&) {
        if (++begun == 40) stop = true;
        std::this_thread::sleep_for(milliseconds(5));
        ++ended;
      };
      if (communicator.rank() != 0) return serve(communicator, work, options);
      const auto report = dispatch(communicator, {{{0, 100'000, 1.0}}}, work, results.sink(),
                                   facts_for(communicator), options);
      CHECK(report.stopped);
      CHECK(report.lost.empty());
      int seen = 0;
      for (int rank = 0; rank < ranks; ++rank) seen += results.of(rank);
      CHECK(seen == ended);
      CHECK(begun == ended);
      CHECK(report.tasks_done == static_cast<std::uint64_t>(seen));
      CHECK(seen >= 40);
      CHECK(seen < 5'000);
    });
  }
}

TEST_CASE("a stop hands out nothing more, also where the task in hand ends its batch") {
  Results results(100);
  std::atomic<bool> stop = false;
  run_local(1, [&](Communicator& communicator) {
    DispatchOptions options = quick();
    options.stop_requested = [&] { return stop.load(); };
    const Work work = [&](std::uint64_t, Bytes&) {
      stop = true;
      std::this_thread::sleep_for(milliseconds(50));
    };
    // Costs that fall steeply: each batch is a single task.
    TaskList tasks;
    for (std::uint64_t task = 0; task < 10; ++task)
      tasks.blocks.push_back({task, 1, std::pow(0.1, static_cast<double>(task))});
    const auto report =
        dispatch(communicator, tasks, work, results.sink(), facts_for(communicator), options);
    CHECK(report.stopped);
    CHECK(report.tasks_done == 1);
  });
}

TEST_CASE("a stop waits no longer than the grace for a task that does not end") {
  Door door;
  Results results(1000);
  run_local(2, [&](Communicator& communicator) {
    DispatchOptions options = quick();
    options.grace_seconds = 0.3;
    options.stop_requested = [&] { return results.of(1) > 5; };
    const Work work = [&](std::uint64_t task, Bytes& payload) {
      if (communicator.rank() == 0) return door.wait();
      sleep_work(task, payload);
    };
    if (communicator.rank() != 0) return serve(communicator, work, options);
    const auto report = dispatch(communicator, {{{0, 1000, 1.0}}}, work, results.sink(),
                                 facts_for(communicator), options);
    CHECK(report.stopped);
    CHECK(results.of(0) == 0);
  });
}

TEST_CASE("without root a rank ends") {
  for (const bool spoke : {true, false}) {
    CAPTURE(spoke);
    run_local(2, [&](Communicator& communicator) {
      if (communicator.rank() == 0) {
        if (spoke) communicator.send(1, tag::alive, {});
        while (next(communicator)->tag != 99) {
        }
      } else {
        try {
          serve(communicator, sleep_work, quick());
          FAIL("served nobody");
        } catch (const RootLost& error) {
          CHECK(error.status() == ExitStatus::stopped);
        }
        communicator.send(0, 99, {});
      }
    });
  }
}

TEST_CASE("progress counts what is durable, and a failing sync ends the run") {
  run_local(1, [&](Communicator& communicator) {
    Results results(300);
    DispatchOptions options = quick();
    std::atomic<int> syncs = 0;
    std::uint64_t last = 0, before_sync = 0;
    options.sync = [&] { ++syncs; };
    options.progress = [&](const Progress& progress) {
      if (syncs == 0) before_sync = std::max(before_sync, progress.done);
      last = progress.done;
    };
    const Work work = [](std::uint64_t, Bytes&) { std::this_thread::sleep_for(milliseconds(3)); };
    const TaskList tasks{{{0, 300, 1.0}}};
    (void)dispatch(communicator, tasks, work, results.sink(), facts_for(communicator), options);
    CHECK(before_sync == 0);
    CHECK(last == 300);
    CHECK(syncs >= 2);

    options.sync = [] { throw OutputError("quota exceeded"); };
    CHECK_THROWS_WITH_AS((void)dispatch(
                             communicator, {{{0, 100'000, 1.0}}}, work, [](auto&&...) {},
                             facts_for(communicator), options),
                         "quota exceeded", OutputError);
  });
}

TEST_CASE("ranks bear a disk that is slow to the last") {
  Results results(20);
  run_local(2, [&](Communicator& communicator) {
    if (communicator.rank() != 0) return serve(communicator, sleep_work, quick());
    DispatchOptions options = quick();
    options.sync = [] { std::this_thread::sleep_for(milliseconds(2500)); };
    const auto report = dispatch(communicator, {{{0, 20, 1.0}}}, sleep_work, results.sink(),
                                 facts_for(communicator), options);
    CHECK(report.lost.empty());
  });
  CHECK(results.each_once());
}

TEST_CASE("no more is taken than a slow disk can follow") {
  constexpr std::uint64_t tasks = 200;
  std::atomic<std::uint64_t> bytes = 0, max_waiting = 0, durable = 0;
  const Work work = [](std::uint64_t, Bytes& payload) { payload.resize(std::size_t{1} << 20); };
  run_local(2, [&](Communicator& communicator) {
    if (communicator.rank() != 0) return serve(communicator, work, quick());
    DispatchOptions options = quick();
    options.sync = [&] {
      const std::uint64_t given = bytes;
      std::this_thread::sleep_for(milliseconds(1500));
      durable = given;
    };
    const Sink sink = [&](std::uint64_t, int, std::span<const std::byte> payload) {
      bytes += payload.size();
      max_waiting = std::max<std::uint64_t>(max_waiting, bytes - durable);
    };
    const auto report =
        dispatch(communicator, {{{0, tasks, 1.0}}}, work, sink, facts_for(communicator), options);
    CHECK(report.tasks_done == tasks);
    CHECK(report.lost.empty());
  });
  CHECK(durable == tasks << 20);
  CHECK(max_waiting < std::uint64_t{80} << 20);
}

TEST_CASE("work is kept as long as a thread is in it") {
  Door door;
  std::atomic<int> read = 0;
  run_local(1, [&](Communicator& communicator) {
    DispatchOptions options = quick();
    options.lease_seconds = 0.3;
    options.grace_seconds = 0.1;
    options.abandoned = [](std::uint64_t, Bytes&) {};
    const Work work = [&door, &read, kept = std::make_shared<int>(7)](std::uint64_t, Bytes&) {
      door.wait();
      read = *kept;
    };
    Results results(1);
    (void)dispatch(communicator, {{{0, 1, 1.0}}}, work, results.sink(), facts_for(communicator),
                   options);
  });
  CHECK(has_hanging_worker());
  door.open();
  while (has_hanging_worker()) std::this_thread::sleep_for(milliseconds(1));
  CHECK(read == 7);
}

TEST_CASE("what a rank said in the stage before is not of the next one") {
  Results results(20);
  run_local(3, [&](Communicator& communicator) {
    if (communicator.rank() == 0) {
      const auto facts = share_setup(communicator, [](const auto&) { return Bytes{}; });
      DispatchOptions options = quick();
      const auto report =
          dispatch(communicator, {{{0, 20}}}, sleep_work, results.sink(), facts, options);
      CHECK(report.tasks_done == 20);
      CHECK(report.lost.empty());
      return;
    }
    if (communicator.rank() == 2) {  // late words of its last stage, before its facts
      communicator.send(0, tag::alive, {});
      communicator.send(0, tag::results, Bytes(3));
      communicator.send(0, tag::alive, {});
    }
    (void)receive_setup(communicator);
    serve(communicator, sleep_work, quick());
  });
  CHECK(results.each_once());
}

TEST_CASE("a stage waits for no rank that was lost in one before") {
  Results results(20);
  run_local(3, [&](Communicator& communicator) {
    if (communicator.rank() == 2) return;  // dead
    if (communicator.rank() == 1) {
      (void)receive_setup(communicator);
      serve(communicator, sleep_work, quick());
      return;
    }
    communicator.give_up(2);
    const double begin = wall_seconds();
    const auto facts = share_setup(communicator, [](const auto&) { return Bytes{}; });
    CHECK(wall_seconds() - begin < 30.0);  // a rank that may come is waited for twice as long
    const auto report =
        dispatch(communicator, {{{0, 20}}}, sleep_work, results.sink(), facts, quick());
    CHECK(report.tasks_done == 20);
    REQUIRE(report.lost.size() == 1);
    CHECK(report.lost[0].rank == 2);
  });
  CHECK(results.each_once());
}

TEST_CASE("a rank that missed the set-up brings nothing of the stage before into this one") {
  Results results(20);
  run_local(2, [&](Communicator& communicator) {
    if (communicator.rank() == 0) {
      communicator.give_up(1);
      while (communicator.receive() == std::nullopt) std::this_thread::sleep_for(milliseconds(1));
      const auto report = dispatch(communicator, {{{0, 20}}}, sleep_work, results.sink(),
                                   facts_for(communicator), quick());
      CHECK(report.tasks_done == 20);
      REQUIRE(report.lost.size() == 1);
      return;
    }
    communicator.send(0, tag::alive, {});  // the root may begin
    communicator.send(0, tag::results,
                      answer({1, tag::batch, to_bytes(std::uint64_t{0}, std::uint64_t{3})}));
    communicator.send(0, tag::facts, to_bytes(facts_for(communicator)[1]));
    serve(communicator, sleep_work, quick());
  });
  CHECK(results.of(0) == 20);
}
