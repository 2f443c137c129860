// The libraries of the field, where the build found them.
#pragma once

#include <memory>

#include "nucreg/solve/registry.hpp"

namespace nucreg {

/// Ceres Solver; `algorithm` is one of ceres_algorithms.
[[nodiscard]] std::unique_ptr<Solver> make_ceres_solver(const std::string& algorithm);
/// GSL's multifit_nlinear; `algorithm` is one of gsl_algorithms.
[[nodiscard]] std::unique_ptr<Solver> make_gsl_solver(const std::string& algorithm);

}  // namespace nucreg
