// The program as a function, so that programs of tests can have solvers of their own.
#pragma once

#include "nucreg/solve/registry.hpp"

namespace nucreg {

/// Does what the command line says; errors become messages on standard error. Returns the exit
/// status of the process. `registry`: the solvers that a job can name.
[[nodiscard]] int run_program(int argc, char** argv, const SolverRegistry& registry);

}  // namespace nucreg
