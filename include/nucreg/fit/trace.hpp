// How an objective fell while a solver worked, thinned as it is recorded.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

namespace nucreg {

/// The state of a solve after so many evaluations.
struct TracePoint {
  std::int64_t evaluation = 0;  ///< function evaluations so far, from 1
  double objective = 0.0;       ///< the lowest so far; NaN if none was finite
  double seconds = 0.0;         ///< since the solve began
};

/// Keeps the first 16 evaluations and from there on those that are 1.1 times as far as the last
/// one kept: 2,147,483,647 evaluations make less than 250 points. Which are kept depends on their
/// numbers only. All memory is taken at construction.
class TraceRecorder {
 public:
  /// `seconds` is asked for each point that is kept.
  explicit TraceRecorder(std::function<double()> seconds) : seconds_(std::move(seconds)) {
    points_.reserve(max_points);
  }
  void add(std::int64_t evaluation, double objective) {
    if (std::isfinite(objective)) lowest_ = std::fmin(lowest_, objective);
    if (evaluation < next_ || points_.size() == max_points) return;
    points_.push_back({evaluation, lowest_, seconds_()});
    next_ = std::max(evaluation + 1, kept_all <= evaluation ? evaluation + evaluation / 10 : 0);
  }
  [[nodiscard]] const std::vector<TracePoint>& points() const { return points_; }

 private:
  static constexpr std::size_t max_points = 256;
  static constexpr std::int64_t kept_all = 16;

  std::function<double()> seconds_;
  double lowest_ = std::numeric_limits<double>::quiet_NaN();
  std::int64_t next_ = 1;
  std::vector<TracePoint> points_;
};

}  // namespace nucreg
