// How far fitted maps lie apart if no truth says which is right: over the resamples of one
// configuration, and between solvers on the same resample.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "nucreg/core/table.hpp"
#include "nucreg/solve/record.hpp"

namespace nucreg {

/// Built from the rows of /trials in file order. A map is compared over the corners and the centre
/// of the 10x field, in 40x px, as `tre_px` does; solves that failed or have no answer do not
/// count.
class MapSpread {
 public:
  /// `configurations` as in a result file of images: with model, magnification, field_width_px,
  /// field_height_px. Throws InputError if these are missing.
  MapSpread(const Table& configurations, std::size_t solvers);
  ~MapSpread();
  MapSpread(const MapSpread&) = delete;
  MapSpread& operator=(const MapSpread&) = delete;

  /// Whether a result has this: it knows fields and no truth.
  [[nodiscard]] static bool applies(const Table& configurations);

  void add(std::span<const Record> rows);
  /// scatter: configuration, solver, count, map_scatter_px (root mean square distance from the mean
  /// of the maps), param_scatter_0 ... 7 (standard deviations, in the order and units of the
  /// model). agreement: configuration, solver, other, count, rms_px, max_px (distance of the two
  /// maps of a trial). Called once.
  [[nodiscard]] std::vector<Table> finish();

 private:
  struct Body;
  std::unique_ptr<Body> body_;
};

}  // namespace nucreg
