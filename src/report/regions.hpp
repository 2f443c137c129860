// Which configurations have something in common.
#pragma once

#include <cstdint>
#include <vector>

#include "nucreg/report/comparison.hpp"

namespace nucreg {

/// Regions of a set of configurations, without pairs yet: the overall one, then one per value of
/// each axis that varies.
struct RegionMap {
  std::vector<Region> regions;
  std::vector<std::vector<std::size_t>> of_configuration;  ///< positions in `regions`
};

/// Axes with more values than `most_values` are halved where they are numbers, else left out. Axes
/// beyond the first `most_axes` are left out.
[[nodiscard]] RegionMap map_regions(const Table& configurations, std::size_t most_values = 8,
                                    std::size_t most_axes = 8);

}  // namespace nucreg
