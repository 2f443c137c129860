#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <boost/math/tools/roots.hpp>
#include <cmath>
#include <numeric>

#include "nucreg/report/inference.hpp"
#include "ranking.hpp"

namespace nucreg {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

void FriedmanTest::add(std::span<const double> costs) {
  std::vector<std::size_t> order(costs.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](std::size_t i) { return costs[i]; });
  std::vector<double> sorted;
  for (const std::size_t i : order) sorted.push_back(costs[i]);
  ties_ += for_each_rank(sorted, [&](std::size_t i, double rank) { rank_sums_[order[i]] += rank; });
  ++blocks_;
}

std::vector<double> FriedmanTest::mean_ranks() const {
  std::vector<double> means;
  for (const double sum : rank_sums_)
    means.push_back(blocks_ == 0 ? nan : sum / static_cast<double>(blocks_));
  return means;
}

double FriedmanTest::statistic() const {
  const auto k = static_cast<double>(rank_sums_.size());
  const auto n = static_cast<double>(blocks_);
  double squares = 0.0;  // around the mean, so that nothing cancels over millions of blocks
  for (const double sum : rank_sums_)
    squares += (sum - n * (k + 1.0) / 2.0) * (sum - n * (k + 1.0) / 2.0);
  const double correction = 1.0 - ties_ / (n * k * (k * k - 1.0));
  return correction > 1e-12 ? 12.0 * squares / (n * k * (k + 1.0)) / correction : nan;
}

double FriedmanTest::p() const {
  const double value = statistic();
  if (std::isnan(value)) return nan;
  const boost::math::chi_squared chi(static_cast<double>(rank_sums_.size() - 1));
  return boost::math::cdf(boost::math::complement(chi, value));
}

double studentized_range_cdf(double q, std::size_t groups) {
  if (q <= 0.0) return 0.0;
  // The largest is at z, all others within q below it.
  const boost::math::normal normal;
  const auto density = [&](double z) {
    const double within = boost::math::cdf(normal, z) - boost::math::cdf(normal, z - q);
    return boost::math::pdf(normal, z) * std::pow(within, static_cast<double>(groups - 1));
  };
  // Beyond nine standard deviations there is less than 1e-18.
  const double part =
      boost::math::quadrature::gauss_kronrod<double, 31>::integrate(density, -9.0, 9.0, 15, 1e-12);
  return std::min(1.0, static_cast<double>(groups) * part);
}

double studentized_range_quantile(double probability, std::size_t groups) {
  const auto miss = [&](double q) { return studentized_range_cdf(q, groups) - probability; };
  double high = 4.0;
  while (miss(high) < 0.0 && high < 64.0) high *= 2.0;
  std::uintmax_t steps = 200;
  const auto [below, above] = boost::math::tools::toms748_solve(
      miss, 0.0, high, boost::math::tools::eps_tolerance<double>(44), steps);
  return 0.5 * (below + above);
}

double nemenyi_critical_difference(std::size_t solvers, std::uint64_t blocks, double level) {
  const auto k = static_cast<double>(solvers);
  return studentized_range_quantile(1.0 - level, solvers) / std::sqrt(2.0) *
         std::sqrt(k * (k + 1.0) / (6.0 * static_cast<double>(blocks)));
}

}  // namespace nucreg
