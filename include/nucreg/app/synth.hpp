// A random tissue and the tiles that two magnifications take of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "nucreg/nuclei/render.hpp"

namespace nucreg {

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
};

/// a b tx c d ty of X = a x + b y + tx, Y = c x + d y + ty.
using SynthMap = std::array<double, 6>;

struct SynthTile {
  std::string name;  ///< "10x_0", "40x_2"
  bool is_ten = true;
  std::size_t size_px = 0;
  double pixel_size_um = 0.0;
  SynthMap tissue_to_tile{};
  std::array<double, 2> stage_um{};       ///< of its centre, as a stage would tell it
  std::vector<TissueNucleus> nuclei;      ///< that it sees or nearly sees
  std::vector<std::uint32_t> identities;  ///< of these; the same nucleus has the same in all tiles
};

/// The tiles with everything that is drawn but the noise. A pure function of its options. Throws
/// JobError where so many nuclei do not fit, or would not fit into memory.
[[nodiscard]] std::vector<SynthTile> make_tiles(const SynthOptions& options);

[[nodiscard]] RenderedImage render_tile(const SynthTile& tile, std::size_t number,
                                        std::uint64_t seed);

/// From px of one tile to px of another.
[[nodiscard]] SynthMap map_between(const SynthTile& from, const SynthTile& to);

/// Maps between the 10x and 40x tiles that overlap, and the nuclei whose centres each tile shows,
/// as JSON.
[[nodiscard]] std::string truth_json(const SynthOptions& options,
                                     const std::vector<SynthTile>& tiles);

}  // namespace nucreg
