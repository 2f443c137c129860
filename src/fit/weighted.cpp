#include "nucreg/fit/weighted.hpp"

#include <algorithm>
#include <cmath>

#include "nucreg/fit/loss.hpp"

namespace nucreg {
namespace {

// Weight and rho of a pair.
struct Judged {
  double weight, rho;
};

template <class Judge>
WeightedSums pass(const PairsView& pairs, const AffineMap& m, double c2, const Judge& judge) {
  WeightedSums out;
  for (std::size_t i = 0; i < pairs.size; ++i) {
    const double x = pairs.x10[i], y = pairs.y10[i], x40 = pairs.x40[i], y40 = pairs.y40[i];
    const double rx = m[0] * x + m[1] * y + m[2] - x40, ry = m[3] * x + m[4] * y + m[5] - y40;
    const double s = rx * rx + ry * ry;
    const auto [w, rho] = judge(s);
    out.rho += rho;
    out.largest = std::max(out.largest, s);
    out.inliers += s <= c2;
    const double wx = w * x, wy = w * y;
    out.w += w;
    out.x += wx;
    out.y += wy;
    out.x40 += w * x40;
    out.y40 += w * y40;
    out.xx += wx * x;
    out.xy += wx * y;
    out.yy += wy * y;
    out.x_x40 += wx * x40;
    out.y_x40 += wy * x40;
    out.x_y40 += wx * y40;
    out.y_y40 += wy * y40;
  }
  return out;
}

}  // namespace

WeightedSums weighted_pass(const PairsView& pairs, const AffineMap& map, const WeightRule& rule) {
  const double c2 = rule.scale * rule.scale, mu = rule.mu;
  switch (rule.weighting) {
    case Weighting::gm:
      return pass(pairs, map, c2, [&](double s) {
        const double root = mu * c2 / (s + mu * c2);
        return Judged{root * root, std::min(s, c2)};
      });
    case Weighting::tls:
      return pass(pairs, map, c2, [&](double s) {
        const double rho = std::min(s, c2);
        if (s * (mu + 1.0) <= mu * c2) return Judged{1.0, rho};
        if (s * mu >= (mu + 1.0) * c2) return Judged{0.0, rho};
        return Judged{rule.scale * std::sqrt(mu * (mu + 1.0) / s) - mu, rho};
      });
    case Weighting::loss:
      break;
  }
  return pass(pairs, map, c2, [&](double s) {
    const LossValue value = evaluate_loss(rule.loss, s, rule.scale);
    return Judged{value.first, value.rho};
  });
}

WeightedSums unweighted_pass(const PairsView& pairs) {
  return pass(pairs, {}, 0.0, [](double) { return Judged{1.0, 0.0}; });
}

std::optional<AffineMap> weighted_closed_form(const WeightedSums& s, Model model,
                                              double magnification) {
  if (!(s.w > 0.0)) return std::nullopt;
  const double x = s.x / s.w, y = s.y / s.w, x40 = s.x40 / s.w, y40 = s.y40 / s.w;
  const double xx = s.xx - s.x * x, xy = s.xy - s.x * y, yy = s.yy - s.y * y;
  const double x_x40 = s.x_x40 - s.x * x40, y_x40 = s.y_x40 - s.y * x40;
  const double x_y40 = s.x_y40 - s.x * y40, y_y40 = s.y_y40 - s.y * y40;
  AffineMap map{};
  if (model == Model::rigid || model == Model::similarity) {
    const double along = x_x40 + y_y40, across = x_y40 - y_x40;
    const double length = std::hypot(along, across);
    const double scale = model == Model::rigid ? magnification : length / (xx + yy);
    if (!(xx + yy > 0.0) || !(length > 0.0)) return std::nullopt;
    const double a = scale * along / length, b = scale * across / length;
    map = {a, -b, 0.0, b, a, 0.0};
  } else {
    const double det = xx * yy - xy * xy;
    if (!(det > 1e-13 * xx * yy)) return std::nullopt;
    map[0] = (x_x40 * yy - y_x40 * xy) / det;
    map[1] = (y_x40 * xx - x_x40 * xy) / det;
    map[3] = (x_y40 * yy - y_y40 * xy) / det;
    map[4] = (y_y40 * xx - x_y40 * xy) / det;
  }
  map[2] = x40 - map[0] * x - map[1] * y;
  map[5] = y40 - map[3] * x - map[4] * y;
  for (const double entry : map)
    if (!std::isfinite(entry)) return std::nullopt;
  return map;
}

Params nearest_params(Model model, const AffineMap& m, ShiftForm form, double magnification) {
  Params p(static_cast<Eigen::Index>(parameter_count(model)));
  if (model == Model::affine || model == Model::projective) {
    p.setZero();
    p.head(6) = Eigen::Map<const Eigen::Matrix<double, 6, 1>>(m.data());
    return p;
  }
  const double angle = std::atan2(m[3] - m[1], m[0] + m[4]);
  const double c = std::cos(angle), s = std::sin(angle);
  const double scale_x = c * m[0] - s * m[1], scale_y = s * m[3] + c * m[4];
  const double both = 0.5 * (scale_x + scale_y);
  switch (model) {
    case Model::rigid:
      p << m[2] / magnification, m[5] / magnification, angle;
      return p;
    case Model::similarity:
      p << m[2], m[5], angle, both;
      break;
    default:
      p << m[2], m[5], angle, scale_x, scale_y;
      break;
  }
  return form == ShiftForm::plain ? p : to_scaled_shift(model, p);
}

}  // namespace nucreg
