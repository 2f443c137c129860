// The axes of /configurations, and which configurations have something in common.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "nucreg/stats/comparison.hpp"

namespace nucreg {

/// Regions of a set of configurations, without pairs yet: the overall one of each kind, then one
/// per kind and value of each axis that varies.
struct RegionMap {
  std::vector<Region> regions;
  std::vector<std::vector<std::size_t>> of_configuration;  ///< positions in `regions`
};

/// Names of the columns of /configurations whose values differ between rows, drawn ranges included;
/// without `configuration`, `problem` and the `_min` and `_max` of drawn keys.
[[nodiscard]] std::vector<std::string> varying_axes(const Table& configurations);
/// The value of an axis in a configuration: a number, a word, or "low..high" if it is drawn.
[[nodiscard]] std::string axis_text(const Table& configurations, const std::string& axis,
                                    std::size_t row);

/// Axes with more values than `most_values` are halved if they are numbers, else left out. Axes
/// beyond the first `most_axes` are left out.
[[nodiscard]] RegionMap map_regions(const Table& configurations, std::size_t most_values = 8,
                                    std::size_t most_axes = 8);

/// Whether trials of a configuration repeat one fit: a job of pairs, whose points are fixed.
[[nodiscard]] bool repeats_its_trials(const Table& configurations);

}  // namespace nucreg
