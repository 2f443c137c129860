// What a solver in another process answers (tools/solvers/README.md).
#pragma once

#include <cstdint>
#include <string>

#include "nucreg/solve/solver.hpp"

namespace nucreg {

/// What went wrong with the process, in words; it is ended then.
struct BrokenProcess {
  std::string problem;
};

struct ProcessAnswer {
  SolveResult result;
  std::int64_t function_evaluations = 0, jacobian_evaluations = 0;
};

/// The answer to solve `number` of a model with so many parameters. Throws BrokenProcess on
/// anything that is none.
[[nodiscard]] ProcessAnswer process_answer(const std::string& line, std::int64_t number,
                                           Eigen::Index parameters);

}  // namespace nucreg
