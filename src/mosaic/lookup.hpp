// Which tiles show what a tile shows, and at what shift, when turn and scale
// are known but no position is: constellations of a nucleus and two of its
// neighbours, looked up.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "nucreg/core/affine.hpp"
#include "nucreg/mosaic/well.hpp"

namespace nucreg::mosaic {

/// A nucleus and the vectors to its nearest neighbours, um.
struct Voter {
  static constexpr std::size_t neighbours = 3;
  Point at{};
  std::array<std::array<float, 2>, neighbours> vector{};
  std::uint32_t size = 0;  ///< of the vectors, at least two
};

/// What a tile is known by: nuclei that are spread over it, neighbours in the
/// list being far apart.
using Constellations = std::vector<Voter>;

/// `camera` carries px to um, rows.
[[nodiscard]] Constellations constellations_of(const TileNuclei& nuclei,
                                               const std::array<double, 4>& camera);

/// All constellations of one tile.
class ConstellationIndex {
 public:
  /// `tolerance_um`: how far a component of the vectors of the same nuclei may
  /// differ.
  ConstellationIndex(const TileNuclei& nuclei, const std::array<double, 4>& camera,
                     double tolerance_um);

  struct Hit {
    Point shift_um{};    ///< camera_b px_b + shift = camera_a px_a
    double votes = 0.0;  ///< nuclei that agree on it
    double asked = 0.0;  ///< nuclei that were asked; not all if the first agree on nothing
  };
  /// The shift that the constellations of another tile agree on. Thorough: all of them are asked
  /// even if the first agree on nothing.
  [[nodiscard]] Hit look_up(const Constellations& asked, bool thorough = false) const;

 private:
  struct Entry {
    std::uint64_t cell;  ///< of the two vectors
    std::array<float, 4> vectors;
    std::array<float, 2> at;
  };
  struct Found {
    Point shift_um;
    std::uint32_t voter;
  };
  void find(const Voter& voter, std::uint32_t index, std::vector<Found>& found) const;
  void find(const std::array<float, 4>& vectors, const Point& at, std::uint32_t index,
            std::vector<Found>& found) const;

  double tolerance_um_ = 0.0;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> bucket_;
  std::vector<std::uint64_t> filled_;  ///< a bit per hash of a cell that has entries
};

}  // namespace nucreg::mosaic
