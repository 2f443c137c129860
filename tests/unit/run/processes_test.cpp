// What ranks read of each other in /proc.
#include <doctest/doctest.h>

#include "run/processes.hpp"

using namespace nucreg;

TEST_CASE("a process that ends while it is read about is no error") {
  // Reading a folder fails after opening it, as does the file of a process that has just ended.
  CHECK(text_of("/proc/self").empty());
  CHECK(text_of("/proc/0/status").empty());
  CHECK(text_of("/proc/self/status").find("PPid:") != std::string::npos);
}
