// A job as plain values: everything that a run does. Read by job/parse.hpp, unfolded by plan.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/core/terms.hpp"

namespace nucreg {

/// A number: fixed (min == max), or drawn uniformly from [min, max) in each trial.
struct Draw {
  double min = 0.0;
  double max = 0.0;

  constexpr Draw() = default;
  constexpr Draw(double value) : min(value), max(value) {}  // NOLINT: a number is a fixed draw
  constexpr Draw(double low, double high) : min(low), max(high) {}
  [[nodiscard]] constexpr bool fixed() const { return min == max; }
  friend constexpr bool operator==(const Draw&, const Draw&) = default;
};

/// The values that a key takes, one configuration each. Never empty in a parsed job.
template <class T>
using Axis = std::vector<T>;

/// Where the points of a trial come from.
enum class Source { synthetic, pairs, labels, images };
template <>
struct Spelling<Source> {
  static constexpr std::array<std::string_view, 4> names{"synthetic", "pairs", "labels", "images"};
};

/// Where the nuclei of a synthetic field lie (fit/scatter.hpp).
enum class Layout { uniform, clustered, strip, holes };
template <>
struct Spelling<Layout> {
  static constexpr std::array<std::string_view, 4> names{"uniform", "clustered", "strip", "holes"};
};

/// How positions at 40x scatter; noise_px is the standard deviation of a coordinate in all of them.
enum class NoiseKind { normal, student, per_nucleus };
template <>
struct Spelling<NoiseKind> {
  static constexpr std::array<std::string_view, 3> names{"normal", "student", "per-nucleus"};
};

/// Whose 40x point a wrong pair has.
enum class OutlierKind { uniform, swapped, clustered };
template <>
struct Spelling<OutlierKind> {
  static constexpr std::array<std::string_view, 3> names{"uniform", "swapped", "clustered"};
};

/// `[job]`
struct JobOptions {
  std::string name;
  std::uint64_t seed = 1;
  std::int64_t trials = 1;  ///< per configuration
  friend bool operator==(const JobOptions&, const JobOptions&) = default;
};

/// `[problem.transform]`: the true map, in the order and units of model_parameters(model).
struct TransformOptions {
  Model model = Model::trs;
  std::vector<Axis<Draw>> params;  ///< one axis per parameter
  friend bool operator==(const TransformOptions&, const TransformOptions&) = default;
};

/// `[problem.images]`: source "images" only.
struct ImagesOptions {
  std::vector<std::string> ten, forty;  ///< files or globs, relative to the working directory
  std::vector<std::string> sheets;      ///< CSV that name files instead
  std::string channel_10x{"0"}, channel_40x{"0"};       ///< name, or number from 0
  double diameter_10x_px = 0.0, diameter_40x_px = 0.0;  ///< of a nucleus; 0 = "auto"
  std::array<double, 2> magnification = standard_magnifications;
  Model match_model = Model::affine;  ///< trs or affine
  double significance = standard_significance;
  double stage_error_um = standard_stage_error_um;  ///< further off, all pairs are tried
  std::vector<std::string> pairs;  ///< an axis: "TEN + FORTY"; empty: all that match
  friend bool operator==(const ImagesOptions&, const ImagesOptions&) = default;
};

/// `[problem]`
struct ProblemOptions {
  Source source = Source::synthetic;
  std::vector<std::string> files;   ///< pairs, labels: an axis; relative to the working directory
  Axis<Draw> points{Draw(1000.0)};  ///< nuclei in the field; synthetic only
  std::array<double, 2> field_px{1024.0, 1024.0};  ///< width, height of the 10x field
  Axis<Draw> min_distance_px{Draw(10.0)};          ///< 10x; synthetic only
  double border_px = 0.0;                          ///< 10x; no nucleus this close to the edge
  double magnification = 4.0;                      ///< nominal, 40x px per 10x px
  TransformOptions transform;                      ///< synthetic and labels
  Axis<Draw> noise_px{Draw(0.0)};                  ///< standard deviation per coordinate, 40x px
  Axis<Draw> outliers{Draw(0.0)};                  ///< fraction of pairs
  Axis<Draw> missing{Draw(0.0)};                   ///< fraction of nuclei
  Axis<Layout> layout{Layout::uniform};            ///< synthetic only
  Axis<NoiseKind> noise_kind{NoiseKind::normal};
  Axis<OutlierKind> outlier_kind{OutlierKind::uniform};
  ImagesOptions images;  ///< images only
  friend bool operator==(const ProblemOptions&, const ProblemOptions&) = default;
};

/// `fit.start`
struct Start {
  enum class Kind { nominal, identity, truth, closed_form, params };
  Kind kind = Kind::nominal;
  std::vector<double> params;  ///< Kind::params only; order and units of the fitted model
  friend bool operator==(const Start&, const Start&) = default;
};
template <>
struct Spelling<Start::Kind> {
  static constexpr std::array<std::string_view, 5> names{"nominal", "identity", "truth",
                                                         "closed-form", "params"};
};

/// `fit.start_error`: how far from fit.start the solvers really begin. Axes.
struct StartError {
  Axis<Draw> turn_deg{Draw(0.0)};  ///< about the middle of the field
  Axis<Draw> shift_px{Draw(0.0)};  ///< 10x px, in a direction drawn for each trial
  Axis<Draw> scale{Draw(0.0)};     ///< by this part too large
  friend bool operator==(const StartError&, const StartError&) = default;
};

/// A closed interval; infinite ends are unbounded.
struct Interval {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  [[nodiscard]] constexpr bool bounded() const {
    return min != -std::numeric_limits<double>::infinity() ||
           max != std::numeric_limits<double>::infinity();
  }
  friend constexpr bool operator==(const Interval&, const Interval&) = default;
};

/// `fit.bounds`. For affine and projective they become the tightest box around the maps allowed.
struct Bounds {
  Interval scale;      ///< every scale of the model
  Interval angle_deg;  ///< within -180 ... 180
  Interval dx_px;      ///< 10x px; for affine and projective only together with `scale`
  Interval dy_px;      ///< 10x px
  friend constexpr bool operator==(const Bounds&, const Bounds&) = default;
};

/// `[fit]`
struct FitOptions {
  Axis<Model> model{Model::affine};
  Axis<Loss> loss{Loss::squared};
  Axis<Draw> loss_scale_px{Draw(3.0)};  ///< 40x px; 0 = "auto": from the pairs of each trial
  Axis<Coordinates> coordinates{Coordinates::normalized};
  Axis<Start> start{Start{}};
  StartError start_error;
  Axis<Draw> max_evaluations{Draw(1000.0)};  ///< objective evaluations
  Axis<Draw> ftol_rel{Draw(1e-12)};
  Axis<Draw> xtol_rel{Draw(1e-12)};
  Axis<Draw> max_seconds{Draw(10.0)};
  double arrival_px = 0.0;  ///< 40x px; 0 = "auto", from the distances between nuclei
  Bounds bounds;
  friend bool operator==(const FitOptions&, const FitOptions&) = default;
};

/// One value of a `[[solver]]` key.
using OptionValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

/// One `[[solver]]`; a section whose options have lists is a solver for each combination. Keys
/// beyond name and kind belong to the kind and are checked by its registry (solve/registry.hpp),
/// which is why they keep their lines.
struct SolverSpec {
  std::string name;
  std::string kind;
  std::map<std::string, OptionValue> options;
  int line = 0;                             ///< of the `[[solver]]`; 0 if there is no file
  std::map<std::string, int> option_lines;  ///< line of each key, `kind` included
};

/// `[run]`
struct RunOptions {
  double monitor_seconds = 30.0;
  std::int64_t threads_per_rank = 1;  ///< that share the passes of a solve
  std::int64_t timing_repeats = 0;    ///< 0 = "auto": until the clock resolves a solve
  std::int64_t max_solve_bytes = std::int64_t{4} << 30;  ///< 0 = "off"
  double hang_seconds = 30.0;
  bool trace = false;
  friend bool operator==(const RunOptions&, const RunOptions&) = default;
};

/// Where a key was set: a file and a line, or `--set key=value` and 0.
struct Origin {
  std::string file;
  int line = 0;
};

/// A whole job. Built by parse_job, which guarantees all ranges.
struct Job {
  std::string file;  ///< where it was read from; empty for text
  JobOptions job;
  ProblemOptions problem;
  FitOptions fit;
  std::vector<SolverSpec> solvers;
  RunOptions run;
  std::map<std::string, Origin> origins;  ///< of each dotted key that was set
};

/// Fields of an error about a dotted key ("problem.points"), with the place where it was set.
[[nodiscard]] ErrorFields where(const Job& job, const std::string& key, std::string allowed = {});

/// Gives a job the loss, its scale, the start and the solvers of a recommended one
/// (`nucreg recommend --to`).
void take_fit(Job& job, const Job& recommended);

}  // namespace nucreg
