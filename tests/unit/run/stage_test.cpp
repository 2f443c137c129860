// Stages over ranks: one result at any number of ranks, journals, refusals.
#include "nucreg/run/stage.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <numeric>
#include <optional>
#include <string>
#include <thread>

#include "run/protocol.hpp"
#include "support/scratch.hpp"

using namespace nucreg;

namespace {

std::atomic<int> tasks_run = 0;

class Squares final : public Stage {
 public:
  Squares(std::uint64_t count, std::uint64_t factor, std::string identity = {})
      : count_(count), factor_(factor), identity_(std::move(identity)) {}
  [[nodiscard]] StageName name() const override { return {"squares", "squaring", "number"}; }
  [[nodiscard]] TaskList tasks() const override { return {.blocks = {{0, count_, 1.0}}}; }
  void write(ByteWriter& writer) const override { writer(count_, factor_); }
  void run(std::uint64_t task, Bytes& result) const override {
    ++tasks_run;
    if (task == fails_in) throw InputError("task fails");
    ByteWriter{result}(factor_ * task * task);
  }
  void give_up(std::uint64_t, Bytes&) const override {}
  [[nodiscard]] std::string identity() const override { return identity_; }

  static constexpr std::uint64_t none = ~std::uint64_t{0};
  static inline std::uint64_t fails_in = none;

 private:
  std::uint64_t count_, factor_;
  std::string identity_;
};

const StageKinds kinds{{"squares", [](ByteReader& reader, int) {
                          const auto count = reader.read<std::uint64_t>();
                          const auto factor = reader.read<std::uint64_t>();
                          return std::make_shared<const Squares>(count, factor);
                        }}};

using Results = std::vector<std::uint64_t>;

/// A rank that calls `alive` each time that it hears that the root lives.
class Listening final : public Communicator {
 public:
  Listening(Communicator& to, std::function<void()> alive) : to_(to), alive_(std::move(alive)) {}
  [[nodiscard]] int rank() const override { return to_.rank(); }
  [[nodiscard]] int size() const override { return to_.size(); }
  [[nodiscard]] std::string library() const override { return to_.library(); }
  void send_shared(int destination, int tag, std::shared_ptr<const Bytes> payload) override {
    to_.send_shared(destination, tag, std::move(payload));
  }
  [[nodiscard]] std::optional<Message> receive() override {
    auto message = to_.receive();
    if (message && message->tag == tag::alive) alive_();
    return message;
  }
  [[nodiscard]] std::size_t unsent() override { return to_.unsent(); }
  void give_up(int rank, bool gone) override { to_.give_up(rank, gone); }
  [[nodiscard]] bool gave_up(int rank) const override { return to_.gave_up(rank); }

 private:
  Communicator& to_;
  std::function<void()> alive_;
};

/// Runs `body` with the stages of the root; the other ranks serve, and what they leave with is
/// given back.
template <class Body>
std::vector<ExitStatus> on(int ranks, Body&& body, JournalWriter* journal = nullptr) {
  std::vector<ExitStatus> left(static_cast<std::size_t>(ranks), ExitStatus::done);
  run_local(ranks, [&](Communicator& communicator) {
    if (communicator.rank() != 0) {
      left[static_cast<std::size_t>(communicator.rank())] = serve_stages(communicator, kinds);
      return;
    }
    Stages stages(communicator);
    stages.view().journal = journal;
    ExitStatus ended = ExitStatus::done;
    try {
      body(stages);
    } catch (const Error& e) {
      ended = e.status();
    }
    stages.end(ended);
    left[0] = ended;
  });
  return left;
}

StageReport squares(Stages& stages, Results& results, std::uint64_t count, std::uint64_t factor,
                    const std::string& identity = {}, const StageOptions& options = {}) {
  results.assign(count, 0);
  return stages.run(
      std::make_shared<const Squares>(count, factor, identity),
      [&](std::uint64_t task, int, std::span<const std::byte> bytes) {
        results.at(task) = from_bytes<std::uint64_t>(bytes);
      },
      options);
}

Results expected(std::uint64_t count, std::uint64_t factor) {
  Results results(count);
  for (std::uint64_t i = 0; i < count; ++i) results[i] = factor * i * i;
  return results;
}

}  // namespace

TEST_CASE("stages run one after the other, with the same results on any number of ranks") {
  for (const int ranks : {1, 2, 3}) {
    CAPTURE(ranks);
    Results first, second;
    const auto left = on(ranks, [&](Stages& stages) {
      const StageReport report = squares(stages, first, 300, 1);
      CHECK(report.total == 300);
      CHECK(report.earlier == 0);
      CHECK(report.dispatch.tasks_done == 300);
      CHECK(report.facts.size() == static_cast<std::size_t>(ranks));
      static_cast<void>(squares(stages, second, 40, 7, {}, {.last = true}));
    });
    CHECK(first == expected(300, 1));
    CHECK(second == expected(40, 7));
    CHECK(left == std::vector<ExitStatus>(static_cast<std::size_t>(ranks), ExitStatus::done));
  }
}

TEST_CASE("a stage without tasks is over at once") {
  Results none;
  on(2, [&](Stages& stages) { CHECK(squares(stages, none, 0, 1).dispatch.tasks_done == 0); });
  CHECK(none.empty());
}

TEST_CASE("what making a stage throws reaches the other ranks as a status") {
  const auto left = on(3, [&](Stages& stages) {
    static_cast<void>(stages.run(
        [](const std::vector<RankFacts>&) -> std::shared_ptr<const Stage> {
          throw InputError("no such image");
        },
        [](std::uint64_t, int, std::span<const std::byte>) {}));
  });
  CHECK(left == std::vector<ExitStatus>(3, ExitStatus::input));
}

TEST_CASE("a rank of another build is named before any task") {
  for (const Bytes& facts :
       {to_bytes(std::string("older"), std::int64_t{7}), to_bytes(7), Bytes{}}) {
    tasks_run = 0;
    run_local(3, [&](Communicator& communicator) {
      if (communicator.rank() == 1) {
        CHECK(serve_stages(communicator, kinds) == ExitStatus::usage);
      } else if (communicator.rank() == 2) {
        communicator.send(0, tag::facts, facts);
        std::optional<Message> message;
        while (!message || message->tag == tag::alive) {
          message = communicator.receive();
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        CHECK(message->tag == tag::refusal);
        communicator.send(0, tag::refusal_heard, {});
      } else {
        Stages stages(communicator);
        Results results;
        try {
          static_cast<void>(squares(stages, results, 9, 1));
          FAIL("not refused");
        } catch (const JobError& e) {
          CHECK(e.problem().starts_with("rank 2 runs another build than rank 0: "));
        }
        stages.end(ExitStatus::usage);
      }
    });
    CHECK(tasks_run == 0);
  }
}

TEST_CASE("a task that throws ends the run") {
  Squares::fails_in = 5;
  Results results;
  const auto left =
      on(2, [&](Stages& stages) { static_cast<void>(squares(stages, results, 9, 1)); });
  Squares::fails_in = Squares::none;
  CHECK(left == std::vector<ExitStatus>(2, ExitStatus::input));
}

TEST_CASE("a stage with an identity is continued from the journal") {
  const Scratch folder;
  Results results;
  {
    JournalWriter journal(folder / "j", "a run");
    on(
        2, [&](Stages& stages) { static_cast<void>(squares(stages, results, 20, 3, "of 3")); },
        &journal);
  }
  {
    const auto journal = JournalWriter::append_to(folder / "j", "a run");
    tasks_run = 0;
    Results others;
    on(
        2,
        [&](Stages& stages) {
          const StageReport report = squares(stages, results, 30, 3, "of 3");
          CHECK(report.earlier == 20);
          CHECK(report.total == 30);
          CHECK(tasks_run == 10);
          // Another identity, other results: none of the old ones counts.
          CHECK(squares(stages, others, 20, 4, "of 4").earlier == 0);
        },
        journal.get());
    CHECK(results == expected(30, 3));
    CHECK(others == expected(20, 4));
  }
  const JournalReader reader(folder / "j");
  REQUIRE(reader.stage("squares"));
  CHECK(reader.stage("squares")->identity == "of 4");
  CHECK(!reader.stage("cubes"));
}

TEST_CASE("ranks hear of the root whatever it does beside its stages") {
  std::atomic<bool> beside = false;
  std::atomic<int> heard = 0;
  Results first, second;
  run_local(2, [&](Communicator& communicator) {
    if (communicator.rank() != 0) {
      Listening listening(communicator, [&] { heard += beside ? 1 : 0; });
      CHECK(serve_stages(listening, kinds) == ExitStatus::input);
      return;
    }
    Stages stages(communicator);
    const auto take_long = [&] {
      beside = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(3200));
      beside = false;
      CHECK(heard.exchange(0) >= 2);
    };
    CHECK_THROWS_WITH_AS(stages.alive_during([&] {
      take_long();
      static_cast<void>(squares(stages, first, 30, 1));
      take_long();
      static_cast<void>(squares(stages, second, 30, 2));
      throw InputError("no nuclei");
    }),
                         "no nuclei", InputError);
    stages.end(ExitStatus::input);
  });
  CHECK(first == expected(30, 1));
  CHECK(second == expected(30, 2));
}

TEST_CASE("a stage without an identity leaves nothing in the journal") {
  const Scratch folder;
  JournalWriter journal(folder / "j", "a run");
  Results results;
  on(
      1, [&](Stages& stages) { static_cast<void>(squares(stages, results, 5, 1)); }, &journal);
  journal.sync();
  const JournalReader reader(folder / "j");
  CHECK(!reader.stage("squares"));
}

TEST_CASE("tasks that are done are taken out of their blocks") {
  const TaskList tasks{.blocks = {{10, 5, 2.0}, {0, 3, 1.0}}};
  const auto blocks = [](const TaskList& list) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> found;
    for (const TaskList::Block& block : list.blocks) found.emplace_back(block.first, block.count);
    return found;
  };
  using Blocks = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
  CHECK(blocks(without_done(tasks, {})) == Blocks{{10, 5}, {0, 3}});
  std::vector<bool> done(15);
  done[0] = done[2] = done[12] = true;
  CHECK(blocks(without_done(tasks, done)) == Blocks{{10, 2}, {13, 2}, {1, 1}});
  CHECK(without_done(tasks, done).blocks[0].cost_seconds == 2.0);
  CHECK(without_done(tasks, std::vector<bool>(15, true)).blocks.empty());
}

TEST_CASE("tasks in words") {
  const Squares stage(1, 1);
  CHECK(stage.describe({{4, 6}, {12, 1}}) == "number 4-9, 12");
  CHECK(stage.describe({}) == "none");
}
