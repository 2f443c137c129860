// A run in progress, as text.
#pragma once

#include <cstddef>
#include <string>

#include "nucreg/app/run_status.hpp"

namespace nucreg {

/// A block of lines of at most `width` columns: progress, rate, time left, and a line for each of
/// the first `most_ranks` ranks. `silent_seconds`: since the run has last said anything.
[[nodiscard]] std::string watch_text(const RunStatus& status, double silent_seconds,
                                     std::size_t width, std::size_t most_ranks);

}  // namespace nucreg
