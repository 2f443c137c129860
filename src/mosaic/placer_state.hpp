// What the planner of a placement knows, its tasks and its steps.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "link.hpp"
#include "matching.hpp"
#include "nucreg/core/affine.hpp"
#include "nucreg/mosaic/placement.hpp"
#include "well_fit.hpp"

namespace nucreg::mosaic {

// The kinds of tasks of a placement, as what they ask and answer.

/// Distances of two nuclei that count as one upon the other, in spacings.
inline constexpr std::array<double, 10> own_gates{0.35, 0.3,  0.25, 0.2,  0.16,
                                                  0.13, 0.11, 0.09, 0.07, 0.05};

/// For each of own_gates: the part of the nuclei of a tile that lie upon another at the best shift
/// by half a spacing to three. On a lattice it is nearly all of them; where nuclei are scattered at
/// random it is what chance gives. 0 if there are too few nuclei.
[[nodiscard]] std::array<double, own_gates.size()> own_parts(const TileNuclei& nuclei,
                                                             double spacing_px);

/// What a tile shows, in numbers.
struct TileSummary {
  double nuclei = 0.0;
  double spacing_px = 0.0;    ///< median distance to the nearest other
  Point low_px{}, high_px{};  ///< corners of the box around its nuclei
  /// Part of the nuclei that a shift by a few spacings lays upon another, at the best shift, for
  /// each of own_gates; 0 for tiles of few nuclei.
  std::array<double, own_gates.size()> own_part{};
};
[[nodiscard]] PlaceTask summary_task(std::uint32_t tile);
[[nodiscard]] TileSummary summary_of(const PlaceResult& result);

/// Is a 40x tile in the 10x tile, with any turn and mirroring?
struct SeedAnswer {
  bool matched = false;
  std::array<double, 4> forty_to_ten{};  ///< px to px, rows; a similarity, mirrored or not
  double pairs = 0.0, log10_significance = 0.0;
  double noise_px = 0.0;   ///< deviation of a coordinate of the pairs, 40x px
  bool ambiguous = false;  ///< no match, since other places are about as good
};
/// Each of the 40x tiles; the 10x tile is made ready once.
[[nodiscard]] PlaceTask seed_task(std::uint32_t ten, const std::vector<std::uint32_t>& forties,
                                  const std::array<double, 2>& magnification, std::uint64_t seed);
[[nodiscard]] std::vector<SeedAnswer> seeds_of(const PlaceResult& result);

/// Which of the tiles `asked` are in the tile, and at what shift?
struct Sighting {
  std::uint32_t tile = 0;  ///< of those asked
  Point offset_um{};       ///< its centre less that of the tile that was searched
};
[[nodiscard]] PlaceTask lookup_task(std::uint32_t tile, const std::vector<std::uint32_t>& asked,
                                    const std::array<double, 4>& camera,
                                    const std::array<double, 4>& camera_asked, double tolerance_um,
                                    bool thorough = false);
[[nodiscard]] std::vector<Sighting> sightings_of(const PlaceResult& result);

[[nodiscard]] PlaceTask link_task(const LinkTask& task, double cost);

// What recorded positions mean, found out from tiles whose places are known.

struct StageFit {
  bool found = false;
  bool lays_tiles = false;       ///< it is good enough to say which tiles overlap
  AffineMap map = identity_map;  ///< recorded position to place, um
  double scatter_um = 0.0;       ///< robust deviation of a coordinate
  std::vector<bool> follows;     ///< of the points given
};

/// The affine map that most points follow, however the axes are swapped,
/// flipped and scaled: pairs of points propose similarities, mirrored or not,
/// and the one that most points follow is fitted to them. Not found if fewer
/// than three points or less than half of them follow.
[[nodiscard]] StageFit fit_stage(std::span<const Point> recorded, std::span<const Point> place,
                                 double tolerance_um);

constexpr double sparse_nuclei = 25.0;  ///< of a tile; more are enough to be found anywhere

struct PlacerState {
  enum class Phase {
    summaries,      ///< how many nuclei each tile shows
    seeds,          ///< how the cameras lie to each other, from a few tiles
    lookups,        ///< which tiles show the same, wherever they are
    sightings,      ///< the places that lookups name, tested
    neighbours,     ///< if that gives no stage: tiles beside each other by their positions
    links,          ///< all tiles that overlap by what is known
    stray_lookups,  ///< tiles that nothing ties to the well, looked for in all that were tied
                    ///< since they were looked for last, until that ties no more
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
  double spacing_um = 0.0;      ///< median distance of a nucleus to the nearest other
  double gate_um = 0.0;         ///< of pairs before lens and deformation are known
  double alike_um = 0.0;        ///< how far vectors between the same nuclei may differ
  double min_link_part = 0.25;  ///< of the nuclei of an overlap, pairs of a link

  std::vector<SeedAnswer> seeds;
  std::size_t ambiguous_seeds = 0;
  double seed_magnification = 0.0;  ///< 40x px per 10x px
  bool seeds_exhausted = false;
  std::size_t first_exchanged = 0;  ///< task of a round of causes: with the sides exchanged

  WellModel model;
  /// For each component above 0 in the refinement a mosaic of its own, with the deformation there.
  /// Without tiles of both sides that surely show the same it has none placed.
  std::vector<WellModel> islands;
  std::vector<std::int32_t> component;                    ///< -1: no link
  std::array<StageFit, 2> stage;                          ///< recorded to visit
  std::vector<LinkResult> links;                          ///< significant ones
  std::vector<LinkResult> sightings;                      ///< to be tested; only tiles and shift
  std::vector<std::uint32_t> searched;                    ///< first tile of each task of the round
  std::set<std::array<std::uint32_t, 2>> overlap_surely;  ///< as far as stage positions can be off
  std::vector<std::array<std::uint32_t, 2>> refused;      ///< of those; show nothing in common
  std::set<std::uint32_t> settled_before;                 ///< in them strays were looked for
  bool all_looked_up = false;                             ///< each 40x tile in each 10x tile
  bool subset_failed = false;     ///< a few 40x tiles did not suffice to read the stage
  bool thorough_lookups = false;  ///< by all nuclei, since the first few named no place
  WellFit fit;
  FitFacts facts;
  bool matched = true;
  std::string reason;

  /// Median nominal pixel of a side; 0: unknown.
  [[nodiscard]] double pixel_um(std::size_t of) const;
  [[nodiscard]] bool has_nuclei(std::uint32_t tile) const;
  /// So few that it is placed only near where the stage says.
  [[nodiscard]] bool is_sparse(std::uint32_t tile) const;
  [[nodiscard]] bool by_stage_alone(std::uint32_t tile) const;
  [[nodiscard]] std::string label(std::uint32_t tile) const;

  // Tasks of the phase; none: the phase has nothing to do.
  [[nodiscard]] std::vector<PlaceTask> tasks();
  [[nodiscard]] std::vector<PlaceTask> seed_tasks();
  [[nodiscard]] std::vector<PlaceTask> cause_tasks();
  /// A few 40x tiles against the nearest by the stage, or against all if they are few.
  [[nodiscard]] std::vector<PlaceTask> near_seed_tasks() const;
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
  void refuse_places_in_the_well(std::size_t side) const;
  /// Part of the nuclei of a usual 40x tile that a shift lays upon another within own_gates[k].
  [[nodiscard]] double own_part(std::size_t k) const;
  /// Whether so many do that a shift by a period looks like a match.
  [[nodiscard]] bool regular() const;
  [[nodiscard]] std::string regular_reason() const;
  void choose_gate(double noise_um);
  void take_seeds(const std::vector<PlaceResult>& results);
  /// Whether seeds agree on how the cameras lie to each other; then lookups are next, or there is
  /// no match since the nuclei are too regular.
  [[nodiscard]] bool agree_on_cameras();
  void take_causes(const std::vector<PlaceResult>& results);
  [[nodiscard]] std::string cause(const SeedAnswer& answer, bool exchanged);
  void take_sightings(const std::vector<PlaceResult>& results);
  void take_links(const std::vector<PlaceResult>& results);
  void take_refined(const std::vector<PlaceResult>& results);
  void no_match(std::string why);

  /// Places by links, a first fit, what the stage says, and the frame of the
  /// well.
  void put_together();
  void read_stage();
  void drop_doubtful();
  void turn_to_stage();
  void join_tied();
  [[nodiscard]] DisjointSets tied_sets() const;
  void set_apart_untied();
  void place_fit();
  void fit_islands();
  /// What a tile is laid by: the well, or its island.
  [[nodiscard]] const WellModel& model_of(std::uint32_t tile) const;
  [[nodiscard]] bool accepted(const LinkResult& link) const;
  /// Where a tile is thought to be in the well or its visit, and how far it may
  /// be off.
  struct Guess {
    bool known = false;
    bool apart = false;  ///< in the frame of its island, which lies nowhere
    Point visit_um{};
    double off_um = 0.0;
  };
  /// `shifts`: island_shifts().
  [[nodiscard]] Guess guess(std::uint32_t tile, const std::vector<Point>& shifts) const;
  /// For each component what takes its places into the well, by what the stage says of its tiles;
  /// NaN if it says nothing.
  [[nodiscard]] std::vector<Point> island_shifts() const;
  [[nodiscard]] double island_search_um(const StageFit& s) const;
  [[nodiscard]] bool tells(const StageFit& s) const;
  [[nodiscard]] double stage_off_um(const StageFit& s) const;
  [[nodiscard]] bool surely_overlap(const LinkTask& link, double density) const;
  [[nodiscard]] std::optional<Point> stage_step(std::uint32_t a, std::uint32_t b) const;
};

}  // namespace nucreg::mosaic
