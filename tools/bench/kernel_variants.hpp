// The normal-equations pass of the affine model under squared loss as other libraries write it, to
// compare with src/fit/kernels; and the two loops that say what the machine can do at most.
#pragma once

#include <array>

#include "nucreg/fit/points.hpp"

namespace nucreg::bench {

/// value, gradient (6), moments xx xy x yy y 1.
using AffineSums = std::array<double, 13>;

/// In the widest vectors that the bench was compiled for; same lanes, chunks and tree as ours.
[[nodiscard]] AffineSums highway_pass(const PairsView& pairs, const double* map);
[[nodiscard]] AffineSums xsimd_pass(const PairsView& pairs, const double* map);
[[nodiscard]] AffineSums eigen_pass(const PairsView& pairs, const double* map);

/// Sum over all four arrays, as fast as they come from memory.
[[nodiscard]] double plain_sum(const PairsView& pairs);

/// Multiplications and additions, half each and independent of each other; returns how many.
[[nodiscard]] double arithmetic(long rounds, double* sink);

}  // namespace nucreg::bench
