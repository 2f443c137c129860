// For tests in Python: `sample_map FILE [SIDE_UM]` writes the map of support/sample_map.hpp.
#include "support/sample_map.hpp"

#include <cstdio>
#include <string>

#include "nucreg/core/error.hpp"

int main(int count, char** words) {
  try {
    const double side_um = count > 2 ? std::stod(words[2]) : 1200.0;
    nucreg::write_map(words[1], nucreg::sample::MapMaker(side_um).make(), true);
  } catch (const nucreg::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.status());
  }
  return 0;
}
