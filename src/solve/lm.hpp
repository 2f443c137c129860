// The search of kind "lm", for solvers that end with it.
#pragma once

#include "nucreg/solve/solver.hpp"

namespace nucreg {

/// Levenberg-Marquardt on fixed-size normal equations. Allocates nothing.
[[nodiscard]] SolveResult minimize_by_lm(Objective& objective, const SolveRequest& request);

}  // namespace nucreg
