#include "nucreg/nuclei/render.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace nucreg {
namespace {

// From 0 at -1 to 1 at 1 without a kink.
double soft_step(double t) {
  const double u = std::clamp(0.5 * t + 0.5, 0.0, 1.0);
  return u * u * (3.0 - 2.0 * u);
}

// Image px to tissue px.
struct Inverse {
  double a, b, c, d, tx, ty;

  explicit Inverse(const std::array<double, 6>& map) {
    const double determinant = map[0] * map[4] - map[1] * map[3];
    if (!std::isfinite(determinant) || determinant == 0.0)
      throw std::invalid_argument("a map that cannot be inverted");
    a = map[4] / determinant;
    b = -map[1] / determinant;
    c = -map[3] / determinant;
    d = map[0] / determinant;
    tx = map[2];
    ty = map[5];
  }
  [[nodiscard]] std::array<double, 2> operator()(double x, double y) const {
    return {a * (x - tx) + b * (y - ty), c * (x - tx) + d * (y - ty)};
  }
};

}  // namespace

RenderedImage render(std::span<const TissueNucleus> nuclei, const std::array<double, 6>& map,
                     std::size_t width_px, std::size_t height_px, const Optics& optics,
                     RandomStream& noise) {
  const Inverse to_tissue(map);
  const double scale = std::sqrt(std::abs(map[0] * map[4] - map[1] * map[3]));
  const auto width = static_cast<double>(width_px), height = static_cast<double>(height_px);
  std::vector<double> electrons(width_px * height_px, 0.0);
  for (const TissueNucleus& nucleus : nuclei) {
    const double x0 = map[0] * nucleus.x_px + map[1] * nucleus.y_px + map[2];
    const double y0 = map[3] * nucleus.x_px + map[4] * nucleus.y_px + map[5];
    const double reach =
        1.2 * scale * nucleus.long_radius_px * (1.0 + nucleus.dent) + 2.0 * optics.blur_px + 1.0;
    const double cosine = std::cos(nucleus.angle_rad), sine = std::sin(nucleus.angle_rad);
    const double mean_radius_px =
        scale * std::sqrt(nucleus.long_radius_px * nucleus.short_radius_px);
    for (double y = std::max(0.0, std::ceil(y0 - reach)); y < std::min(height, y0 + reach); ++y)
      for (double x = std::max(0.0, std::ceil(x0 - reach)); x < std::min(width, x0 + reach); ++x) {
        const auto [tx, ty] = to_tissue(x, y);
        const double dx = tx - nucleus.x_px, dy = ty - nucleus.y_px;
        const double u = (cosine * dx + sine * dy) / nucleus.long_radius_px;
        const double v = (cosine * dy - sine * dx) / nucleus.short_radius_px;
        const double r = std::sqrt(u * u + v * v);
        // cos(3 t) = 4 cos^3 t - 3 cos t
        const double c = r > 0.0 ? u / r : 0.0;
        const double edge = 1.0 + nucleus.dent * c * (4.0 * c * c - 3.0);
        const double inside = soft_step((edge - r) * mean_radius_px / (2.0 * optics.blur_px));
        electrons[static_cast<std::size_t>(y) * width_px + static_cast<std::size_t>(x)] +=
            optics.electrons * nucleus.brightness * inside;
      }
  }
  RenderedImage image{.width_px = width_px, .height_px = height_px, .values = {}};
  image.values.reserve(electrons.size());
  const double corner = width * width + height * height;
  auto at = electrons.begin();
  for (double y = 0.0; y < height; ++y)
    for (double x = 0.0; x < width; ++x) {
      const double u = 2.0 * x - width + 1.0, v = 2.0 * y - height + 1.0;
      const double light = 1.0 - optics.vignetting * (u * u + v * v) / corner;
      const double mean = light * (*at++ + optics.background_electrons);
      const double spread =
          std::sqrt(mean + optics.read_noise_electrons * optics.read_noise_electrons);
      const double value =
          optics.offset + optics.levels_per_electron * (mean + spread * noise.normal());
      image.values.push_back(
          static_cast<std::uint16_t>(std::clamp(std::floor(value + 0.5), 0.0, 65535.0)));
    }
  return image;
}

}  // namespace nucreg
