// What `inspect` and the end of `run` show of a result file, as a value, as JSON and as text; and
// what `compare` shows of two.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "nucreg/core/table.hpp"
#include "nucreg/stats/digest.hpp"
#include "nucreg/stats/run_comparison.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {

struct Overview {
  Attributes attributes;
  Table configurations, solvers, summary, ranks;
  Table images, matches;               ///< of images; else without columns
  Table scatter, agreement;            ///< the same
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

// As text for a terminal.

struct TextOptions {
  std::size_t width = 80;               ///< columns of the terminal; at least 20 are used
  bool unicode = false;                 ///< bars of block characters instead of '#'
  std::size_t max_configurations = 40;  ///< beyond, configurations are grouped
  std::size_t max_ranks = 16;           ///< beyond, ranks are left out
  std::size_t max_messages = 5;         ///< the commonest; others are left out
};

/// A heading of what was run and what is missing of it, a row per configuration and solver
/// (medians, a bar of the time, evaluations, failures; only the axes that vary), the verdict with a
/// row per region, the commonest messages of solves that failed or stalled, a row per rank. More
/// configurations than `max_configurations` are grouped by as many leading axes as fit, each
/// number then being the median over the group. No line is wider than `width`: columns that do not
/// fit are left out and named. No colour. Ends with a newline.
[[nodiscard]] std::string to_text(const Overview& overview, const TextOptions& options = {});

// Parts of that text for a job of images: which tiles match, how far maps without a truth lie
// apart.

/// Tiles, and a row for each pair that matches, at most `max_configurations`; empty if the job
/// is not of images. Throws InputError if /matches names images that are not there.
[[nodiscard]] std::string tiles_text(const Overview& overview, const TextOptions& options);

/// A row per configuration and solver: error on held-out pairs, scatter over the resamples,
/// distance to the maps of the other solvers. Empty if the result has no such tables.
[[nodiscard]] std::string spread_text(const Overview& overview, const TextOptions& options);

// Two runs compared, as text and JSON, for `compare`.

/// A table of speed and one of results, a row per solver. Fits into `width` columns.
[[nodiscard]] std::string to_text(std::span<const SolverChange> changes, double threshold,
                                  std::size_t width);
/// A list with an object per solver; numbers that do not exist are null.
[[nodiscard]] std::string to_json(std::span<const SolverChange> changes, double threshold);

}  // namespace nucreg
