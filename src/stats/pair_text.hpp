// Words for two solvers of a region: how sure, how often each arrives. See verdict.hpp.
#pragma once

#include <cstdint>
#include <string>

#include "nucreg/stats/comparison.hpp"

namespace nucreg {

/// "p 0.012".
[[nodiscard]] std::string p_text(double p);
/// "95 % interval 1.2 to 1.4", of how many times as fast a is.
[[nodiscard]] std::string interval_text(const PairStatistics& pair);
/// "57 of 60".
[[nodiscard]] std::string arrivals(std::uint64_t arrived, std::uint64_t known);
/// Which of a and b arrives more often, a being the one to speak of; empty if nothing is known.
[[nodiscard]] std::string arrival_text(const std::string& a, const std::string& b,
                                       const PairStatistics& pair);
/// Whether one is declared faster in one region of the same kind, the other in another.
[[nodiscard]] bool regions_differ(const Comparison& comparison, const Region& whole,
                                  const PairStatistics& pair);

}  // namespace nucreg
