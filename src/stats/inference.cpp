#include "nucreg/stats/inference.hpp"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <numeric>

namespace nucreg {
namespace {

constexpr std::size_t max_exact = 50;

/// Calls visit(position, rank) for sorted values; equal ones share their mean rank, from 1 on.
/// Returns the sum of t^3 - t over all groups of t equal values.
template <class Visit>
double for_each_rank(std::span<const double> sorted, Visit&& visit) {
  double ties = 0.0;
  for (std::size_t begin = 0, end = 0; begin < sorted.size(); begin = end) {
    while (end < sorted.size() && sorted[end] == sorted[begin]) ++end;
    const double rank = 0.5 * static_cast<double>(begin + 1 + end);
    for (std::size_t i = begin; i < end; ++i) visit(i, rank);
    const auto t = static_cast<double>(end - begin);
    ties += t * t * t - t;
  }
  return ties;
}

/// P(sum of ranks of `count` differences <= sum): each of 2^count signs is as likely.
double exact_lower_tail(std::size_t count, double sum) {
  const std::size_t most = count * (count + 1) / 2;
  std::vector<double> ways(most + 1, 0.0);  // below 2^53, so exact
  ways[0] = 1.0;
  for (std::size_t rank = 1, reach = 1; rank <= count; reach += ++rank)
    for (std::size_t s = reach; s >= rank; --s) ways[s] += ways[s - rank];
  const auto last = static_cast<std::size_t>(sum);
  return std::accumulate(ways.begin(), ways.begin() + last + 1, 0.0) /
         std::ldexp(1.0, static_cast<int>(count));
}

}  // namespace

double two_sided_normal(double z) {
  const boost::math::normal normal;
  return 2.0 * boost::math::cdf(boost::math::complement(normal, std::abs(z)));
}

double SignedRank::effect() const {
  return (positive - negative) / (positive + negative);
}

SignedRank wilcoxon_signed_rank(std::span<const double> differences, bool continuity) {
  std::vector<double> signed_values(differences.begin(), differences.end());
  std::erase(signed_values, 0.0);
  std::ranges::sort(signed_values, {}, [](double d) { return std::abs(d); });
  std::vector<double> sizes;
  for (const double d : signed_values) sizes.push_back(std::abs(d));

  SignedRank result{.count = sizes.size()};
  const double ties = for_each_rank(sizes, [&](std::size_t i, double rank) {
    (signed_values[i] > 0.0 ? result.positive : result.negative) += rank;
  });
  const auto n = static_cast<double>(result.count);
  result.variance = (n * (n + 1.0) * (2.0 * n + 1.0) - 0.5 * ties) / 24.0;
  if (result.count == 0) return result;
  const double smaller = std::min(result.positive, result.negative);
  result.exact = result.count <= max_exact && ties == 0.0;
  if (result.exact) {
    result.p = std::min(1.0, 2.0 * exact_lower_tail(result.count, smaller));
    return result;
  }
  const double off = std::max(0.0, n * (n + 1.0) / 4.0 - smaller - (continuity ? 0.5 : 0.0));
  result.p = two_sided_normal(off / std::sqrt(result.variance));
  return result;
}

double sign_test(std::uint64_t wins, std::uint64_t losses) {
  if (wins == losses) return 1.0;
  const boost::math::binomial coin(static_cast<double>(wins + losses), 0.5);
  return std::min(1.0, 2.0 * boost::math::cdf(coin, static_cast<double>(std::min(wins, losses))));
}

ConfidenceInterval wilson_interval(std::uint64_t successes, std::uint64_t trials, double level) {
  if (trials == 0) return {};
  const boost::math::normal normal;
  const double z = boost::math::quantile(normal, 0.5 + 0.5 * level);
  const auto n = static_cast<double>(trials);
  const double share = static_cast<double>(successes) / n;
  const double middle = share + z * z / (2.0 * n);
  const double reach = z * std::sqrt(share * (1.0 - share) / n + z * z / (4.0 * n * n));
  const double scale = 1.0 + z * z / n;
  // Rounding must not take an end beyond its share.
  return {successes == 0 ? 0.0 : (middle - reach) / scale,
          successes == trials ? 1.0 : (middle + reach) / scale};
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p.size(); ++i)
    if (!std::isnan(p[i])) order.push_back(i);
  std::ranges::sort(order, {}, [&](std::size_t i) { return p[i]; });
  std::vector<double> adjusted(p.begin(), p.end());
  double largest = 0.0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    largest = std::max(largest, static_cast<double>(order.size() - k) * p[order[k]]);
    adjusted[order[k]] = std::min(1.0, largest);
  }
  return adjusted;
}

}  // namespace nucreg
