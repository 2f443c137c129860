// The kinds of tasks of a placement, as what they ask and answer.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "link.hpp"
#include "nucreg/mosaic/placement.hpp"

namespace nucreg::mosaic {

/// What a tile shows, in numbers.
struct TileSummary {
  double nuclei = 0.0;
  double spacing_px = 0.0;  ///< median distance to the nearest other
};
[[nodiscard]] PlaceTask summary_task(std::uint32_t tile);
[[nodiscard]] TileSummary summary_of(const PlaceResult& result);

/// Is the 40x tile in the 10x tile, with any turn and mirroring?
struct SeedAnswer {
  bool matched = false;
  std::array<double, 4> forty_to_ten{};  ///< px to px, rows
  double pairs = 0.0, log10_significance = 0.0;
  double noise_px = 0.0;  ///< deviation of a coordinate of the pairs, 40x px
};
[[nodiscard]] PlaceTask seed_task(std::uint32_t ten, std::uint32_t forty,
                                  const std::array<double, 2>& magnification, std::uint64_t seed);
[[nodiscard]] SeedAnswer seed_of(const PlaceResult& result);

/// Which of the tiles `asked` are in the tile, and at what shift?
struct Sighting {
  std::uint32_t tile = 0;  ///< of those asked
  Point offset_um{};       ///< its centre less that of the tile that was searched
  double votes = 0.0, asked = 0.0;
};
[[nodiscard]] PlaceTask lookup_task(std::uint32_t tile, const std::vector<std::uint32_t>& asked,
                                    const std::array<double, 4>& camera,
                                    const std::array<double, 4>& camera_asked, double tolerance_um,
                                    bool thorough = false);
[[nodiscard]] std::vector<Sighting> sightings_of(const PlaceResult& result);

[[nodiscard]] PlaceTask link_task(const LinkTask& task, double cost);

}  // namespace nucreg::mosaic
