// What is kept of one solve: a row of /trials.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "nucreg/core/bytes.hpp"
#include "nucreg/core/terms.hpp"
#include "nucreg/fit/trace.hpp"

namespace nucreg {

/// The numbers of one solve on one trial. Plain bytes, so that they travel as they are.
/// Numbers that do not exist are NaN; parameters beyond the model's are NaN.
struct SolveNumbers {
  static constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  static constexpr std::array<double, max_parameters> no_params{nan, nan, nan, nan,
                                                                nan, nan, nan, nan};

  std::uint32_t configuration = 0;
  std::uint32_t trial = 0;
  std::uint32_t solver = 0;  ///< position in /solvers
  std::int32_t rank = 0;
  std::int64_t pairs = 0;                 ///< point pairs that were fitted
  std::int64_t iterations = -1;           ///< -1 = the library does not report it
  std::int64_t function_evaluations = 0;  ///< of the objective or the residuals, over all points
  std::int64_t jacobian_evaluations = 0;  ///< of the gradient or the Jacobian, over all points
  std::int64_t repeats = 0;               ///< timed repetitions behind wall_s and cpu_s
  std::int64_t peak_bytes = 0;            ///< most heap memory that the solve held
  std::int32_t native_code = 0;           ///< what the solver's library returned
  std::int32_t arrived = 0;  ///< 1: the map gives each nucleus its own partner (see arrives)
  SolveStatus status = SolveStatus::failed;
  BoundsUse bounds = BoundsUse::none;
  bool timing_valid = false;
  double rmsd_px = nan;          ///< all pairs, 40x px
  double heldout_rmsd_px = nan;  ///< pairs that were held out of the fit, 40x px
  double tre_px = nan;           ///< corners and centre of the 10x field, 40x px
  double param_error = nan;      ///< |fitted - true|, mixed units of the model's parameters
  double arrival_px = nan;       ///< error up to which a map has arrived, 40x px; NaN: unknown
  double objective = nan;        ///< sum of rho over all pairs, 40x px^2
  double gap = nan;              ///< (objective - best known) / best known
  /// What a Gauss-Newton step from the answer promises to gain / objective (solve/certificate.hpp);
  /// NaN if the pairs do not determine the map.
  double stationarity = nan;
  double loss_scale_px = nan;  ///< of the trial: drawn, or worked out from its pairs; 40x px
  double wall_seconds = nan;
  double cpu_seconds = nan;
  std::array<double, max_parameters> params = no_params;
  std::array<double, max_parameters> true_params = no_params;

  /// Whether it can be known if the solve arrived: there is a truth, or pairs were held out.
  [[nodiscard]] bool arrival_known() const { return std::isfinite(arrival_px); }
  /// Whether it arrived: tre_px, or without a truth heldout_rmsd_px, is at most arrival_px. A solve
  /// that failed has not.
  [[nodiscard]] bool arrives() const {
    if (status == SolveStatus::failed || status == SolveStatus::not_applicable) return false;
    return (std::isnan(tre_px) ? heldout_rmsd_px : tre_px) <= arrival_px;
  }
};
static_assert(std::is_trivially_copyable_v<SolveNumbers>);

/// The longest message that a result file holds, in bytes of UTF-8.
inline constexpr std::size_t max_message_bytes = 200;

/// One solve on one trial.
struct Record : SolveNumbers {
  /// Why a solve failed, stalled or did not apply, one line; empty if the status says it all.
  std::string message;
  /// How the objective (40x px^2) fell; empty unless run.trace asked for it.
  std::vector<TracePoint> trace;
};

// Records as bytes: how they travel between ranks and lie in a journal.

/// Appends records to `bytes`: the numbers as they lie in memory, then messages and traces.
/// Messages are made one line of at most max_message_bytes.
void put_records(std::span<const Record> records, Bytes& bytes);

/// Takes back what put_records appended, into `records`, whose size is how many there are.
/// Throws BadBytes if that is not what the bytes hold.
void get_records(std::span<const std::byte> bytes, std::span<Record> records);

}  // namespace nucreg
