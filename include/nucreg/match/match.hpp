// Which nucleus at 10x is which at 40x: from two point sets alone, without a start.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nucreg/core/affine.hpp"
#include "nucreg/core/terms.hpp"
#include "nucreg/fit/points.hpp"

namespace nucreg {

/// Where a point of 40x lies at 10x, as the stage or the user has it. It narrows the search and is
/// not believed: the answer must be significant by itself, and where nothing is found near the
/// prior all is searched. Of turn, mirroring and magnification it says nothing.
struct StagePrior {
  std::array<double, 2> forty_px{};  ///< the point, such as the middle of the tile, 40x px
  /// Where it may be, 10x px; several if it is not known how the camera is turned.
  std::vector<std::array<double, 2>> ten_px{};
  double uncertainty_px = 0.0;  ///< how far it may be from the nearest of these, 10x px; > 0
};

/// What may be asked of a match.
struct MatchOptions {
  /// Scales that are considered, 0 < low <= high. A wider range costs time and significance, not
  /// correctness.
  std::array<double, 2> magnification = standard_magnifications;
  std::optional<StagePrior> stage{};  ///< none: all of both sets is searched
  Model model = Model::affine;        ///< map that is refined on the pairs: trs or affine
  Loss loss = Loss::cauchy;           ///< of the refinement; its scale follows from the residuals
  /// A map is taken when chance would give one as good, over all hypotheses tried, with at most
  /// this probability; in (0, 1).
  double significance = standard_significance;
  /// Nuclei of 40x, drawn at random, whose constellations propose maps; >= 1. The default is enough
  /// where one nucleus in hundreds can prove a match. Time of no match grows with it.
  std::size_t max_seeds = 20000;
  std::uint64_t seed = 1;  ///< of the order in which hypotheses are tried and of the folds
};

/// Why there is no match.
enum class NoMatch {
  none,             ///< there is one
  too_few,          ///< fewer than four distinct points on a side
  collinear,        ///< the points of a side lie on a line: mirroring is unknown
  not_significant,  ///< no map explains more coincidences than chance would
  ambiguous,        ///< several maps explain as much, as on a regular lattice
};

/// What was found. Frames: `ten` is 10x px, `forty` is 40x px; indices count from 0 in the sets as
/// given. Where there is no match: no pairs, maps and rates NaN, `log10_significance` the best
/// seen.
struct MatchResult {
  static constexpr double nan = std::numeric_limits<double>::quiet_NaN();

  NoMatch no_match = NoMatch::none;
  std::string reason;  ///< of no match, in words; empty for a match
  [[nodiscard]] bool matched() const { return no_match == NoMatch::none; }

  AffineMap affine{nan, nan, nan, nan, nan, nan};  ///< 10x px to 40x px, of the model asked for
  /// dx_px dy_px (10x) angle_deg scale_x scale_y, fitted to the same pairs with the same loss.
  /// A mirrored map has a negative scale_y.
  std::array<double, 5> trs{nan, nan, nan, nan, nan};
  bool mirrored = false;

  /// One-to-one pairs by rising `ten`: ten[i] at 10x is forty[i] at 40x.
  std::vector<std::uint32_t> ten, forty;
  std::vector<double> residual_px;  ///< distance of mapped 10x and 40x point, 40x px
  /// The same by a map that was fitted without the pair (five folds); NaN if a fold is too
  /// small.
  std::vector<double> heldout_residual_px;

  std::size_t ten_in_overlap = 0, forty_in_overlap = 0;  ///< nuclei within the other side's field
  /// Pairs over the pairs possible, which are as many as the smaller side has in the overlap.
  double match_rate = nan;
  double chance_rate = nan;      ///< what match_rate would be by chance at the local densities
  double match_radius_px = nan;  ///< largest residual of a pair, as decided from the data, 40x px
  double noise_px = nan;  ///< standard deviation of a coordinate, by the median residual, 40x px
  double heldout_rmsd_px = nan;  ///< root mean square of heldout_residual_px, 40x px
  /// log10 of the probability that chance gives a map as good among all hypotheses tried (<= 0).
  double log10_significance = 0.0;
  std::uint64_t hypotheses = 0;  ///< maps that were tried
  /// How far the point of the stage prior is from the nearest place that it names, 10x px; NaN
  /// without one.
  double stage_error_px = nan;
};

/// Finds the map from `ten` (10x px) to `forty` (40x px), a similarity with or without mirroring up
/// to the anisotropy of a microscope, and pairs the nuclei. A pure function: the same arguments
/// give the same answer. O(n log n) time, memory linear in the points. No match is an answer.
///
/// Constellations of a nucleus and three of its neighbours, described by ratios of complex numbers
/// that no similarity changes, propose maps (after Lang et al., "Astrometry.net", AJ 139, 2010). A
/// map is grown outwards from its constellation; each ring of nuclei is predicted before it is
/// fitted, and coincidences are counted against the binomial tail of chance.
///
/// Throws InputError if a coordinate is not finite, a set has columns of different lengths or
/// more than 2^28 points (key "ten" or "forty"), JobError if an option is out of range.
[[nodiscard]] MatchResult match_nuclei(const Points& ten, const Points& forty,
                                       const MatchOptions& options = {});

/// 10x, ready to be matched with many sets at 40x: half of the time of a short match, once for all.
class MatchTarget {
 public:
  /// Throws as match_nuclei() of points does.
  explicit MatchTarget(const Points& ten);
  ~MatchTarget();
  MatchTarget(const MatchTarget&) = delete;
  MatchTarget& operator=(const MatchTarget&) = delete;

 private:
  friend MatchResult match_nuclei(const MatchTarget&, const Points&, const MatchOptions&);
  struct State;
  std::unique_ptr<State> state_;
};

/// The same for a set at 10x that is ready.
[[nodiscard]] MatchResult match_nuclei(const MatchTarget& ten, const Points& forty,
                                       const MatchOptions& options = {});

/// Magnifications that other_match() tries.
inline constexpr std::array<double, 2> widest_magnification{0.1, 20.0};

struct OtherMatch {
  bool exchanged = false;      ///< `forty` is 10x, `ten` is 40x
  double magnification = 0.0;  ///< then, 40x px per 10x px
};

/// If two sets do not match as they are: how they do, with the sides exchanged or at a
/// magnification outside of `options.magnification`, as of mixed units or another objective.
/// Nothing if they do not.
[[nodiscard]] std::optional<OtherMatch> other_match(const Points& ten, const Points& forty,
                                                    MatchOptions options);

// Where tiles were taken, by the stage, and what follows for a match.

/// A tile and where the stage stood. What a file does not say is missing.
struct TilePlace {
  std::size_t width_px = 0, height_px = 0;
  std::optional<double> pixel_size_um;    ///< > 0
  std::optional<double> pixel_height_um;  ///< where pixels are not square
  std::optional<double> stage_x_um, stage_y_um;
};

/// Whether stage positions say that two tiles cannot overlap, whatever the directions of the stage
/// and of the camera: they are further apart than half their diagonals and `stage_error_um`.
[[nodiscard]] bool far_apart(const TilePlace& ten, const TilePlace& forty, double stage_error_um);

/// Where the middle of the 40x tile is at 10x by their stage positions, which may be off by
/// `stage_error_um`. Cameras stand parallel to the stage but turned and mirrored in a way that no
/// file says, so that there are up to eight places. Nothing if a position, the pixel size at
/// 10x or the error is missing.
[[nodiscard]] std::optional<StagePrior> stage_prior(const TilePlace& ten, const TilePlace& forty,
                                                    double stage_error_um);

}  // namespace nucreg
