// Images of nuclei that were never there, as a microscope would take them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "nucreg/core/random.hpp"

namespace nucreg {

/// A nucleus of a tissue: an ellipse with a dent. Lengths in px of the tissue.
struct TissueNucleus {
  double x_px = 0.0, y_px = 0.0;
  double long_radius_px = 1.0, short_radius_px = 1.0;
  double angle_rad = 0.0;
  double dent = 0.0;        ///< part of the radius that waves three times around it
  double brightness = 1.0;  ///< of the optics' electrons
};

/// Microscope and camera.
struct Optics {
  double blur_px = 1.0;      ///< edges are this soft, px of the image; > 0
  double electrons = 400.0;  ///< per pixel of a nucleus of brightness 1
  double background_electrons = 30.0;
  double offset = 100.0;  ///< of the camera, grey levels
  double levels_per_electron = 1.0;
  double read_noise_electrons = 2.0;
  double vignetting = 0.2;  ///< part of the light that is missing in the corners, 0 ... 1
};

struct RenderedImage {
  std::size_t width_px = 0, height_px = 0;
  std::vector<std::uint16_t> values;  ///< row by row
};

/// `map` is a b tx c d ty from tissue px to image px, invertible. Shot noise is normal with the
/// variance of the electrons. Values are cut off at 0 and 65535. The same stream gives the same
/// image. Throws std::invalid_argument on a map that cannot be inverted.
[[nodiscard]] RenderedImage render(std::span<const TissueNucleus> nuclei,
                                   const std::array<double, 6>& map, std::size_t width_px,
                                   std::size_t height_px, const Optics& optics,
                                   RandomStream& noise);

}  // namespace nucreg
