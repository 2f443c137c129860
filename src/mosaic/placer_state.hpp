// What the planner of a placement knows, and its steps.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "nucreg/mosaic/placement.hpp"
#include "place_tasks.hpp"
#include "stage_model.hpp"
#include "well_fit.hpp"

namespace nucreg::mosaic {

struct PlacerState {
  enum class Phase {
    summaries,      ///< how many nuclei each tile shows
    seeds,          ///< how the cameras lie to each other, from a few tiles
    lookups,        ///< which tiles show the same, wherever they are
    sightings,      ///< the places that lookups name, tested
    neighbours,     ///< where that tells no stage: tiles beside each other by their positions
    links,          ///< all tiles that overlap by what is known
    stray_lookups,  ///< tiles that nothing ties to the well, looked for
                    ///< everywhere
    stray_sightings,
    stray_links,
    refinement,  ///< all links again under the fit
    causes,      ///< nothing matches: what would have, such as the sides exchanged
    done
  };

  PlacerState(std::vector<WellTile> given, PlaceOptions wanted);

  std::vector<WellTile> tiles;
  PlaceOptions options;
  Phase phase = Phase::summaries;
  std::uint32_t pass = 0;  ///< of a phase that is repeated

  std::array<std::vector<std::uint32_t>, 2> of_side;  ///< tiles of each side
  std::vector<TileSummary> summary;
  double spacing_um = 0.0;  ///< median distance of a nucleus to the nearest other
  double gate_um = 0.0;     ///< of pairs before lens and deformation are known
  double alike_um = 0.0;    ///< how far vectors between the same nuclei may differ

  std::vector<std::array<std::uint32_t, 2>> seed_pairs;  ///< of the round
  std::vector<SeedAnswer> seeds;
  bool seeds_exhausted = false;
  std::size_t first_exchanged = 0;  ///< task of a round of causes: with the sides exchanged

  WellModel model;
  std::vector<std::int32_t> component;                    ///< -1: no link
  std::array<StageFit, 2> stage;                          ///< recorded to visit
  std::vector<LinkResult> links;                          ///< significant ones
  std::vector<LinkResult> sightings;                      ///< to be tested; only tiles and shift
  std::vector<std::uint32_t> searched;                    ///< first tile of each task of the round
  std::set<std::array<std::uint32_t, 2>> overlap_surely;  ///< as far as stage positions can be off
  std::vector<std::array<std::uint32_t, 2>> refused;      ///< of those; show nothing in common
  bool all_looked_up = false;                             ///< each 40x tile in each 10x tile
  bool subset_failed = false;  ///< a few 40x tiles did not suffice to read the stage
  WellFit fit;
  FitFacts facts;
  bool matched = true;
  std::string reason;

  /// Median nominal pixel of a side; 0: unknown.
  [[nodiscard]] double pixel_um(std::size_t of) const;
  [[nodiscard]] bool has_nuclei(std::uint32_t tile) const;
  [[nodiscard]] std::string label(std::uint32_t tile) const;

  // Tasks of the phase; none: the phase has nothing to do.
  [[nodiscard]] std::vector<PlaceTask> tasks();
  [[nodiscard]] std::vector<PlaceTask> seed_tasks();
  [[nodiscard]] std::vector<PlaceTask> cause_tasks();
  /// Tiles of a side by how well they serve as seeds.
  [[nodiscard]] std::vector<std::uint32_t> by_richness(std::size_t side) const;
  /// 40x px per 10x px, by what was asked for or by pixel sizes.
  [[nodiscard]] std::array<double, 2> expected_magnification() const;
  /// px of the other side per px of this one, by pixel sizes, give or take a tenth.
  [[nodiscard]] std::array<double, 2> usual_magnification(std::size_t large_side) const;
  [[nodiscard]] std::vector<std::uint32_t> lookup_subset() const;
  [[nodiscard]] std::vector<PlaceTask> lookup_tasks();
  [[nodiscard]] std::vector<PlaceTask> stray_tasks();
  [[nodiscard]] std::vector<PlaceTask> sighting_tasks();
  [[nodiscard]] std::vector<PlaceTask> neighbour_tasks();
  [[nodiscard]] std::vector<PlaceTask> overlap_tasks();

  // What the results of the phase mean; sets the next phase.
  void conclude(const std::vector<PlaceResult>& results);
  void take_summaries(const std::vector<PlaceResult>& results);
  void take_seeds(const std::vector<PlaceResult>& results);
  void take_causes(const std::vector<PlaceResult>& results);
  void take_sightings(const std::vector<PlaceResult>& results);
  void take_links(const std::vector<PlaceResult>& results);
  void no_match(std::string why);

  /// Places by links, a first fit, what the stage says, and the frame of the
  /// well.
  void put_together();
  void read_stage();
  void turn_to_stage();
  void place_fit();
  [[nodiscard]] bool accepted(const LinkResult& link) const;
  /// Where a tile is thought to be in the well or its visit, and how far it may
  /// be off.
  struct Guess {
    bool known = false;
    Point visit_um{};
    double off_um = 0.0;
  };
  /// `shifts`: island_shifts().
  [[nodiscard]] Guess guess(std::uint32_t tile, const std::vector<Point>& shifts) const;
  /// For each component what takes its places into the well, by what the stage says of its tiles;
  /// NaN if it says nothing.
  [[nodiscard]] std::vector<Point> island_shifts() const;
  [[nodiscard]] double island_search_um() const;
  [[nodiscard]] bool surely_overlap(const LinkTask& link, double density) const;
  [[nodiscard]] std::optional<Point> stage_step(std::uint32_t a, std::uint32_t b) const;
};

}  // namespace nucreg::mosaic
