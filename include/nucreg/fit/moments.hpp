// All that squared loss needs to know of the points, where the map is affine in them; and its
// minimiser where it can be written down.
#pragma once

#include <array>
#include <optional>

#include "nucreg/core/affine.hpp"
#include "nucreg/fit/kernels.hpp"
#include "nucreg/fit/model.hpp"
#include "nucreg/fit/points.hpp"

namespace nucreg {

/// Nine second moments of the pairs about their centre: three of 10x along its main axes, four
/// between 10x and 40x, two (as one sum) of 40x. What is kept of 40x is not X but the residual
/// R = X - m0 q of the affine map m0 that fits best: with d = m - m0 the objective is
/// sum |R|^2 + d M d^T - 2 d sum q R, where the last term all but vanishes, so that a small
/// objective is a sum of small positive terms and not the difference of large ones. Main axes keep
/// what is small across a strip from the rounding of what is large along it.
class Moments {
 public:
  /// Two passes over the points: the first finds centre, axes and m0. Points may lie on a line,
  /// coincide, be one or none.
  explicit Moments(const PairsView& pairs, PassThreads* threads = nullptr);

  /// What pass_over_points gives for squared loss at the affine map of 6 entries. The value is off
  /// by no more than rounding every coordinate of the points by a few units in the last place
  /// could make it. Not finite if a number is not finite.
  [[nodiscard]] PassSums sums(const double* map, PassLevel level) const;

  /// The affine map of least squares, by its 6 entries; none if the points do not determine it
  /// (fewer than three, on a line, or not finite).
  [[nodiscard]] std::optional<AffineMap> least_squares() const;

 private:
  // m0 about the centre, and its shift about the origin as a sum of two numbers.
  struct Row {
    double a = 0.0, b = 0.0, shift = 0.0, shift_rest = 0.0;
    Eigen::Vector3d by_residual = Eigen::Vector3d::Zero();  // sum q (m0 q - X)
  };
  std::array<Row, 2> rows_{};
  Eigen::Matrix3d to_px_ = Eigen::Matrix3d::Identity();  // from q to (x, y, 1)
  Eigen::Matrix3d moments_ = Eigen::Matrix3d::Zero();    // sum q q^T
  double value_ = 0.0;                                   // sum |R|^2
};

/// Whether closed_form has an answer for this model and loss.
[[nodiscard]] bool has_closed_form(Model model, Loss loss);

/// rigid, similarity: Umeyama, "Least-squares estimation of transformation parameters between two
/// point patterns", 1991, equations 40 to 42, in two dimensions, the scale fixed at `magnification`
/// for rigid. affine: linear least squares by centred normal equations, refined once.
/// Parameters in radians, in the coordinates of `pairs`; nothing if the points do not determine
/// the map (too few, coincident, collinear), are not finite, or the model has no closed form.
[[nodiscard]] std::optional<Params> closed_form(const PairsView& pairs, Model model,
                                                double magnification);

}  // namespace nucreg
