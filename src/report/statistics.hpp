// Statistics of a sample. An empty sample has NaN for all of them.
#pragma once

#include <span>
#include <vector>

namespace nucreg {

[[nodiscard]] double mean(std::span<const double> values);
/// Standard deviation with n - 1; NaN also for one value.
[[nodiscard]] double standard_deviation(std::span<const double> values);
/// Quantile of sorted values, interpolated linearly as NumPy does by default
/// (type 7 of Hyndman and Fan 1996).
[[nodiscard]] double quantile(std::span<const double> sorted, double fraction);
/// Median of the values that are not NaN.
[[nodiscard]] double median(std::vector<double> values);

}  // namespace nucreg
