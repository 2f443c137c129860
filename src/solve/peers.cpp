// The kinds "ceres" and "gsl": they can be named whether or not the build found the libraries, so
// that a job that needs them hears what is missing.
#include "peers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nucreg/core/error.hpp"

namespace nucreg {
namespace {

using Make = std::unique_ptr<Solver> (*)(const std::string& algorithm);

SolverKind peer(const std::string& name, std::string summary, std::vector<std::string> algorithms,
                [[maybe_unused]] const char* package, Make make, double seconds_per_pair) {
  return {.name = name,
          .summary = std::move(summary) + (make ? "" : "; not in this build"),
          .options = {{"algorithm", std::string("LM"), 0.0,
                       fmt::format("{}", fmt::join(algorithms, ", "))}},
          .make = [=](const SolverOptions& options) -> std::unique_ptr<Solver> {
            const auto& algorithm = std::get<std::string>(options.at("algorithm"));
            if (std::ranges::find(algorithms, algorithm) == algorithms.end())
              throw JobError(
                  fmt::format("{} has no algorithm \"{}\" here", name, algorithm),
                  {.key = "algorithm", .allowed = fmt::format("{}", fmt::join(algorithms, ", "))});
            if (!make)
              throw JobError(
                  fmt::format("this nucreg was built without the library of kind \"{}\"", name),
                  {.key = "kind",
                   .allowed = fmt::format("another kind, or this one after `apt install {}` and a "
                                          "new `cmake --preset release` and build",
                                          package)});
            return make(algorithm);
          },
          .seconds = [=](double pairs) { return 2e-5 + seconds_per_pair * pairs; }};
}

}  // namespace

SolverKind ceres_kind() {
#ifdef NUCREG_CERES
  constexpr Make make = make_ceres_solver;
#else
  constexpr Make make = nullptr;
#endif
  return peer(
      "ceres",
      "Ceres Solver: trust regions (honour bounds) and its L-BFGS (does not), a residual block "
      "and a loss function for each pair",
      {"LM", "DOGLEG", "SUBSPACE_DOGLEG", "LBFGS"}, "libceres-dev", make, 3e-6);
}

SolverKind gsl_kind() {
#ifdef NUCREG_GSL
  constexpr Make make = make_gsl_solver;
#else
  constexpr Make make = nullptr;
#endif
  return peer("gsl", "GSL's multifit_nlinear on the full Jacobian; ignores bounds",
              {"LM", "DOGLEG", "DDOGLEG", "SUBSPACE2D"}, "libgsl-dev", make, 6e-7);
}

}  // namespace nucreg
