#include "nucreg/fit/closed_form.hpp"

#include <cmath>

#include "nucreg/fit/moments.hpp"

namespace nucreg {
namespace {

std::optional<Params> umeyama(const PairsView& pairs, Model model, double magnification) {
  if (pairs.size < 2) return std::nullopt;
  const auto [x, y, x40, y40] = centroids(pairs);
  double spread = 0.0, along = 0.0, across = 0.0;
  for (std::size_t i = 0; i < pairs.size; ++i) {
    const double u = pairs.x10[i] - x, v = pairs.y10[i] - y;
    const double u40 = pairs.x40[i] - x40, v40 = pairs.y40[i] - y40;
    spread += u * u + v * v;
    along += u * u40 + v * v40;
    across += u * v40 - v * u40;
  }
  const double angle = std::atan2(across, along);
  const double scale = model == Model::rigid ? magnification : std::hypot(along, across) / spread;
  if (!(spread > 0.0) || !std::isfinite(scale) || scale == 0.0) return std::nullopt;
  const double c = std::cos(angle), s = std::sin(angle);
  Params p(model == Model::rigid ? 3 : 4);
  p.head(3) << x40 / scale - (c * x - s * y), y40 / scale - (s * x + c * y), angle;
  if (model == Model::similarity) p[3] = scale;
  if (!p.allFinite()) return std::nullopt;
  return p;
}

}  // namespace

bool has_closed_form(Model model, Loss loss) {
  return loss == Loss::squared &&
         (model == Model::rigid || model == Model::similarity || model == Model::affine);
}

std::optional<Params> closed_form(const PairsView& pairs, Model model, double magnification) {
  if (!has_closed_form(model, Loss::squared)) return std::nullopt;
  if (model != Model::affine) return umeyama(pairs, model, magnification);
  const auto entries = Moments(pairs).least_squares();
  if (!entries) return std::nullopt;
  return Params(Eigen::Map<const Eigen::VectorXd>(entries->data(), 6));
}

}  // namespace nucreg
