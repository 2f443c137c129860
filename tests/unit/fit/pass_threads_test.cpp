#include "nucreg/fit/pass_threads.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>

#include "nucreg/fit/objective.hpp"
#include "unit/fit/random_pairs.hpp"

using namespace nucreg;

TEST_CASE("every task is called once, in as many runs as one likes") {
  for (const std::size_t count : {1u, 2u, 5u}) {
    PassThreads threads(count);
    CHECK(threads.count() == count);
    std::vector<std::atomic<int>> calls(1000);
    std::size_t expected = 0;
    for (const std::size_t tasks : {0u, 1u, 2u, 7u, 1000u, 3u}) {
      for (int repeat = 0; repeat < 200; ++repeat) {
        std::atomic<std::size_t> sum = 0;
        for (auto& c : calls) c = 0;
        threads.run(tasks, [&](std::size_t i) {
          ++calls[i];
          sum += i + 1;
        });
        expected = tasks * (tasks + 1) / 2;
        REQUIRE(sum == expected);
        for (std::size_t i = 0; i < calls.size(); ++i) REQUIRE(calls[i] == (i < tasks ? 1 : 0));
      }
    }
  }
}

TEST_CASE("threads start and end without work, and their CPU time is told") {
  for (int i = 0; i < 50; ++i) PassThreads idle(3);
  CHECK(PassThreads(1).cpu_seconds() == 0.0);
  PassThreads threads(2);
  double last = 0.0;
  std::atomic<std::uint64_t> work = 0;
  while (last == 0.0) {  // until the other one has got some of it
    threads.run(64, [&](std::size_t) {
      for (int i = 0; i < 100000; ++i) work += 1;
    });
    const double now = threads.cpu_seconds();
    CHECK(now >= last);
    last = now;
  }
}

TEST_CASE("sums have the same bits for any number of threads") {
  PassThreads two(2), three(3), seven(7);
  const auto same = [](const PassSums& a, const PassSums& b) {
    return std::memcmp(&a, &b, sizeof a) == 0;
  };
  for (const std::size_t n : {0, 1, 65535, 65536, 65537, 200001, 400000}) {
    const PointPairs pairs = fit_test::pairs_around(fit_test::sample_map(Model::trs), n, 3.0);
    for (const Model model : {Model::affine, Model::projective}) {
      const MapEntries map = map_entries(model, fit_test::sample_map(model).params, 4.0, false);
      for (const Loss loss : fit_test::all_losses)
        for (const PassLevel level : {PassLevel::value, PassLevel::gradient, PassLevel::normal}) {
          const auto pass = [&](PassThreads* threads) {
            return pass_over_points(pairs, map.entries.data(), map.projective, loss, 3.0, level,
                                    threads);
          };
          const PassSums alone = pass(nullptr);
          for (PassThreads* threads : {&two, &three, &seven}) CHECK(same(alone, pass(threads)));
        }
      if (model == Model::projective) continue;
      const auto by_moments = [&](PassThreads* threads) {
        return Moments(pairs, threads).sums(map.entries.data(), PassLevel::normal);
      };
      for (PassThreads* threads : {&two, &three, &seven})
        CHECK(same(by_moments(nullptr), by_moments(threads)));
    }
  }
}
