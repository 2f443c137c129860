// What a job of images shows: which tiles match, and how far maps without a truth lie apart.
#pragma once

#include <string>

#include "nucreg/report/overview.hpp"
#include "nucreg/report/text.hpp"

namespace nucreg {

/// Tiles, and a row for each pair that matches, at most `most_configurations`; empty where the job
/// is not of images. Throws InputError where /matches names images that are not there.
[[nodiscard]] std::string tiles_text(const Overview& overview, const TextOptions& options);

/// A row per configuration and solver: error on held-out pairs, scatter over the resamples,
/// distance to the maps of the other solvers. Empty where the result has no such tables.
[[nodiscard]] std::string spread_text(const Overview& overview, const TextOptions& options);

}  // namespace nucreg
