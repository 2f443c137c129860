// What remains between the visits when all tiles are placed: smooth misfits, regions that moved.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "evidence.hpp"
#include "nucreg/mosaic/assignment.hpp"

namespace nucreg::mosaic {

/// um; floats, for columns.
struct Shift {
  float x = 0.0F, y = 0.0F;
};

/// What a 40x object is paired with: position of its partner, and how sure it is; 0: none.
struct Partners {
  std::vector<float> x, y, weight;
};

/// Mean displacement of 40x detections from their partners, within each 40x tile by cells of some
/// 20 nuclei, blended by quadratic B-splines over 3 x 3 cells.
class LocalShift {
 public:
  LocalShift(const Detections& forty, std::span<const PlacedTile> placed);

  /// Again from pairs. moved: per 40x object, what is subtracted from its detections first; empty:
  /// nothing.
  void learn(const Objects& objects, std::span<const Shift> moved, const Partners& partners);
  /// At a detection.
  [[nodiscard]] Shift at(std::uint32_t detection) const { return blend(detection, {}, 0.0); }
  /// The same without a pair of this detection: its displacement and weight.
  [[nodiscard]] Shift without(std::uint32_t detection, const Shift& own, double weight) const {
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

  [[nodiscard]] Shift blend(std::uint32_t detection, const Shift& own, double weight) const;

  const Detections& forty_;
  std::vector<Grid> grids_;  // per tile
  std::vector<Sum> sums_;    // per cell
  std::vector<Sum> tiles_;   // per tile
};

/// Paired probability per object.
struct PairedPart {
  std::vector<float> ten, forty;
};

struct MovedNuclei {
  std::vector<MovedRegion> regions;
  std::vector<Shift> shift;  ///< per 40x object, to be subtracted; empty if there are no regions
};

/// Looks for shifts of up to five spacings where hardly any nuclei are paired: those for which many
/// nuclei of a block vote, and then, nucleus by nucleus, the one that most neighbours agree on.
[[nodiscard]] MovedNuclei find_moved(const SideView& ten, const SideView& forty,
                                     const PairedPart& paired, double spacing_um, double narrow_um);

}  // namespace nucreg::mosaic
