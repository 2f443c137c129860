// The product of all axes of a job: what will be run, in which order, at what cost; and one of N
// parts of it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "nucreg/core/table.hpp"
#include "nucreg/job/job.hpp"

namespace nucreg {

/// One point of the product of all axes. Numbers may still be drawn per trial.
struct Configuration {
  std::uint32_t index = 0;    ///< position in Plan::configurations
  std::uint32_t problem = 0;  ///< number of its part of [problem]: what is drawn depends on it
  std::string file;           ///< pairs and labels: its file; images: its pair of tiles
  std::array<double, 2> field_px{};  ///< images: of the 10x tile, once it was read
  Draw points;                  ///< synthetic: nuclei; else the count that was read, 0 until then
  Draw min_distance_px;         ///< synthetic; else 0
  std::vector<Draw> transform;  ///< of problem.transform.model; empty for pairs and images
  Draw noise_px, outliers, missing;  ///< 0 for pairs and images
  Layout layout = Layout::uniform;
  NoiseKind noise_kind = NoiseKind::normal;
  OutlierKind outlier_kind = OutlierKind::uniform;
  Model model = Model::affine;
  Loss loss = Loss::squared;
  Draw loss_scale_px;
  Coordinates coordinates = Coordinates::normalized;
  Start start;
  Draw start_turn_deg, start_shift_px, start_scale;  ///< fit.start_error
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

/// Every rank holds all configurations, at some 400 bytes each.
inline constexpr std::uint64_t max_configurations = 1'000'000;

/// Whether `model` can be the map of `model_of_truth` with these parameters, whatever is drawn:
/// rigid < similarity < trs < affine < projective, and trs and similarity with fixed scales also
/// fit into what is below them. `magnification` is the scale of rigid.
[[nodiscard]] bool contains_truth(Model model, Model model_of_truth, const std::vector<Draw>& truth,
                                  double magnification);

/// Unfolds a job. Configurations that differ in [fit] only have the same `problem`, and so the same
/// points, noise and truth in trials of one number (common random numbers): losses, models and
/// starts are compared in pairs, as solvers are. Order of the axes, slowest first: file (images:
/// pair of tiles, of which the job must know some by then), points, min_distance_px, transform
/// parameters, noise_px, outliers, missing, layout, noise_kind, outlier_kind, model, loss,
/// loss_scale_px, coordinates, start, start_error (turn, shift, scale), max_evaluations, ftol_rel,
/// xtol_rel, max_seconds. Throws JobError if there are more than max_configurations or solves
/// overflow 2^53, and where values that are right alone do not go together: start params of another
/// length than the model's, start "truth" without a truth that the model contains, shift bounds of
/// affine or projective without finite scale bounds, a border that leaves no field.
[[nodiscard]] Plan make_plan(const Job& job);

/// `/configurations` of the result file. A key that is drawn in any configuration has NaN in its
/// own column there and its range in `<key>_min` and `<key>_max`; these two exist for that key
/// only. What the source does not have is NaN or empty.
[[nodiscard]] Table configuration_table(const Plan& plan, const Job& job);

/// Trials of one configuration, consecutive.
struct TrialRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  [[nodiscard]] bool contains(std::uint64_t trial) const {
    return trial >= first && trial - first < count;
  }
};

/// One of N parts of a plan, so that N runs of one job can share its trials.
/// Parts 1 ... count of a plan are disjoint and together the whole. Each has an equal share of the
/// trials of each configuration, and their sizes differ by one trial at most.
struct Part {
  std::uint64_t number = 1;
  std::uint64_t count = 1;

  [[nodiscard]] bool whole() const { return count == 1; }
  /// The share of a configuration that has so many trials; a pure function of its arguments.
  [[nodiscard]] TrialRange of(std::uint64_t configuration, std::uint64_t trials) const;
  /// Number of trials in this part of a plan.
  [[nodiscard]] std::uint64_t tasks(std::uint64_t configurations, std::uint64_t trials) const;
  [[nodiscard]] std::uint64_t tasks(const Plan& plan) const {
    return tasks(plan.configurations.size(), plan.trials);
  }
  /// "2/8", as --part takes it.
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Part&, const Part&) = default;
};

inline constexpr std::uint64_t max_parts = 1'000'000;

/// From "K/N". Throws JobError (key --part).
[[nodiscard]] Part parse_part(std::string_view text);
/// Throws JobError if there are more parts than trials: some would have nothing to do.
void check_part(const Part& part, const Plan& plan);

}  // namespace nucreg
