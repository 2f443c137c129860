// From a configuration and a trial number to the problem that all solvers of the trial get.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nucreg/fit/model.hpp"
#include "nucreg/fit/points.hpp"
#include "nucreg/plan/plan.hpp"

namespace nucreg {

/// What was read from one file of `problem.files`, or what one pair of tiles holds.
struct InputFile {
  std::string path;
  PointPairs pairs;                  ///< sources "pairs" and "images"
  Points points;                     ///< source "labels": centroids, 10x px
  std::array<double, 2> field_px{};  ///< width and height of the 10x field
};

/// How far from fit.start the solvers begin: a turn and a change of scale about the middle of the
/// field, then a shift, all on the 10x side.
struct StartShift {
  double turn_deg = 0.0, scale = 0.0, x_px = 0.0, y_px = 0.0;
  [[nodiscard]] bool none() const {
    return turn_deg == 0.0 && scale == 0.0 && x_px == 0.0 && y_px == 0.0;
  }
};

/// The map after the error; of rigid, whose scale is fixed, the scale stays.
[[nodiscard]] Map with_start_error(const Map& start, const StartShift& error,
                                   const std::array<double, 2>& field_px);

/// One trial, with every drawn number fixed.
struct Trial {
  PointPairs pairs;                   ///< 10x px, 40x px
  PointPairs heldout;                 ///< images: pairs that are not among these; else none
  std::array<double, 2> field_px{};   ///< width and height of the 10x field
  std::vector<std::size_t> outliers;  ///< pairs whose 40x point was misplaced
  std::optional<Map> truth;           ///< if there is one
  double loss_scale_px = 0.0;         ///< 40x px
  StartShift start_error;             ///< of this trial; applied to fit.start
  std::uint64_t solver_seed = 1;      ///< SolveRequest::seed
  std::int64_t max_evaluations = 0;
  double ftol_rel = 0.0, xtol_rel = 0.0, max_seconds = 0.0;
};

/// Where trials come from. make() is a pure function of its arguments and the source's data.
class ProblemSource {
 public:
  virtual ~ProblemSource() = default;
  [[nodiscard]] virtual Trial make(const Configuration& configuration,
                                   std::uint32_t trial) const = 0;
};

/// The source that the job names. `inputs` holds one entry per file of the job, in its order.
/// Throws JobError if a configuration is impossible (a density that does not fit).
[[nodiscard]] std::unique_ptr<ProblemSource> make_source(const Job& job, const Plan& plan,
                                                         std::vector<InputFile> inputs);

}  // namespace nucreg
