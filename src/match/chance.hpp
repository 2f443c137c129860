// What chance would give.
#pragma once

#include <cstddef>

namespace nucreg::matching {

/// log10 of the probability of `hits` or more among `trials` that each succeed with probability p
/// in (0, 1): the tail of the binomial distribution. Where the probabilities differ, with p their
/// mean, it is an upper bound for hits > trials p + 1 (Hoeffding, "On the distribution of the
/// number of successes in independent trials", 1956). 0 for hits up to the mean.
[[nodiscard]] double log10_tail(std::size_t trials, std::size_t hits, double p);

}  // namespace nucreg::matching
