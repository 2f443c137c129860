#include <doctest/doctest.h>

#include "mpi/world.hpp"
#include "support/dispatch_battery.hpp"

using nucreg::test::world;

TEST_CASE("dispatch and set-up over MPI") {
  for (const auto& one : nucreg::battery::cases()) {
    CAPTURE(one.name);
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
  for (int to = 0; communicator.rank() != 0 && to < count; ++to)
    communicator.send(0, to, nucreg::Bytes(length(to)));
  std::vector<int> next(static_cast<std::size_t>(communicator.size()), 0);
  int left = communicator.rank() == 0 ? count * (communicator.size() - 1) : 0;
  while (left > 0 || communicator.unsent() > 0) {
    const auto message = communicator.rank() == 0 ? communicator.receive() : std::nullopt;
    if (!message) continue;
    CHECK(message->tag == next[static_cast<std::size_t>(message->source)]++);
    CHECK(message->payload.size() == length(message->tag));
    --left;
  }
}
