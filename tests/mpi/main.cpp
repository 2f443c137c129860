// The main of MPI tests. doctest's own skips a test that needs more ranks than there are and
// reports success; this one fails.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

#include "mpi/no_leak_check.hpp"
#include "mpi/world.hpp"

namespace {

nucreg::Communicator* current = nullptr;

int expected_ranks(int argc, char** argv) {
  constexpr std::string_view option = "--expected-ranks=";
  for (int i = 1; i < argc; ++i)
    if (std::string_view(argv[i]).starts_with(option)) return std::atoi(argv[i] + option.size());
  const char* text = std::getenv("NUCREG_EXPECTED_RANKS");
  return text ? std::atoi(text) : 0;
}

nucreg::Message wait_for_message(nucreg::Communicator& communicator) {
  while (true) {
    (void)communicator.unsent();
    if (auto message = communicator.receive()) return std::move(*message);
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

/// Whether no rank failed, told to every rank.
bool all_passed(nucreg::Communicator& communicator, bool passed) {
  constexpr int tag = 1000;
  const auto encode = [](bool value) { return nucreg::Bytes(1, std::byte{value}); };
  const auto decode = [](const nucreg::Message& m) { return m.payload.at(0) != std::byte{0}; };
  if (communicator.rank() != 0) {
    communicator.send(0, tag, encode(passed));
    return decode(wait_for_message(communicator));
  }
  for (int rank = 1; rank < communicator.size(); ++rank)
    if (!decode(wait_for_message(communicator))) passed = false;
  for (int rank = 1; rank < communicator.size(); ++rank)
    communicator.send(rank, tag, encode(passed));
  while (communicator.unsent() > 0) std::this_thread::yield();
  return passed;
}

}  // namespace

nucreg::Communicator& nucreg::test::world() {
  return *current;
}

int main(int argc, char** argv) {
  nucreg::MpiSession session;
  current = &session.communicator();
  const int expected = expected_ranks(argc, argv);
  if (expected != current->size()) {
    if (current->rank() == 0)
      std::cerr << "started with " << current->size() << " ranks, --expected-ranks says "
                << expected << '\n';
    return 1;
  }
  doctest::Context context(argc, argv);
  if (current->rank() != 0) context.setOption("minimal", true);  // prints only failures
  const bool passed = context.run() == 0;
  return all_passed(*current, passed) ? 0 : 1;
}
