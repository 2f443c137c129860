#include <doctest/doctest.h>

#include "support/dispatch_battery.hpp"

using namespace nucreg;

TEST_CASE("dispatch and set-up within one process") {
  for (const int ranks : {1, 2, 3, 8}) {
    CAPTURE(ranks);
    for (const auto& one : battery::cases()) {
      SUBCASE((std::string(one.name) + ", " + std::to_string(ranks) + " ranks").c_str()) {
        run_local(ranks, one.run);
      }
    }
  }
}

TEST_CASE("run_local rethrows what one rank threw and leaves no other waiting") {
  const auto body = [](Communicator& communicator) {
    if (communicator.rank() == 2) throw InputError("rank 2");
    while (!communicator.receive()) std::this_thread::yield();
  };
  CHECK_THROWS_WITH_AS(run_local(3, body), "rank 2", InputError);
}

TEST_CASE("dispatch refuses a result that nobody ordered") {
  const auto body = [](Communicator& communicator) {
    if (communicator.rank() == 0) {
      const std::vector<RankFacts> facts(2);
      const Sink sink = [](std::uint64_t, int, std::span<const std::byte>) {};
      const Work work = [](std::uint64_t, Bytes&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      };
      (void)dispatch(communicator, {{{0, 100, 1.0}}}, work, sink, facts, {});
    } else {
      communicator.send(0, 99, {});
    }
  };
  CHECK_THROWS_AS(run_local(2, body), std::logic_error);
}

TEST_CASE("exceptions that are no Error arrive with status bug and their text") {
  for (const int ranks : {2, 3}) {
    run_local(ranks, [](Communicator& communicator) {
      const int rank = communicator.rank();
      const Work work = [=](std::uint64_t, Bytes&) {
        if (rank == 1) throw std::runtime_error("broken");
        std::this_thread::sleep_for(std::chrono::microseconds(100));
      };
      battery::check_ends_with(
          communicator, work, [](std::uint64_t, int, std::span<const std::byte>) {},
          ExitStatus::bug, "rank 1: broken");
    });
  }
}
