// Solvers compared on the fit of all tiles of a well, as rows of the file of its map.
#pragma once

#include <cstdint>
#include <vector>

#include "nucreg/core/table.hpp"
#include "nucreg/mosaic/global_fit.hpp"
#include "nucreg/solve/record.hpp"

namespace nucreg {

/// /solvers of a map: the solver that is made for the fit, LM, L-BFGS; in the order of the rows.
[[nodiscard]] Table compared_solvers();

/// Runs each of them on the fit and times it. All begin where every tile and node of the
/// deformation is off by a random shift of 5 um deviation, drawn from `seed`, which is about what
/// stage positions are worth. Of each row: `configuration` is `model`, the objective in squared
/// deviations of the noise, and rmsd_px NaN.
[[nodiscard]] std::vector<Record> compare_solvers(const mosaic::GlobalFit& fit, std::uint32_t model,
                                                  std::uint64_t seed);

}  // namespace nucreg
