// The words that a job, a solve and a result file share, each with its one spelling.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace nucreg {

/// Maps from 10x to 40x pixels. Parameters: see `model_parameters`.
enum class Model { rigid, similarity, trs, affine, projective };

/// rho(s) of the squared residual length s; d is `loss_scale_px`. See fit/loss.hpp.
enum class Loss { squared, huber, cauchy, tukey };

/// Coordinates in which a solver works: both frames centred and scaled, or plain pixels.
enum class Coordinates { normalized, raw };

/// How a solve ended. The values are those stored in result files.
enum class SolveStatus {
  converged = 0,        ///< a tolerance of the job was met
  max_evaluations = 1,  ///< stopped by fit.max_evaluations
  max_time = 2,         ///< stopped by fit.max_seconds
  stalled = 3,          ///< no further progress possible in floating point, tolerances not met
  failed = 4,           ///< the solver reported an error, threw, or returned numbers not finite
  not_applicable = 5,   ///< the solver has no answer for this model or loss; not a failure
};

/// How a solver treated the bounds of a job.
enum class BoundsUse {
  none = 0,      ///< the job sets no bounds
  honoured = 1,  ///< the answer lies within them
  ignored = 2,   ///< the solver cannot honour bounds
};

/// Spellings, in the order of the enum's values. Specialised for each enum above.
template <class E>
struct Spelling;
template <>
struct Spelling<Model> {
  static constexpr std::array<std::string_view, 5> names{"rigid", "similarity", "trs", "affine",
                                                         "projective"};
};
template <>
struct Spelling<Loss> {
  static constexpr std::array<std::string_view, 4> names{"squared", "huber", "cauchy", "tukey"};
};
template <>
struct Spelling<Coordinates> {
  static constexpr std::array<std::string_view, 2> names{"normalized", "raw"};
};
template <>
struct Spelling<SolveStatus> {
  static constexpr std::array<std::string_view, 6> names{
      "converged", "max_evaluations", "max_time", "stalled", "failed", "not_applicable"};
};
template <>
struct Spelling<BoundsUse> {
  static constexpr std::array<std::string_view, 3> names{"none", "honoured", "ignored"};
};

/// The spelling of a value.
template <class E>
[[nodiscard]] constexpr std::string_view name_of(E value) {
  return Spelling<E>::names[static_cast<std::size_t>(value)];
}

/// The value with this exact spelling, if there is one.
template <class E>
[[nodiscard]] constexpr std::optional<E> value_of(std::string_view name) {
  for (std::size_t i = 0; i < Spelling<E>::names.size(); ++i)
    if (Spelling<E>::names[i] == name) return static_cast<E>(i);
  return std::nullopt;
}

/// All spellings as "a, b, c", for error messages and help.
template <class E>
[[nodiscard]] std::string all_names() {
  std::string text;
  for (std::string_view name : Spelling<E>::names) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

/// One parameter of a model as jobs and result files show it.
struct ParameterTerm {
  std::string_view name;  ///< key in `problem.transform`
  std::string_view unit;  ///< "px" (10x for dx, dy; 40x for tx, ty), "deg", "1", "1/px"
};

/// The parameters of a model in order, in outside units (degrees, pixels).
///
///     rigid       dx_px dy_px angle_deg                     X = m (cos a x - sin a y + dx) ...
///     similarity  dx_px dy_px angle_deg scale               X = s (cos a x - sin a y + dx) ...
///     trs         dx_px dy_px angle_deg scale_x scale_y     X = sx (cos a x - sin a y + dx),
///                                                           Y = sy (sin a x + cos a y + dy)
///     affine      a b tx_px c d ty_px                       X = a x + b y + tx, Y = c x + d y + ty
///     projective  a b tx_px c d ty_px g h                   as affine, divided by g x + h y + 1
///
/// m is the nominal magnification of the job (`problem.magnification`).
[[nodiscard]] std::span<const ParameterTerm> model_parameters(Model model);

// Defaults and limits that jobs, command lines and functions have in common.

/// 40x px per 10x px: the scales that a match considers; the nominal 4 give or take a quarter.
inline constexpr std::array<double, 2> standard_magnifications{3.0, 5.0};
/// Probability that chance explains a match, at most.
inline constexpr double standard_significance = 1e-4;
/// How far stage positions of images may be off.
inline constexpr double standard_stage_error_um = 500.0;
/// Of a typical nucleus that is segmented.
inline constexpr double min_diameter_px = 3.0, max_diameter_px = 1000.0;

/// Number of parameters of a model.
[[nodiscard]] inline std::size_t parameter_count(Model model) {
  return model_parameters(model).size();
}

/// The largest parameter_count over all models.
inline constexpr std::size_t max_parameters = 8;

/// The equation of a model in one line, for `nucreg models`.
[[nodiscard]] std::string_view model_equation(Model model);

}  // namespace nucreg
