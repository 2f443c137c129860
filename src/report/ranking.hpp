// Ranks of values of which some are equal.
#pragma once

#include <cstddef>
#include <span>

namespace nucreg {

/// Calls visit(position, rank) for sorted values; equal ones share their mean rank, from 1 on.
/// Returns the sum of t^3 - t over all groups of t equal values.
template <class Visit>
double for_each_rank(std::span<const double> sorted, Visit&& visit) {
  double ties = 0.0;
  for (std::size_t begin = 0, end = 0; begin < sorted.size(); begin = end) {
    while (end < sorted.size() && sorted[end] == sorted[begin]) ++end;
    const double rank = 0.5 * static_cast<double>(begin + 1 + end);
    for (std::size_t i = begin; i < end; ++i) visit(i, rank);
    const auto t = static_cast<double>(end - begin);
    ties += t * t * t - t;
  }
  return ties;
}

/// Two-sided tail of the standard normal.
[[nodiscard]] double two_sided_normal(double z);

}  // namespace nucreg
