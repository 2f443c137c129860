#include <doctest/doctest.h>

#include "mpi/world.hpp"
#include "support/dispatch_battery.hpp"

using nucreg::test::world;

TEST_CASE("dispatch and set-up over MPI") {
  for (const auto& one : nucreg::battery::cases()) {
    SUBCASE(one.name) {
      one.run(world());
    }
  }
}

TEST_CASE("the library behind the messages is named") {
  CHECK(world().library().size() > 4);
  CHECK(world().library().find('\n') == std::string::npos);
}

TEST_CASE("messages of one sender arrive in order, short ones do not overtake long ones") {
  constexpr int count = 40;
  auto& communicator = world();
  const auto length = [](int i) { return i % 3 == 0 ? 500'000u : 10u; };
  const auto receive = [&] {
    while (true) {
      (void)communicator.unsent();
      if (auto message = communicator.receive()) return std::move(*message);
    }
  };
  if (communicator.rank() != 0) {
    for (int i = 0; i < count; ++i) communicator.send(0, i, nucreg::Bytes(length(i)));
    CHECK(receive().tag == count);  // the root has heard all: what comes next is the next test's
    return;
  }
  std::vector<int> next(static_cast<std::size_t>(communicator.size()), 0);
  for (int left = count * (communicator.size() - 1); left > 0; --left) {
    const auto message = receive();
    CHECK(message.tag == next[static_cast<std::size_t>(message.source)]++);
    CHECK(message.payload.size() == length(message.tag));
  }
  for (int rank = 1; rank < communicator.size(); ++rank) communicator.send(rank, count, {});
  while (communicator.unsent() > 0) {
  }
}
