// The communicator of an MPI test program.
#pragma once

#include "nucreg/run/communicator.hpp"

namespace nucreg::test {

/// All ranks of this test; valid inside test cases. Every rank runs every test case.
[[nodiscard]] Communicator& world();

}  // namespace nucreg::test
