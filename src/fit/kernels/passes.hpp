// The passes of this machine.
#pragma once

#include <string_view>

#include "table.hpp"

namespace nucreg::kernels {

struct Choice {
  std::string_view name;  // avx512, avx2, neon, baseline (SSSE3), or scalar
  const Table* table;
};

// The widest instruction set that the machine has; the environment variable NUCREG_SIMD names a
// lower one, for tests and benches: results are the same.
const Choice& choice();

}  // namespace nucreg::kernels
