#include "nucreg/stats/profiles.hpp"

#include <algorithm>
#include <cmath>

#include "nucreg/core/random.hpp"

namespace nucreg {
namespace {

constexpr std::size_t resamples = 1000;

/// Costs that are not finite were never paid.
Profile profile_of(std::vector<double> costs) {
  const auto problems = static_cast<double>(costs.size());
  std::erase_if(costs, [](double cost) { return !std::isfinite(cost); });
  std::ranges::sort(costs);
  Profile profile;
  for (std::size_t i = 0; i < costs.size(); ++i) {
    if (i + 1 < costs.size() && costs[i + 1] == costs[i]) continue;
    profile.budget.push_back(costs[i]);
    profile.share.push_back(static_cast<double>(i + 1) / problems);
  }
  return profile;
}

double best_of(const CostTable& costs, std::size_t problem) {
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t s = 0; s < costs.solvers(); ++s) best = std::fmin(best, costs.at(problem, s));
  return best;
}

}  // namespace

double Profile::within(double limit) const {
  const auto beyond = std::ranges::upper_bound(budget, limit);
  return beyond == budget.begin() ? 0.0
                                  : share[static_cast<std::size_t>(beyond - budget.begin()) - 1];
}

Profile runtime_distribution(const CostTable& costs, std::size_t solver) {
  std::vector<double> all;
  for (std::size_t p = 0; p < costs.problems(); ++p) all.push_back(costs.at(p, solver));
  return profile_of(std::move(all));
}

Profile performance_profile(const CostTable& costs, std::size_t solver) {
  std::vector<double> ratios;
  for (std::size_t p = 0; p < costs.problems(); ++p) {
    const double cost = costs.at(p, solver), best = best_of(costs, p);
    ratios.push_back(cost == best && std::isfinite(cost) ? 1.0 : cost / best);
  }
  return profile_of(std::move(ratios));
}

Profile data_profile(const CostTable& evaluations, std::span<const std::size_t> parameters,
                     std::size_t solver) {
  std::vector<double> units;
  for (std::size_t p = 0; p < evaluations.problems(); ++p)
    units.push_back(evaluations.at(p, solver) / static_cast<double>(parameters[p] + 1));
  return profile_of(std::move(units));
}

AverageRuntime average_runtime(std::span<const double> spent, const std::vector<bool>& reached) {
  AverageRuntime art{.attempts = spent.size()};
  if (spent.empty()) return art;
  RandomStream random(0, 0, 0, Purpose::resampling);
  // The first one is the sample itself.
  std::vector<double> values;
  for (std::size_t round = 0; round <= resamples; ++round) {
    double sum = 0.0;
    std::uint64_t successes = 0;
    for (std::size_t i = 0; i < spent.size(); ++i) {
      const std::size_t drawn = round == 0 ? i : random.below(spent.size());
      sum += spent[drawn];
      successes += reached[drawn] ? 1 : 0;
    }
    const double value = successes > 0 ? sum / static_cast<double>(successes)
                                       : std::numeric_limits<double>::infinity();
    if (round > 0) {
      values.push_back(value);
      continue;
    }
    art.successes = successes;
    if (successes == 0) return art;
    art.value = value;
  }
  std::ranges::sort(values);
  // No interpolation: a neighbour may be infinite.
  art.low = values[resamples * 25 / 1000];
  art.high = values[resamples * 975 / 1000 - 1];
  return art;
}

}  // namespace nucreg
