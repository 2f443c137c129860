// An overview as text for a terminal: `inspect`, and the end of `run`.
#pragma once

#include <cstddef>
#include <string>

#include "nucreg/report/overview.hpp"

namespace nucreg {

struct TextOptions {
  std::size_t width = 80;                ///< columns of the terminal; at least 40 are used
  std::size_t most_configurations = 40;  ///< beyond, configurations are grouped
  std::size_t most_ranks = 16;           ///< beyond, ranks are left out
  std::size_t most_messages = 5;         ///< the commonest; others are left out
};

/// A heading of what was run, a row per configuration and solver (medians, evaluations, failures;
/// only the axes that vary), the
/// verdict, the commonest messages of solves that failed or stalled, a row per rank. More
/// configurations than `most_configurations` are grouped by as many leading axes as fit, each
/// number then being the median over the group. Columns that do not fit into the width are left out
/// and named. No colour. Ends with a newline.
[[nodiscard]] std::string to_text(const Overview& overview, const TextOptions& options = {});

}  // namespace nucreg
