// Tissue that was never there: random nuclei, the tiles that two magnifications take of them, and
// images as a microscope would take them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "nucreg/core/affine.hpp"
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

/// An image of `nuclei`; `tissue_to_image` maps px to px. Shot noise is normal with the variance of
/// the electrons. Values are clipped to 0 ... 65535. The same stream gives the same image. Throws
/// std::invalid_argument if the map has no inverse.
[[nodiscard]] RenderedImage render(std::span<const TissueNucleus> nuclei,
                                   const AffineMap& tissue_to_image, std::size_t width_px,
                                   std::size_t height_px, const Optics& optics,
                                   RandomStream& noise);

struct SynthOptions {
  std::uint64_t seed = 1;
  std::size_t ten = 1;          ///< tiles at 10x, side by side with a tenth of overlap
  std::size_t forty = 3;        ///< tiles at 40x, anywhere within those
  std::size_t field_px = 512;   ///< width and height of a 10x tile
  std::size_t tile_px = 1024;   ///< width and height of a 40x tile
  std::size_t nuclei = 300;     ///< per 10x tile
  double diameter_px = 11.0;    ///< of a typical nucleus, 10x px
  double missing = 0.1;         ///< part of the nuclei that a magnification does not see
  double stage_error_um = 5.0;  ///< standard deviation of each coordinate
  bool turned = false;          ///< 40x mirrored or turned by right angles against 10x
  /// A whole well: 40x tiles cover all of it with a tenth of overlap, however many these are; the
  /// plate was taken out between the visits. If there are nine at least, the position of one is
  /// wrong, one shows nothing, and one was taken twice.
  bool well = false;
};

struct SynthTile {
  std::string name;  ///< "10x_0", "40x_2"
  bool is_ten = true;
  std::size_t size_px = 0;
  double pixel_size_um = 0.0;
  AffineMap tissue_to_tile = identity_map;
  std::array<double, 2> stage_um{};       ///< of its centre, as a stage would report it
  std::vector<TissueNucleus> nuclei;      ///< that it sees or nearly sees
  std::vector<std::uint32_t> identities;  ///< of these; the same nucleus has the same in all tiles
  std::string fault;                      ///< "position_wrong", "empty", "duplicate"; empty: none
};

/// What the nuclei of a tissue have to fit into; who scatters them is the caller's choice.
struct TissueField {
  std::array<double, 2> size_px{};
  double min_distance_px = 0.0;
  std::uint64_t nuclei = 0;
};

/// Throws JobError if the tissue and its tiles would not fit into memory.
[[nodiscard]] TissueField tissue_field(const SynthOptions& options);
/// The random numbers for an attempt to scatter the nuclei.
[[nodiscard]] RandomStream position_stream(const SynthOptions& options, std::uint32_t attempt);

/// The tiles with everything that is drawn but the noise, of nuclei that are centred at x, y (px of
/// the tissue, within `tissue_field`). A pure function of its arguments.
[[nodiscard]] std::vector<SynthTile> make_tiles(const SynthOptions& options,
                                                std::span<const double> x,
                                                std::span<const double> y);

[[nodiscard]] RenderedImage render_tile(const SynthTile& tile, std::size_t number,
                                        std::uint64_t seed);

/// From px of one tile to px of another.
[[nodiscard]] AffineMap map_between(const SynthTile& from, const SynthTile& to);

/// Maps between the 10x and 40x tiles that overlap, and the nuclei whose centres each tile shows,
/// as JSON.
[[nodiscard]] std::string truth_json(const SynthOptions& options,
                                     const std::vector<SynthTile>& tiles);

}  // namespace nucreg
