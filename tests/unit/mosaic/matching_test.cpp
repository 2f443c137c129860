#include "matching.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace nucreg::mosaic;

namespace {

struct Graph {
  std::vector<std::uint32_t> ten, forty;
  std::vector<float> gain;

  [[nodiscard]] EdgeView view() const { return {ten, forty, gain}; }
};

// The greatest sum of gains over all matchings without the edge `banned`, by trying them all.
double best_sum(const Graph& g, std::size_t banned, std::size_t e = 0, std::uint32_t tens = 0,
                std::uint32_t forties = 0) {
  if (e == g.gain.size()) return 0.0;
  double best = best_sum(g, banned, e + 1, tens, forties);
  const std::uint32_t t = 1U << g.ten[e], f = 1U << g.forty[e];
  if (e != banned && (tens & t) == 0 && (forties & f) == 0)
    best = std::max(
        best, static_cast<double>(g.gain[e]) + best_sum(g, banned, e + 1, tens | t, forties | f));
  return best;
}

Graph random_graph(std::mt19937& random, std::uint32_t objects, std::size_t edges) {
  Graph g;
  std::uniform_real_distribution<float> gain(-1.0F, 6.0F);
  for (std::uint32_t i = 0; i < objects; ++i)
    for (std::uint32_t j = 0; j < objects; ++j)
      if (random() % (objects * objects) < edges) {
        g.ten.push_back(i);
        g.forty.push_back(j);
        g.gain.push_back(gain(random));
      }
  return g;
}

double sum_of(const Graph& g, const Matching& m) {
  double sum = 0.0;
  for (const std::uint32_t e : m.edges) sum += static_cast<double>(g.gain[e]);
  return sum;
}

}  // namespace

TEST_CASE("the matching is the best of all, and its margins are what the best loses") {
  std::mt19937 random(7);
  std::size_t chosen = 0;
  for (int round = 0; round < 300; ++round) {
    const Graph g = random_graph(random, 6, 12);
    const Matching m = best_matching(g.view(), 6, 6, 100);
    const double best = best_sum(g, g.gain.size());
    CHECK(sum_of(g, m) == doctest::Approx(best));
    CHECK(m.cut == 0);
    REQUIRE(m.margin.size() == m.edges.size());
    for (std::size_t k = 0; k < m.edges.size(); ++k)
      CHECK(static_cast<double>(m.margin[k]) ==
            doctest::Approx(best - best_sum(g, m.edges[k])).epsilon(1e-4));
    chosen += m.edges.size();
  }
  CHECK(chosen > 600);
}

TEST_CASE("an edge without a positive gain is never chosen") {
  const Graph g{{0, 1, 2}, {0, 1, 2}, {-1.0F, 0.0F, 0.5F}};
  const Matching m = best_matching(g.view(), 3, 3, 10);
  CHECK(m.edges == std::vector<std::uint32_t>{2});
  CHECK(m.margin == std::vector<float>{0.5F});
  CHECK(m.components == 1);
}

TEST_CASE("of a chain the better half is taken, not its best link") {
  // 0-0: 2, 1-0: 3, 1-1: 2: the two outer ones are worth more than the one between.
  const Graph g{{0, 1, 1}, {0, 0, 1}, {2.0F, 3.0F, 2.0F}};
  const Matching m = best_matching(g.view(), 2, 2, 10);
  CHECK(m.edges == std::vector<std::uint32_t>{0, 2});
  CHECK(m.margin == std::vector<float>{1.0F, 1.0F});
}

TEST_CASE("a component that is too large is cut at its weakest edges, the rest is exact") {
  Graph g;
  for (std::uint32_t i = 0; i < 20; ++i) {
    g.ten.push_back(i);
    g.forty.push_back(i);
    g.gain.push_back(10.0F + static_cast<float>(i));
    if (i == 19) break;
    g.ten.push_back(i + 1);
    g.forty.push_back(i);
    g.gain.push_back(1.0F);
  }
  const Matching whole = best_matching(g.view(), 20, 20, 40);
  const Matching cut = best_matching(g.view(), 20, 20, 8);
  CHECK(whole.largest == 40);
  CHECK(whole.cut == 0);
  CHECK(cut.largest == 40);
  CHECK(cut.cut > 0);
  CHECK(cut.edges == whole.edges);
}

TEST_CASE("no edges, no matching") {
  CHECK(best_matching({}, 0, 0, 10).edges.empty());
  CHECK(best_matching({}, 3, 2, 10).components == 0);
}
