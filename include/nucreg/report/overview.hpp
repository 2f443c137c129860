// What `inspect` and the end of `run` show of a result file, as a value, and as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nucreg/core/table.hpp"
#include "nucreg/stats/digest.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {

struct Overview {
  Attributes attributes;
  Table configurations, solvers, summary, ranks;
  Table images, matches;               ///< of images; else without columns
  Table scatter, agreement;            ///< likewise
  std::uint64_t records = 0;           ///< rows of /trials
  std::vector<MessageCount> messages;  ///< the commonest, at most 20
  Comparison comparison;
};

/// Reads the small tables and streams /trials once. Throws InputError.
[[nodiscard]] Overview make_overview(const ResultReader& reader);
/// Reads the small tables alone: who wrote the file knows what its rows say.
[[nodiscard]] Overview make_overview(const ResultReader& reader, RowFindings findings);

/// One object: `attributes`, `records`, `configurations`, `solvers`, `summary`, `ranks` (lists with
/// one object per row, columns in file order), `messages`, `speed` (each pair of solvers over all
/// trials), `verdict` (a sentence), `flips`, `notes`, and the rows of verdict_table as
/// `comparisons` and of solver_rank_table as `solver_ranks`. Numbers that are not finite are null;
/// what is no UTF-8 is replaced by U+FFFD. Indented by two spaces, no newline at the end.
[[nodiscard]] std::string to_json(const Overview& overview);

}  // namespace nucreg
