#include "nucreg/app/solvers.hpp"

namespace nucreg {

SolverRegistry job_solvers() {
  return standard_solvers();
}

}  // namespace nucreg
