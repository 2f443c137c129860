#include "nucreg/job/recommended.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "nucreg/core/error.hpp"

namespace nucreg {
namespace {

/// The solver of the same method: what a kind ends with is what fits.
std::optional<MapSolver> solver_like(const SolverSpec& spec) {
  const auto option = spec.options.find("algorithm");
  const auto* algorithm =
      option == spec.options.end() ? nullptr : std::get_if<std::string>(&option->second);
  const std::string& kind = spec.kind;
  if (kind == "irls" || kind == "closed-form") return MapSolver::irls;
  if (kind == "lm" || kind == "eigen-lm" || kind == "consensus" || kind == "gsl")
    return MapSolver::lm;
  if (kind == "nlopt" && (!algorithm || *algorithm == "LD_LBFGS")) return MapSolver::lbfgs;
  if (kind == "ceres") return algorithm && *algorithm == "LBFGS" ? MapSolver::lbfgs : MapSolver::lm;
  return std::nullopt;
}

}  // namespace

void take_fit(Job& job, const Job& recommended) {
  job.fit.loss = recommended.fit.loss;
  job.fit.loss_scale_px = recommended.fit.loss_scale_px;
  job.fit.start = recommended.fit.start;
  job.solvers = recommended.solvers;
  for (const char* key : {"fit.loss", "fit.loss_scale_px", "fit.start"})
    job.origins[key] = {.file = recommended.file};
}

void take_fit(MapJob& map, const Job& recommended) {
  const SolverSpec& spec = recommended.solvers.front();
  const std::optional<MapSolver> solver = solver_like(spec);
  if (!solver)
    throw JobError(fmt::format("solver {} of kind {} has no like for the fit of all tiles",
                               spec.name, spec.kind),
                   {.file = recommended.file,
                    .line = spec.line,
                    .key = "solver.kind",
                    .allowed = "irls, closed-form, lm, eigen-lm, consensus, gsl, ceres, nlopt with "
                               "LD_LBFGS"});
  map.fit.solver = *solver;
  map.fit.loss = recommended.fit.loss.front();
}

}  // namespace nucreg
