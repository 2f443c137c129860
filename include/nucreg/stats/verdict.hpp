// What a comparison means, in words and as tables of the result file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nucreg/core/table.hpp"
#include "nucreg/stats/comparison.hpp"

namespace nucreg {

/// "overall", "noise_px = 2", "points > 500", "loss = cauchy, points > 500", "points = 20, turn_deg
/// = 30", "configuration 3".
[[nodiscard]] std::string region_name(const Region& region);

/// Two solvers of `region` in one line, seen from the one that did better: which arrives more
/// often, which takes less time if both arrive, by how much and how sure, what that costs in total
/// and in evaluations; or why that cannot be said.
[[nodiscard]] std::string pair_sentence(const Comparison& comparison, const Region& region,
                                        const PairStatistics& pair);

/// The best solver of a region: with the most declared wins less losses, arrival counting before
/// time; ties to the lower time. `second`: the next. Positions in /solvers.
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
  std::vector<std::string> sentences;  ///< of each kind, the best solver against each other one
  std::vector<std::string> fits;       ///< which loss, start or model arrives more often
  std::vector<std::string> flips;      ///< where a declared winner is not the overall one
  std::vector<std::string> notes;      ///< failures, timings left out, samples, repetitions
  /// What to add to the command for trials enough to decide all that is undecided:
  /// "--set job.trials=120"; empty if more trials would not help.
  std::string more;
  /// Name of the solver that is best in all kinds; empty if there is none.
  std::string best;
  [[nodiscard]] std::string sentence() const;  ///< all sentences in one
};
[[nodiscard]] Verdict make_verdict(const Comparison& comparison);

/// `/verdict`: a row per region and pair, numbers with units, names and a sentence.
[[nodiscard]] Table verdict_table(const Comparison& comparison);
/// `/fit_verdict`: a row per pair of values of a key of [fit] and solver.
[[nodiscard]] Table fit_verdict_table(const Comparison& comparison);
/// Whether the columns `scope` and `finding` of /verdict may hold this.
[[nodiscard]] bool is_verdict_scope(std::string_view name);
[[nodiscard]] bool is_verdict_finding(std::string_view name);

}  // namespace nucreg
