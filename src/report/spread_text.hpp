// What can be said of maps without a truth, as text.
#pragma once

#include <string>

#include "nucreg/report/text.hpp"

namespace nucreg {

/// A row per configuration and solver: error on held-out pairs, scatter over the resamples,
/// distance to the maps of the other solvers. Empty where the result has no such tables.
[[nodiscard]] std::string spread_text(const Overview& overview, const TextOptions& options);

}  // namespace nucreg
