// Which nucleus of the 10x side is which of the 40x side, each used once, with a probability.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "nucreg/mosaic/objects.hpp"

namespace nucreg::mosaic {

struct AssignmentOptions {
  /// First guess of the noise of a detection, um per coordinate, of either side; > 0.
  double ten_noise_um = 0.3, forty_noise_um = 0.2;
  /// Pairs less probable are not given: their nuclei are `ambiguous`. Within [0, 1).
  double min_probability = 0.5;
  /// A component of the gating graph with more objects is cut: its edges are taken by falling gain
  /// and left out where they would join more objects than this. >= 2.
  std::size_t max_component = 96;
  /// Directions in which unpaired 40x objects are shifted to count chance pairs; 0: none.
  std::size_t decoys = 8;
};

/// One row per pair of objects, sorted by `ten`: columns of equal length.
struct NucleusPairs {
  std::vector<std::uint32_t> ten, forty;  ///< rows of the detections: the representatives
  std::vector<float> distance_um;         ///< between the objects, well, nothing corrected
  /// What remains when the local displacement is taken from the other pairs around, without this.
  std::vector<float> heldout_distance_um;
  std::vector<float> probability;  ///< of being right; marginal over all assignments
  std::vector<float> q_value;      ///< expected part of wrong pairs among all at least as probable
  /// Log likelihood that is lost if this pair is forbidden and all others are chosen again.
  std::vector<float> margin;

  [[nodiscard]] std::size_t size() const { return ten.size(); }
};

/// Pairs at least so probable: what the posteriors and what the decoys say is wrong of them.
struct DecoyPoint {
  double min_probability = 0.0;
  std::size_t pairs = 0;
  double expected_wrong = 0.0;  ///< sum of 1 - probability
  double decoy_wrong = 0.0;     ///< pairs of shifted objects, mean over the directions
};

/// A region whose objects moved between the visits, or that was placed wrongly.
struct MovedRegion {
  Point centre_um{};  ///< well; mean of its 40x objects
  Point shift_um{};   ///< of 40x against 10x
  std::size_t nuclei = 0;
};

struct AssignmentSummary {
  std::size_t ten_shared = 0, forty_shared = 0;  ///< objects within fields of the other side
  double ten_paired = 0.0, forty_paired = 0.0;   ///< part of those that are paired; NaN: none
  double expected_wrong = 0.0;                   ///< pairs; sum of 1 - probability
  std::vector<DecoyPoint> decoys;                ///< by falling probability
  double narrow_um = 0.0;  ///< standard deviation of a coordinate of a pair, most pairs
  double ten_noise_um = 0.0, forty_noise_um = 0.0;  ///< of detections; the guess if unknown
  double area_correlation = 0.0;  ///< of log area over pairs; 0 if it was not used
  double gate_um = 0.0;
  std::size_t components = 0;
  std::vector<MovedRegion> moved;
  std::vector<double> match_rate;  ///< per tile: paired part of its shared detections; NaN: none
};

struct WellAssignment {
  Objects ten, forty;
  std::vector<Unpaired> ten_unpaired, forty_unpaired;  ///< per detection; that of its object
  NucleusPairs pairs;
  AssignmentSummary summary;
};

/// Objects of both sides, then one-to-one pairs of greatest likelihood. `tiles` and `placed` are
/// those of both sides and of equal length; Detections::tile indexes them. Where pairs lie and what
/// they look like is learnt on the well: the spread of true pairs (a narrow and a wide part), the
/// local densities of nuclei with and without a partner, the correlation of areas, and smooth
/// displacements that remain; a region that lies off as a whole is found by the shifts for which
/// its nuclei vote. With k the density of pairs, a and b those of objects of either side without a
/// partner and f the density of displacements, a pair gains log(k f / (a b)) over leaving both
/// alone (as in multitarget tracking: Blackman & Popoli, Design and Analysis of Modern Tracking
/// Systems, 1999, ch. 6); the sum is maximal over one-to-one assignments. Probabilities are
/// marginals by belief propagation (Williams & Lau, IEEE Trans. Aerosp. Electron. Syst. 50, 2014),
/// exact if the gating graph has no cycle. Pure, deterministic, one thread. Throws InputError as
/// find_objects(), and if columns differ in length.
[[nodiscard]] WellAssignment assign_nuclei(Detections ten, Detections forty,
                                           std::span<const WellTile> tiles,
                                           std::span<const PlacedTile> placed,
                                           const AssignmentOptions& options = {});

}  // namespace nucreg::mosaic
