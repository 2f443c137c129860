// Nuclei keep a distance: random points with a minimum distance, in linear time.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "nucreg/core/error.hpp"
#include "nucreg/core/random.hpp"
#include "nucreg/fit/points.hpp"

namespace nucreg {

/// A field of `size_px`, an edge of `border_px` kept free, points at least `min_distance_px` apart.
struct DiskField {
  std::array<double, 2> size_px{};
  double border_px = 0.0;
  double min_distance_px = 0.0;
};

/// The largest count that scatter_points accepts: half of the area covered by disks of diameter
/// min_distance_px. Random sequential placement jams at a cover of 0.547 (Feder, "Random sequential
/// adsorption", 1980); up to 0.5 it needs a few tens of tries per point. At least 1.
[[nodiscard]] std::uint64_t largest_count(const DiskField& field);

/// Throws JobError, which names the largest count that fits, where `count` does not fit; `where`
/// says where the count was asked for.
void check_density(const DiskField& field, std::uint64_t count, ErrorFields where);

/// `count` points by dart throwing over a grid of cells with about one point or less each: O(count)
/// time and memory. Coordinates are multiples of 2^-32 of the field. Checks the density first.
/// `stream(attempt)` gives the random numbers of an attempt; a new attempt is made where one jams.
[[nodiscard]] Points scatter_points(const DiskField& field, std::uint64_t count,
                                    const std::function<RandomStream(std::uint32_t)>& stream);

}  // namespace nucreg
