// What a trial's nuclei, their positions at 40x and their wrong partners look like.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "nucreg/core/random.hpp"
#include "nucreg/fit/model.hpp"
#include "nucreg/fit/points.hpp"
#include "nucreg/fit/poisson_disk.hpp"
#include "nucreg/job/job.hpp"

namespace nucreg {

/// The part of a field in which a layout puts its points: all of it, or a strip.
[[nodiscard]] DiskField field_of(Layout layout, const DiskField& field);

/// `count` points, 10x px, at least the field's distance apart:
///     uniform    scatter_points
///     clustered  most around one of 8 random places, with a standard deviation of a field / 16
///     strip      a band through the middle, a tenth of the field's height
///     holes      none within 4 random circles, which are as large as the count leaves room for, up
///                to a sixth of the field wide
/// What clumps or avoids is chosen from 4 to 16 times as many uniform points, as far as the
/// distance allows. Throws as scatter_points does.
[[nodiscard]] Points scatter(Layout layout, const DiskField& field, std::uint64_t count,
                             const std::function<RandomStream(std::uint32_t)>& stream);

/// Adds noise of standard deviation `noise_px` (40x px, each coordinate) to the 40x side:
///     normal       independent
///     student      t of 3 degrees of freedom, one radius for both coordinates of a point
///     per_nucleus  normal, each point's deviation log-normal about the common one (a factor
///     of 1.8)
void add_noise(NoiseKind kind, double noise_px, RandomStream random, PointPairs& pairs);

/// Makes `count` pairs wrong, 40x side, and returns which:
///     uniform    anywhere in the 10x field, as `truth` maps it
///     swapped    where the 40x point of the nearest other nucleus is
///     clustered  those nearest to a random nucleus, all moved by one shift of 2 to 10 % of the
///     field
[[nodiscard]] std::vector<std::size_t> misplace(OutlierKind kind, std::size_t count,
                                                const std::array<double, 2>& field_px,
                                                const Map& truth, RandomStream random,
                                                PointPairs& pairs);

/// The noise that pairs show: standard deviation of a coordinate about the affine map of their
/// largest consensus, 40x px. Least quantile of squares over maps through three pairs (Rousseeuw
/// and Leroy, "Robust regression and outlier detection", 1987), then those within 3 deviations,
/// three times: their median, of fewer than 50 pairs their mean square. Right up to 60 % of wrong
/// pairs from 30 on, half of 15, a fifth of 8; right of 6 pairs within a factor of two, of 20
/// within 25 %. 0 if fewer than 4 pairs are, or if no noise is.
[[nodiscard]] double noise_of_pairs(const PairsView& pairs, std::uint64_t seed);

}  // namespace nucreg
