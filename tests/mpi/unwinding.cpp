// A rank that leaves its MPI session by an exception: the launcher must end with its status and
// not wait for the other ranks, which wait for a message that never comes.
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <thread>

#include "mpi/no_leak_check.hpp"
#include "nucreg/run/communicator.hpp"

int main() {
  try {
    nucreg::MpiSession session;
    auto& communicator = session.communicator();
    if (communicator.rank() + 1 == communicator.size()) throw std::runtime_error("on purpose");
    while (!communicator.receive()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "reported: %s\n", error.what());
    return 7;
  }
}
