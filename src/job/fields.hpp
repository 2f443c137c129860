// The one table of the fields of each options struct. Parsing, range checks, the echo into result
// files and the reference all walk it: a visitor is called with each Field and its value, and
// `table(field, walk)` with each table inside a table. The defaults are those of the structs.
#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

#include "nucreg/job/job.hpp"

namespace nucreg::job_fields {

/// What a number may be.
struct Range {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool above_min = false;  ///< min itself is excluded
  bool below_max = false;  ///< max itself is excluded
  bool whole = false;
  bool not_zero = false;

  [[nodiscard]] bool contains(double value) const;
};

inline constexpr Range any_number{};
inline constexpr Range at_least_zero{.min = 0.0};
inline constexpr Range above_zero{.min = 0.0, .above_min = true};
inline constexpr Range not_zero{.not_zero = true};
inline constexpr Range fraction{.min = 0.0, .max = 1.0, .below_max = true};
inline constexpr Range angle{.min = -180.0, .max = 180.0};
constexpr Range count_from(double min, double max) {
  return {.min = min, .max = max, .whole = true};
}

/// What a string may be.
struct TextRule {
  std::string_view words;
  bool (*accepts)(std::string_view) = nullptr;
};
bool is_file_name(std::string_view text);
bool is_label(std::string_view text);
inline constexpr TextRule file_name{
    "1 to 100 of A-Z a-z 0-9 . _ + -, the first a letter or a digit", is_file_name};
inline constexpr TextRule label{"1 to 64 printable characters", is_label};
inline constexpr TextRule path{"path of a file",
                               [](std::string_view text) { return !text.empty(); }};

using SourceSet = unsigned;
constexpr SourceSet only(Source source) {
  return 1U << static_cast<unsigned>(source);
}
inline constexpr SourceSet synthetic = only(Source::synthetic);
inline constexpr SourceSet made = synthetic | only(Source::labels);
inline constexpr SourceSet from_files = only(Source::pairs) | only(Source::labels);
inline constexpr SourceSet images = only(Source::images);
inline constexpr SourceSet every_source = made | from_files | images;

/// One key of a job file.
struct Field {
  std::string name;
  std::string unit;  ///< empty if there is none
  std::string doc;
  Range range{};
  TextRule text{};
  SourceSet sources = every_source;  ///< of the problem, for which the key has a meaning
  bool required = false;
  std::string_view zero_word{};  ///< the word that stands for 0 in a number
  bool may_be_empty = false;     ///< a list without values is one of its values
  std::string_view allowed{};    ///< in words, if the type does not say it

  [[nodiscard]] bool applies(Source source) const { return (sources & only(source)) != 0; }
};

template <class Visitor>
void describe(Visitor& visit, JobOptions& o) {
  visit(Field{.name = "name",
              .doc = "name of the job; the output is results/NAME.h5",
              .text = file_name,
              .required = true},
        o.name);
  visit(Field{.name = "seed",
              .doc = "seed of all random numbers",
              .range = {.min = 0.0, .whole = true}},
        o.seed);
  visit(Field{.name = "trials",
              .doc = "random instances of each configuration",
              .range = count_from(1.0, 4294967295.0)},
        o.trials);
}

/// The true map if the job does not name one: no shift, no rotation, the nominal magnification.
[[nodiscard]] std::vector<Axis<Draw>> default_transform(Model model, double magnification);
/// The field of one parameter of the true map.
[[nodiscard]] Field transform_field(const ParameterTerm& term);

template <class Visitor>
void describe(Visitor& visit, TransformOptions& o, double magnification) {
  visit(Field{.name = "model", .doc = "model of the true map"}, o.model);
  if (o.params.empty()) o.params = default_transform(o.model, magnification);
  const auto terms = model_parameters(o.model);
  for (std::size_t i = 0; i < terms.size(); ++i) visit(transform_field(terms[i]), o.params.at(i));
}

template <class Visitor>
void describe(Visitor& visit, ImagesOptions& o) {
  const auto files = [&](const char* name, const char* doc, std::vector<std::string>& value) {
    visit(Field{.name = name, .doc = doc, .text = path, .may_be_empty = true}, value);
  };
  files("ten", "10x files or globs (`*`, `?`, `[...]`), relative to the working directory", o.ten);
  files("forty", "40x files or globs", o.forty);
  files("sheets", "CSV with header `ten,forty`, a pair of files a row; instead of ten and forty",
        o.sheets);
  constexpr TextRule channel{"name of a channel, or its number from 0, in quotes", path.accepts};
  visit(Field{.name = "channel_10x", .doc = "channel to segment", .text = channel}, o.channel_10x);
  visit(Field{.name = "channel_40x", .doc = "channel to segment", .text = channel}, o.channel_40x);
  constexpr Range diameter{.min = min_diameter_px, .max = max_diameter_px};
  visit(Field{.name = "diameter_10x_px",
              .unit = "10x px",
              .doc = "of a typical nucleus; auto: estimated from each image",
              .range = diameter,
              .zero_word = "auto"},
        o.diameter_10x_px);
  visit(Field{.name = "diameter_40x_px",
              .unit = "40x px",
              .doc = "the same at 40x",
              .range = diameter,
              .zero_word = "auto"},
        o.diameter_40x_px);
  visit(Field{.name = "magnification",
              .unit = "40x px per 10x px",
              .doc = "lowest and highest that matching considers; a pair, not an axis",
              .range = above_zero,
              .allowed = "[lowest, highest], each number > 0"},
        o.magnification);
  visit(Field{.name = "match_model", .doc = "map that matching refines", .allowed = "trs, affine"},
        o.match_model);
  visit(Field{.name = "significance",
              .unit = "1",
              .doc = "chance gives a map as good with at most this probability",
              .range = {.min = 0.0, .max = 1.0, .above_min = true, .below_max = true}},
        o.significance);
  visit(Field{.name = "stage_error_um",
              .unit = "um",
              .doc = "how far stage positions may be off; tiles that these put further apart are "
                     "tried if no others match",
              .range = at_least_zero},
        o.stage_error_um);
  files("pairs",
        "axis: pairs of tiles as `TEN + FORTY`, in which each must match; none: all that do",
        o.pairs);
}

template <class Visitor>
void describe(Visitor& visit, ProblemOptions& o) {
  visit(Field{.name = "source", .doc = "where points come from"}, o.source);
  visit(Field{.name = "files",
              .doc = "axis: CSV or .npy of pairs, label images; relative to the working directory",
              .text = path,
              .sources = from_files,
              .required = true},
        o.files);
  visit(Field{.name = "points",
              .unit = "1",
              .doc = "axis: nuclei in the field",
              .range = count_from(1.0, 1e8),
              .sources = synthetic},
        o.points);
  visit(Field{.name = "field_px",
              .unit = "10x px",
              .doc = "width and height of the 10x field; a pair, not an axis",
              .range = above_zero,
              .sources = synthetic},
        o.field_px);
  visit(Field{.name = "min_distance_px",
              .unit = "10x px",
              .doc = "axis: no two nuclei closer than this",
              .range = at_least_zero,
              .sources = synthetic},
        o.min_distance_px);
  visit(Field{.name = "border_px",
              .unit = "10x px",
              .doc = "no nucleus closer to the edge of the field than this",
              .range = at_least_zero,
              .sources = synthetic},
        o.border_px);
  visit(Field{.name = "magnification",
              .unit = "40x px per 10x px",
              .doc = "nominal; the scale of model rigid, of the start and of an unset transform",
              .range = above_zero},
        o.magnification);
  visit(Field{.name = "noise_px",
              .unit = "40x px",
              .doc = "axis: standard deviation of each coordinate",
              .range = at_least_zero,
              .sources = made},
        o.noise_px);
  visit(Field{.name = "outliers",
              .unit = "1",
              .doc = "axis: fraction of pairs that are wrong, see outlier_kind",
              .range = fraction,
              .sources = made},
        o.outliers);
  visit(Field{.name = "missing",
              .unit = "1",
              .doc = "axis: fraction of nuclei seen at one magnification only",
              .range = fraction,
              .sources = made},
        o.missing);
  visit(Field{.name = "layout",
              .doc = "axis: where nuclei lie: anywhere, in clumps, in a strip, around holes",
              .sources = synthetic},
        o.layout);
  visit(
      Field{
          .name = "noise_kind",
          .doc = "axis: normal; Student's t, 3 degrees of freedom; a deviation of its own for each",
          .sources = made},
      o.noise_kind);
  visit(
      Field{.name = "outlier_kind",
            .doc =
                "axis: a wrong pair's 40x point is anywhere, the nearest other nucleus's, or moved "
                "with its neighbourhood",
            .sources = made},
      o.outlier_kind);
  visit.table(Field{.name = "transform", .sources = made},
              [&](auto& inner) { describe(inner, o.transform, o.magnification); });
  visit.table(Field{.name = "images", .sources = images},
              [&](auto& inner) { describe(inner, o.images); });
}

template <class Visitor>
void describe(Visitor& visit, Bounds& o) {
  visit(Field{.name = "scale", .unit = "1", .doc = "every scale of the model"}, o.scale);
  visit(Field{.name = "angle_deg", .unit = "deg", .doc = "rotation", .range = angle}, o.angle_deg);
  visit(Field{.name = "dx_px",
              .unit = "10x px",
              .doc = "shift along x; affine and projective need bounds.scale with it"},
        o.dx_px);
  visit(Field{.name = "dy_px", .unit = "10x px", .doc = "shift along y; as dx_px"}, o.dy_px);
}

template <class Visitor>
void describe(Visitor& visit, StartError& o) {
  visit(Field{.name = "turn_deg",
              .unit = "deg",
              .doc = "axis: start turned by so much about the middle of the field",
              .range = angle},
        o.turn_deg);
  visit(Field{.name = "shift_px",
              .unit = "10x px",
              .doc = "axis: start shifted by so much, in a direction drawn for each trial",
              .range = at_least_zero},
        o.shift_px);
  visit(Field{.name = "scale",
              .unit = "1",
              .doc = "axis: start too large by this part: a magnification that is wrong",
              .range = {.min = -1.0, .above_min = true}},
        o.scale);
}

template <class Visitor>
void describe(Visitor& visit, FitOptions& o) {
  constexpr Range tolerance{.min = 0.0, .max = 1.0, .below_max = true};
  visit(Field{.name = "model", .doc = "axis: model that is fitted"}, o.model);
  visit(Field{.name = "loss", .doc = "axis: rho of the squared residual"}, o.loss);
  visit(Field{.name = "loss_scale_px",
              .unit = "40x px",
              .doc = "axis: d of huber, cauchy, tukey; auto: 3 times the noise that the pairs show",
              .range = above_zero,
              .zero_word = "auto"},
        o.loss_scale_px);
  visit(Field{.name = "coordinates",
              .doc = "axis: what solvers work in: both frames centred and scaled, or pixels"},
        o.coordinates);
  visit(Field{.name = "start", .doc = "axis: where solvers begin"}, o.start);
  visit.table(Field{.name = "start_error"}, [&](auto& inner) { describe(inner, o.start_error); });
  visit(Field{.name = "max_evaluations",
              .unit = "1",
              .doc = "axis: evaluations of the objective after which a solver stops",
              .range = count_from(1.0, 2147483647.0)},
        o.max_evaluations);
  visit(Field{.name = "ftol_rel",
              .unit = "1",
              .doc = "axis: relative change of the objective at which a solver stops; 0 = never",
              .range = tolerance},
        o.ftol_rel);
  visit(Field{.name = "xtol_rel",
              .unit = "1",
              .doc = "axis: relative change of the parameters at which a solver stops; 0 = never",
              .range = tolerance},
        o.xtol_rel);
  visit(Field{.name = "max_seconds",
              .unit = "s",
              .doc = "axis: time after which a solver stops",
              .range = above_zero},
        o.max_seconds);
  visit(Field{.name = "arrival_px",
              .unit = "40x px",
              .doc = "error up to which a map has arrived, not an axis; auto: half of the 5 % "
                     "quantile of distances of nearest nuclei",
              .range = above_zero,
              .zero_word = "auto"},
        o.arrival_px);
  visit.table(Field{.name = "bounds"}, [&](auto& inner) { describe(inner, o.bounds); });
}

template <class Visitor>
void describe(Visitor& visit, SolverSpec& o) {
  visit(Field{.name = "name",
              .doc = "name in the results; no two alike",
              .text = label,
              .required = true},
        o.name);
  visit(
      Field{.name = "kind",
            .doc = "one of `nucreg solvers`; all other keys of the section are options of the kind",
            .text = label,
            .required = true},
      o.kind);
}

template <class Visitor>
void describe(Visitor& visit, RunOptions& o) {
  visit(Field{.name = "monitor_seconds",
              .unit = "s",
              .doc = "time between two samples of what each rank uses",
              .range = above_zero},
        o.monitor_seconds);
  visit(Field{.name = "threads_per_rank",
              .unit = "1",
              .doc = "threads that share each pass over more than 65536 pairs",
              .range = count_from(1.0, 1024.0)},
        o.threads_per_rank);
  visit(Field{.name = "timing_repeats",
              .unit = "1",
              .doc = "timed repetitions of each solve; auto: until the clock resolves it",
              .range = count_from(1.0, 1e9),
              .zero_word = "auto"},
        o.timing_repeats);
  visit(Field{.name = "max_solve_bytes",
              .unit = "B",
              .doc = "memory that one solve may hold at once; beyond it the solve fails",
              .range = count_from(1.0, 9007199254740992.0),
              .zero_word = "off"},
        o.max_solve_bytes);
  visit(Field{.name = "hang_seconds",
              .unit = "s",
              .doc = "a trial that takes this much longer than its solves may, hangs",
              .range = above_zero},
        o.hang_seconds);
  visit(Field{.name = "trace", .doc = "store how the objective fell in each solve"}, o.trace);
}

}  // namespace nucreg::job_fields
