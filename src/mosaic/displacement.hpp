// What remains between the visits when all tiles are placed: smooth misfits, regions that moved.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "evidence.hpp"
#include "nucreg/mosaic/assignment.hpp"

namespace nucreg::mosaic {

/// Mean displacement of 40x detections from their partners, within each 40x tile by cells of some
/// 20 nuclei, blended by quadratic B-splines over 3 x 3 cells.
class LocalShift {
 public:
  LocalShift(const Detections& forty, std::span<const PlacedTile> placed);

  /// Anew from pairs. ten_x, ten_y, weight: per 40x object, its partner; weight 0: none.
  /// offset: per 40x object, what is subtracted from its detections first.
  void learn(const Objects& objects, std::span<const Point> offset, std::span<const float> ten_x,
             std::span<const float> ten_y, std::span<const float> weight);
  /// At a detection.
  [[nodiscard]] Point at(std::uint32_t detection) const { return blend(detection, {}, 0.0); }
  /// The same without a pair of this detection: its displacement and weight.
  [[nodiscard]] Point without(std::uint32_t detection, const Point& own, double weight) const {
    return blend(detection, own, weight);
  }

 private:
  struct Grid {
    float x0 = 0, y0 = 0, cell = 1;
    std::uint32_t columns = 0, rows = 0, first = 0;
  };
  struct Sum {
    float weight = 0, x = 0, y = 0;
  };

  [[nodiscard]] Point blend(std::uint32_t detection, const Point& own, double weight) const;

  const Detections& forty_;
  std::vector<Grid> grids_;  // per tile
  std::vector<Sum> sums_;    // per cell
  std::vector<Sum> tiles_;   // per tile
};

/// Looks for shifts of up to `reach` where hardly any nuclei are paired: those for which many
/// nuclei of a region vote, and then, nucleus by nucleus, the one that its neighbours agree on.
/// probability: per object, of being paired. Returns the regions; adds to `offset` (per 40x object)
/// what must be subtracted from its position.
[[nodiscard]] std::vector<MovedRegion> find_moved(const SideView& ten, const SideView& forty,
                                                  std::span<const float> ten_probability,
                                                  std::span<const float> forty_probability,
                                                  double spacing_um, double narrow_um,
                                                  std::span<Point> offset);

}  // namespace nucreg::mosaic
