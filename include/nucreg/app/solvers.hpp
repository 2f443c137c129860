// The solvers that the jobs of this program can name.
#pragma once

#include "nucreg/solve/registry.hpp"

namespace nucreg {

/// standard_solvers(). Alone in its file, so that a test program can define it with more in it.
[[nodiscard]] SolverRegistry job_solvers();

}  // namespace nucreg
