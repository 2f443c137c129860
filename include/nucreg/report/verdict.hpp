// What a comparison means, in words and as tables of the result file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nucreg/core/table.hpp"
#include "nucreg/report/comparison.hpp"

namespace nucreg {

/// "overall", "noise_px = 2", "points > 500", "configuration 3".
[[nodiscard]] std::string region_name(const Region& region);

/// Two solvers of `region` in one line, seen from the one that did better: which is faster at equal
/// accuracy, by how much and how sure, and which arrives more often; or why that cannot be said.
[[nodiscard]] std::string pair_sentence(const Comparison& comparison, const Region& region,
                                        const PairStatistics& pair);

/// The best solver of a region: with the most declared wins less losses, ties to the lower time.
/// `second`: the next. Positions in /solvers.
struct Leaders {
  std::size_t best = 0, second = 0;
};
/// Needs two solvers.
[[nodiscard]] Leaders leaders(const Comparison& comparison, const Region& region);

/// The pair (x, y) of a region in whichever order.
[[nodiscard]] const PairStatistics& pair_of(const Comparison& comparison, const Region& region,
                                            std::size_t x, std::size_t y);
/// The same pair with a and b exchanged.
[[nodiscard]] PairStatistics mirrored(const PairStatistics& pair);

struct Verdict {
  std::vector<std::string> sentences;          ///< the best solver against each other one
  std::vector<std::string> flips;              ///< where a declared winner is not the overall one
  std::vector<std::string> notes;              ///< failures, timings left out, samples, ranks
  [[nodiscard]] std::string sentence() const;  ///< all of them
};
[[nodiscard]] Verdict make_verdict(const Comparison& comparison);

/// `/verdict`: a row per region and pair, numbers with units, names and a sentence.
[[nodiscard]] Table verdict_table(const Comparison& comparison);
/// Whether its columns `scope` and `finding` may hold this.
[[nodiscard]] bool is_verdict_scope(std::string_view name);
[[nodiscard]] bool is_verdict_finding(std::string_view name);
/// `/verdict_ranks`: a row per solver; mean rank, Friedman's p, critical difference.
[[nodiscard]] Table solver_rank_table(const Comparison& comparison);

}  // namespace nucreg
