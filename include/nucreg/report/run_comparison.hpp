// Two runs compared, as text and JSON, for `compare`.
#pragma once

#include <span>
#include <string>

#include "nucreg/stats/run_comparison.hpp"

namespace nucreg {

/// A table of speed and one of results, a row per solver. Fits into `width` columns.
[[nodiscard]] std::string to_text(std::span<const SolverChange> changes, double threshold,
                                  std::size_t width);
/// A list with an object per solver; numbers that do not exist are null.
[[nodiscard]] std::string to_json(std::span<const SolverChange> changes, double threshold);

}  // namespace nucreg
