// Doubles that are the same value, NaN being the same as NaN.
#pragma once

#include <cmath>
#include <cstring>

namespace nucreg {

inline bool same_bits(double a, double b) {
  return std::memcmp(&a, &b, sizeof a) == 0 || (std::isnan(a) && std::isnan(b));
}

}  // namespace nucreg
