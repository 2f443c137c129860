// /ranks and /rank_samples of the result file.
#pragma once

#include <span>
#include <vector>

#include "monitor.hpp"
#include "nucreg/core/table.hpp"

namespace nucreg {

/// One row per rank; facts and totals by rank.
[[nodiscard]] Table rank_table(std::span<const RankFacts> facts,
                               std::span<const RankTotals> totals);
/// Samples of each rank, sorted by rank, then time.
[[nodiscard]] Table sample_table(std::span<const std::vector<Sample>> by_rank);

}  // namespace nucreg
