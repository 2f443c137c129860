// An overview as text for a terminal: `inspect`, and the end of `run`.
#pragma once

#include <cstddef>
#include <string>

#include "nucreg/report/overview.hpp"

namespace nucreg {

struct TextOptions {
  std::size_t width = 80;                ///< columns of the terminal; at least 20 are used
  bool unicode = false;                  ///< bars of block characters instead of '#'
  std::size_t most_configurations = 40;  ///< beyond, configurations are grouped
  std::size_t most_ranks = 16;           ///< beyond, ranks are left out
  std::size_t most_messages = 5;         ///< the commonest; others are left out
};

/// A heading of what was run and what is missing of it, a row per configuration and solver
/// (medians, a bar of the time, evaluations, failures; only the axes that vary), the verdict with a
/// row per region, the commonest messages of solves that failed or stalled, a row per rank. More
/// configurations than `most_configurations` are grouped by as many leading axes as fit, each
/// number then being the median over the group. No line is wider than `width`: columns that do not
/// fit are left out and named. No colour. Ends with a newline.
[[nodiscard]] std::string to_text(const Overview& overview, const TextOptions& options = {});

}  // namespace nucreg
