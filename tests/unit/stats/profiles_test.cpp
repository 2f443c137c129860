#include "nucreg/stats/profiles.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace nucreg;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

// Worked out by hand. Costs of solvers A B C D; the best of each problem; nobody solves the last.
//   problem 0:  10  20  40  inf   best 10   ratios 1    2  4  inf
//   problem 1:  30  10  10  inf   best 10   ratios 3    1  1  inf
//   problem 2:   5  20 inf   10   best  5   ratios 1    4 inf   2
//   problem 3:   8  inf inf inf   best  8   ratios 1  inf inf inf
//   problem 4: inf  inf inf inf
CostTable by_hand() {
  CostTable costs(5, 4);
  const double rows[4][4] = {
      {10, 20, 40, inf}, {30, 10, 10, inf}, {5, 20, inf, 10}, {8, inf, inf, inf}};
  for (std::size_t p = 0; p < 4; ++p)
    for (std::size_t s = 0; s < 4; ++s) costs.at(p, s) = rows[p][s];
  return costs;
}

void check(const Profile& profile, const std::vector<double>& budget,
           const std::vector<double>& share) {
  CHECK(profile.budget == budget);
  REQUIRE(profile.share.size() == share.size());
  for (std::size_t i = 0; i < share.size(); ++i)
    CHECK(profile.share[i] == doctest::Approx(share[i]));
}

}  // namespace

TEST_CASE("distributions of the runtime") {
  const CostTable costs = by_hand();
  check(runtime_distribution(costs, 0), {5, 8, 10, 30}, {0.2, 0.4, 0.6, 0.8});
  check(runtime_distribution(costs, 1), {10, 20}, {0.2, 0.6});
  check(runtime_distribution(costs, 2), {10, 40}, {0.2, 0.4});
  check(runtime_distribution(costs, 3), {10}, {0.2});
  const Profile a = runtime_distribution(costs, 0);
  CHECK(a.within(4.9) == 0.0);
  CHECK(a.within(5.0) == doctest::Approx(0.2));
  CHECK(a.within(9.9) == doctest::Approx(0.4));
  CHECK(a.within(inf) == doctest::Approx(0.8));
}

TEST_CASE("performance profiles") {
  const CostTable costs = by_hand();
  check(performance_profile(costs, 0), {1, 3}, {0.6, 0.8});
  check(performance_profile(costs, 1), {1, 2, 4}, {0.2, 0.4, 0.6});
  check(performance_profile(costs, 2), {1, 4}, {0.2, 0.4});
  check(performance_profile(costs, 3), {2}, {0.2});
}

TEST_CASE("data profiles") {
  const std::vector<std::size_t> parameters{4, 4, 4, 3, 5};
  check(data_profile(by_hand(), parameters, 0), {1, 2, 6}, {0.2, 0.6, 0.8});
  check(data_profile(by_hand(), parameters, 1), {2, 4}, {0.2, 0.6});
  check(data_profile(by_hand(), parameters, 2), {2, 8}, {0.2, 0.4});
  check(data_profile(by_hand(), parameters, 3), {2}, {0.2});
}

TEST_CASE("costs of zero, no problems, no successes") {
  CostTable free(1, 2);
  free.at(0, 0) = free.at(0, 1) = 0.0;
  check(performance_profile(free, 0), {1}, {1.0});
  check(runtime_distribution(CostTable(0, 2), 1), {}, {});
  CHECK(runtime_distribution(CostTable(0, 2), 1).within(1.0) == 0.0);
  check(performance_profile(CostTable(3, 1), 0), {}, {});
}

TEST_CASE("the average runtime counts what failures spent") {
  const AverageRuntime art =
      average_runtime(std::vector<double>{10, 20, 30, 40}, {true, true, false, true});
  CHECK(art.value == doctest::Approx(100.0 / 3.0));
  CHECK(art.successes == 3);
  CHECK(art.attempts == 4);
  CHECK(art.low < art.value);
  CHECK(art.high > art.value);
  CHECK(art.low >= 10.0);
  const AverageRuntime none = average_runtime(std::vector<double>{1, 2}, {false, false});
  CHECK(std::isinf(none.value));
  CHECK(std::isinf(none.high));
  const AverageRuntime same =
      average_runtime(std::vector<double>(50, 7.0), std::vector<bool>(50, true));
  CHECK(same.value == 7.0);
  CHECK(same.low == 7.0);
  CHECK(same.high == 7.0);
  CHECK(std::isinf(average_runtime({}, {}).value));
}

TEST_CASE("the interval holds the true average as often as it says") {
  // Exponential costs of mean 1, all reached: 200 samples of 60.
  int covered = 0;
  std::uint64_t state = 1;
  const auto uniform = [&] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (static_cast<double>(state >> 11) + 0.5) * 0x1.0p-53;
  };
  for (int sample = 0; sample < 200; ++sample) {
    std::vector<double> spent;
    for (int i = 0; i < 60; ++i) spent.push_back(-std::log(uniform()));
    const AverageRuntime art = average_runtime(spent, std::vector<bool>(60, true));
    covered += art.low <= 1.0 && 1.0 <= art.high ? 1 : 0;
  }
  CHECK(covered >= 176);  // 95 % of 200 less four standard deviations, and the bootstrap's bias
}
