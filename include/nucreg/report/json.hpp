// An overview as JSON, for `inspect --json`.
#pragma once

#include <string>

#include "nucreg/report/overview.hpp"

namespace nucreg {

/// One object: `attributes`, `records`, `configurations`, `solvers`, `summary`, `ranks` (lists with
/// one object per row, columns in file order), `messages`, `speed` (each pair of solvers over all
/// trials), `verdict` (a sentence), `flips`, `notes`, and the rows of verdict_table as
/// `comparisons` and of solver_rank_table as `solver_ranks`. Numbers that are not finite are null;
/// what is no UTF-8 is replaced by U+FFFD. Indented by two spaces, no newline at the end.
[[nodiscard]] std::string to_json(const Overview& overview);

}  // namespace nucreg
