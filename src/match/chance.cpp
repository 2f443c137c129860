#include "chance.hpp"

#include <cmath>
#include <numbers>

namespace nucreg::matching {

double log10_tail(std::size_t trials, std::size_t hits, double p) {
  const auto n = static_cast<double>(trials), k = static_cast<double>(hits);
  if (k <= n * p || hits == 0) return 0.0;
  const double first = std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0) +
                       k * std::log(p) + (n - k) * std::log1p(-p);
  // Beyond the mean each term is a falling fraction of the one before.
  double sum = 1.0, term = 1.0;
  for (double i = k; i < n && term > 1e-17 * sum; ++i) {
    term *= (n - i) / (i + 1.0) * p / (1.0 - p);
    sum += term;
  }
  return std::fmin(0.0, (first + std::log(sum)) * std::numbers::log10e);
}

}  // namespace nucreg::matching
