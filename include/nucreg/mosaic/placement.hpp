// Where each tile of a well is, from what the tiles show; stage positions help
// and are tested.
//
// The work is split into rounds of tasks. A task needs the nuclei of the tiles
// that it names and nothing else, so that it can run on any rank; its result is
// small. The planner on the root takes the results in the order of the tasks
// and says what is to be done next. Who runs a task changes no bit of the
// placement.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nucreg/job/map.hpp"
#include "nucreg/mosaic/well.hpp"
#include "nucreg/mosaic/well_map.hpp"

namespace nucreg::mosaic {

struct PlaceOptions {
  /// 40x px per 10x px that is considered, 0 < low <= high; {0, 0}: that of the
  /// pixel sizes give or take a tenth, or 3 to 5 if no pixel sizes are known.
  std::array<double, 2> magnification{0.0, 0.0};
  std::uint64_t seed = 1;  ///< of the order in which hypotheses are tried
  MapFit fit;              ///< solver and loss of the fit of all placed tiles
  /// Seconds of a clock, to time that fit; empty: it is not timed.
  std::function<double()> clock;
};

/// A piece of work on the nuclei of a few tiles: plain values, to be sent as
/// they are.
struct PlaceTask {
  std::vector<std::uint32_t> tiles;  ///< whose nuclei it needs; seldom more than two
  std::vector<double> values;        ///< what the planner asks, for run_place_task alone
  double cost = 1.0;                 ///< expected, relative to the other tasks of the round
};
using PlaceResult = std::vector<double>;

/// The nuclei of a tile; asked by index into the tiles. The reference must stay
/// valid until the task ends.
using NucleiOf = std::function<const TileNuclei&(std::uint32_t tile)>;

/// Runs tasks on any rank. Pure: equal nuclei give equal results, whatever was run before; it only
/// remembers what it found out about tiles, some 4 kB each.
class PlaceWorker {
 public:
  /// The tiles outlive it.
  explicit PlaceWorker(std::span<const WellTile> tiles);
  ~PlaceWorker();
  PlaceWorker(PlaceWorker&&) noexcept;
  PlaceWorker& operator=(PlaceWorker&&) noexcept;

  /// Throws std::invalid_argument on a task that the planner did not make, and
  /// whatever `nuclei` throws.
  [[nodiscard]] PlaceResult run(const PlaceTask& task, const NucleiOf& nuclei);

 private:
  struct Memory;
  std::unique_ptr<Memory> memory_;
};

/// The same with a worker of its own, which remembers nothing: a twentieth slower without stage.
[[nodiscard]] PlaceResult run_place_task(std::span<const WellTile> tiles, const PlaceTask& task,
                                         const NucleiOf& nuclei);

/// What a side's stage positions are worth.
struct StageModel {
  bool known = false;       ///< positions follow one affine map
  bool flipped = false;     ///< the map mirrors, for the well is drawn as the 10x stage has it
  double unit_um = 1.0;     ///< um per unit of the recorded positions; 1000 if they are in mm
  double scatter_um = 0.0;  ///< robust deviation of a coordinate
  std::string message;      ///< on units and errors, if they are not as usual
};

/// The global fit in numbers.
struct FitFacts {
  std::string solver, loss;
  std::uint32_t unknowns = 0, observations = 0, evaluations = 0, links = 0;
  double objective = 0.0;  ///< robust sum of squares, in units of noise
  double wall_seconds = std::numeric_limits<double>::quiet_NaN();
  double heldout_none_um = 0.0, heldout_affine_um = 0.0, heldout_spline_um = 0.0;
  double heldout_own_um = 0.0;  ///< the best of them with a camera of its own for each 40x tile
  bool own_cameras = false;     ///< that was chosen
};

struct GlobalFit;

struct Placement {
  bool matched = false;  ///< the sides show the same well
  std::string reason;    ///< why not
  WellMap map;
  /// For each island, from 1: its tiles in a frame beside the well and all others, so that they can
  /// be compared with each other; where they are in the well is not known. None of its tiles is
  /// placed if it does not surely show nuclei of both sides.
  std::vector<WellMap> islands;
  std::vector<PlacedTile> tiles;  ///< in the order given
  std::vector<Link> links;
  std::array<StageModel, 2> stage;  ///< of 10x, of 40x
  double turn_deg = 0.0;            ///< of the 40x visit against the 10x visit
  Point shift_um{};                 ///< of the point that the 40x visit calls (0, 0)
  double magnification = 0.0;       ///< 40x px per 10x px
  std::string scale_message;        ///< a sentence if pixel sizes say another one; else empty
  bool mirrored = false;            ///< the cameras differ by a mirroring
  double noise_across_um = 0.0;     ///< deviation of a coordinate of 10x minus 40x, pairs alone
  FitFacts fit;
  std::shared_ptr<const GlobalFit> problem;  ///< the last fit, for other solvers; null: none
};

struct PlacerState;

/// Plans the rounds. Not for several threads.
class Placer {
 public:
  /// Throws InputError if a size is not positive or a number is not finite.
  explicit Placer(std::vector<WellTile> tiles, PlaceOptions options = {});
  ~Placer();
  Placer(Placer&&) noexcept;
  Placer& operator=(Placer&&) noexcept;

  /// Tasks that may run in any order and anywhere; none: all is done. Before
  /// the results of a round are taken it is not called again.
  [[nodiscard]] std::vector<PlaceTask> next_round();
  /// What the round is for, such as "links between tiles"; for progress.
  [[nodiscard]] std::string round_name() const;
  /// The results, in the order of the tasks.
  void take(const std::vector<PlaceResult>& results);
  /// After the last round.
  [[nodiscard]] Placement finish();

 private:
  std::unique_ptr<PlacerState> state_;
};

/// All of it in this process.
[[nodiscard]] Placement place(const std::vector<WellTile>& tiles,
                              const std::vector<TileNuclei>& nuclei,
                              const PlaceOptions& options = {});

}  // namespace nucreg::mosaic
