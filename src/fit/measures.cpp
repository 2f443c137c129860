#include "nucreg/fit/measures.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "nucreg/fit/kernels.hpp"

namespace nucreg {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double objective_px(const PairsView& pairs, const Map& fitted, Loss loss, double loss_scale_px) {
  const MapEntries m = map_entries(fitted.model, to_radians(fitted.model, fitted.params),
                                   fitted.magnification, false);
  const double value =
      pass_over_points(pairs, m.entries.data(), m.projective, loss, loss_scale_px, PassLevel::value)
          .value;
  return std::isfinite(value) ? value : nan;
}

double rmsd_px(const PairsView& pairs, const Map& fitted) {
  if (pairs.size == 0) return nan;
  return std::sqrt(objective_px(pairs, fitted, Loss::squared, 1.0) /
                   static_cast<double>(pairs.size));
}

double tre_px(const Map& fitted, const Map& truth, const std::array<double, 2>& field_px) {
  const double w = field_px[0], h = field_px[1];
  const std::array<std::array<double, 2>, 5> targets{
      {{0.0, 0.0}, {w, 0.0}, {0.0, h}, {w, h}, {0.5 * w, 0.5 * h}}};
  double sum = 0.0;
  for (const auto& [x, y] : targets) {
    const auto a = apply(fitted, x, y), b = apply(truth, x, y);
    sum += (a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]);
  }
  return std::sqrt(sum / static_cast<double>(targets.size()));
}

double param_error(const Map& fitted, const Map& truth) {
  if (fitted.model != truth.model) return nan;
  Params difference = fitted.params - truth.params;
  if (const int i = angle_index(fitted.model); i >= 0)
    difference[i] = std::remainder(difference[i], 360.0);
  return difference.norm();
}

double gap(double objective, double best, double rounding_floor) {
  if (!std::isfinite(objective) || !std::isfinite(best)) return nan;
  const double excess = objective - best;
  return excess <= rounding_floor ? 0.0 : excess / std::max(best, rounding_floor);
}

double rounding_floor_px(const PairsView& pairs) {
  double sum = 0.0;
  for (std::size_t i = 0; i < pairs.size; ++i)
    sum += pairs.x40[i] * pairs.x40[i] + pairs.y40[i] * pairs.y40[i];
  const double eps = 8.0 * std::numeric_limits<double>::epsilon();
  return eps * eps * sum;
}

}  // namespace nucreg
