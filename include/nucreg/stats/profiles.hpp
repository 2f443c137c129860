// How often a solver reaches a target within a budget: runtime distributions, performance and data
// profiles, average runtime. Pure functions of a table of costs.
//
// Known pitfalls. A performance profile compares with the best solver of each problem, so it says
// who is best and how far behind others are of it, but taking a solver away can exchange the order
// of two others (Gould and Scott 2016): compare two by a profile of these two. A data profile and a
// runtime distribution are free of that, yet depend on which problems were chosen. All depend on
// the target.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace nucreg {

/// Costs (evaluations or seconds) of solvers on problems; infinite if a target was not reached.
class CostTable {
 public:
  CostTable(std::size_t problems, std::size_t solvers)
      : solvers_(solvers), costs_(problems * solvers, std::numeric_limits<double>::infinity()) {}
  [[nodiscard]] std::size_t problems() const { return solvers_ ? costs_.size() / solvers_ : 0; }
  [[nodiscard]] std::size_t solvers() const { return solvers_; }
  [[nodiscard]] double& at(std::size_t problem, std::size_t solver) {
    return costs_.at(problem * solvers_ + solver);
  }
  [[nodiscard]] double at(std::size_t problem, std::size_t solver) const {
    return costs_.at(problem * solvers_ + solver);
  }

 private:
  std::size_t solvers_;
  std::vector<double> costs_;
};

/// A step function: `share[i]` of the problems are solved from `budget[i]` to below the next
/// budget; none before the first. The last share is that of all problems that were solved at all.
struct Profile {
  std::vector<double> budget, share;
  /// The share within a budget.
  [[nodiscard]] double within(double limit) const;
};

/// The distribution of the cost to reach the target (Hansen et al., "COCO", 2021).
[[nodiscard]] Profile runtime_distribution(const CostTable& costs, std::size_t solver);
/// Profile of the cost over that of the best solver of each problem (Dolan and More 2002). A
/// problem that nobody solves counts as one that is not solved.
[[nodiscard]] Profile performance_profile(const CostTable& costs, std::size_t solver);
/// Profile of the evaluations over n + 1 for n parameters, the price of a simplex gradient (More
/// and Wild 2009). `parameters`: of each problem.
[[nodiscard]] Profile data_profile(const CostTable& evaluations,
                                   std::span<const std::size_t> parameters, std::size_t solver);

/// Average runtime: all that was spent, failures included, per success. Infinite without any.
struct AverageRuntime {
  double value = std::numeric_limits<double>::infinity();
  double low = value, high = value;  ///< 95 % percentile bootstrap over problems
  std::uint64_t successes = 0, attempts = 0;
};
/// What each attempt spent, and whether it reached the target. Equal input gives equal bits.
[[nodiscard]] AverageRuntime average_runtime(std::span<const double> spent,
                                             const std::vector<bool>& reached);

}  // namespace nucreg
