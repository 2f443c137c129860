#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "evidence.hpp"

using namespace nucreg::mosaic;

namespace {

// Sum over all matchings of the product of weights; those with the edge `must` only, if it is one.
double weight_of_all(const Candidates& c, std::size_t must, std::size_t e = 0,
                     std::uint32_t tens = 0, std::uint32_t forties = 0) {
  if (e == c.size()) return 1.0;
  const std::uint32_t t = 1U << c.ten[e], f = 1U << c.forty[e];
  double sum = e == must ? 0.0 : weight_of_all(c, must, e + 1, tens, forties);
  if ((tens & t) == 0 && (forties & f) == 0)
    sum += std::exp(static_cast<double>(c.gain[e])) *
           weight_of_all(c, must, e + 1, tens | t, forties | f);
  return sum;
}

void check_marginals(Candidates& c, std::size_t tens, std::size_t forties, double tolerance) {
  c.probability.assign(c.size(), 0.0F);
  Marginals(c, tens, forties).find(c, 50);
  const double all = weight_of_all(c, c.size());
  for (std::size_t e = 0; e < c.size(); ++e) {
    const double expected = weight_of_all(c, e) / all;
    CHECK(std::abs(static_cast<double>(c.probability[e]) - expected) < tolerance);
  }
}

}  // namespace

TEST_CASE("without cycles the probabilities are those of all assignments, weighed") {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> gain(-3.0F, 5.0F);
  for (int round = 0; round < 50; ++round) {
    // A path 0-0-1-1-2-2 and an edge apart.
    Candidates c{{0, 1, 1, 2, 2, 3}, {0, 0, 1, 1, 2, 3}, std::vector<float>(6, 1.0F), {}, {}};
    for (std::size_t e = 0; e < c.size(); ++e) c.gain.push_back(gain(random));
    check_marginals(c, 4, 4, 1e-5);
  }
}

TEST_CASE("with cycles they are near") {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> gain(-3.0F, 3.0F);
  for (int round = 0; round < 50; ++round) {
    Candidates c{{0, 0, 1, 1}, {0, 1, 0, 1}, std::vector<float>(4, 1.0F), {}, {}};
    for (std::size_t e = 0; e < c.size(); ++e) c.gain.push_back(gain(random));
    check_marginals(c, 2, 2, 0.13);
  }
}
