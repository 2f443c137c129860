// What any solver can be given: several starts, and a start that another solver finds.
#pragma once

#include <memory>

#include "nucreg/solve/registry.hpp"

namespace nucreg {

/// The options `start` and `starts` that every kind has.
[[nodiscard]] const std::vector<SolverOption>& start_options();

/// The solver with its starts, or as it is where there is one, the job's. Throws JobError on words
/// that are no start.
[[nodiscard]] std::unique_ptr<Solver> with_starts(std::unique_ptr<Solver> solver,
                                                  const SolverOptions& options);

}  // namespace nucreg
