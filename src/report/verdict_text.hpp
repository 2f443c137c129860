// The verdict as text for a terminal.
#pragma once

#include <string>

#include "nucreg/report/overview.hpp"
#include "nucreg/report/text.hpp"

namespace nucreg {

/// The verdict in words, where it flips, what to bear in mind, and a row per region: the best
/// solver, how much faster than the next, with a bar.
[[nodiscard]] std::string verdict_text(const Overview& view, const TextOptions& options);

}  // namespace nucreg
