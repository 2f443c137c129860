// The product of all axes of a job: what will be run, in which order, at what cost.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "nucreg/core/table.hpp"
#include "nucreg/job/job.hpp"

namespace nucreg {

/// One point of the product of all axes. Numbers may still be drawn per trial.
struct Configuration {
  std::uint32_t index = 0;  ///< position in Plan::configurations
  std::string file;         ///< pairs and labels: the file of this configuration
  Draw points;              ///< synthetic: nuclei; else filled with the count that was read
  Draw min_distance_px;
  std::vector<Draw> transform;  ///< of problem.transform.model
  Draw noise_px, outliers, missing;
  Model model = Model::affine;
  Loss loss = Loss::squared;
  Draw loss_scale_px;
  Coordinates coordinates = Coordinates::normalized;
  Start start;
  Draw max_evaluations, ftol_rel, xtol_rel, max_seconds;
};

/// Everything that a run does. A task is one trial with all of its solvers: its number is
/// configuration * trials + trial, and task t owns rows t * solvers ... of the result.
struct Plan {
  std::vector<Configuration> configurations;
  std::uint64_t trials = 0;   ///< per configuration
  std::uint64_t solvers = 0;  ///< per trial

  [[nodiscard]] std::uint64_t tasks() const { return configurations.size() * trials; }
  [[nodiscard]] std::uint64_t solves() const { return tasks() * solvers; }
};

/// Unfolds a job. Order of the axes, slowest first: file, points, min_distance_px, transform
/// parameters, noise_px, outliers, missing, model, loss, loss_scale_px, coordinates, start,
/// max_evaluations, ftol_rel, xtol_rel, max_seconds. Throws JobError where the product overflows
/// 2^32 configurations or tasks overflow 2^53, and where values that are right alone do not go
/// together (start params of another length than the model's, start "truth" without a truth that
/// the model contains, ...).
[[nodiscard]] Plan make_plan(const Job& job);

/// `/configurations` of the result file. A key that is drawn in any configuration has NaN in its
/// own column there and its range in `<key>_min` and `<key>_max`.
[[nodiscard]] Table configuration_table(const Plan& plan, const Job& job);

}  // namespace nucreg
