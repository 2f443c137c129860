#include "nucreg/core/random.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <vector>

using nucreg::Purpose;
using nucreg::RandomStream;

namespace {

using Four = std::array<std::uint64_t, 4>;

// Philox4x64-10 written down a second time, from Salmon et al. 2011, section 3.3.
Four philox(Four c, std::array<std::uint64_t, 2> k) {
  __extension__ using wide = unsigned __int128;
  for (int round = 0; round < 10; ++round) {
    const wide a = static_cast<wide>(0xD2E7470EE14C6C93) * c[0];
    const wide b = static_cast<wide>(0xCA5A826395121157) * c[2];
    c = {static_cast<std::uint64_t>(b >> 64) ^ c[1] ^ k[0], static_cast<std::uint64_t>(b),
         static_cast<std::uint64_t>(a >> 64) ^ c[3] ^ k[1], static_cast<std::uint64_t>(a)};
    k[0] += 0x9E3779B97F4A7C15;
    k[1] += 0xBB67AE8584CAA73B;
  }
  return c;
}

Four next_four(RandomStream& stream) {
  Four out{};
  for (auto& value : out) value = stream.bits();
  return out;
}

}  // namespace

TEST_CASE("the second Philox knows the published answers") {
  // kat_vectors of Random123, "philox4x64 10".
  CHECK(philox({}, {}) ==
        Four{0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b, 0x7e68b68aec7ba23b});
  constexpr std::uint64_t ones = ~std::uint64_t{0};
  CHECK(philox({ones, ones, ones, ones}, {ones, ones}) ==
        Four{0x87b092c3013fe90b, 0x438c3c67be8d0224, 0x9cc7d7c69cd777b6, 0xa09caebf594f0ba0});
  CHECK(philox({0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89},
               {0x452821e638d01377, 0xbe5466cf34e90c6c}) ==
        Four{0xa528f45403e61d95, 0x38c72dbd566e9788, 0xa5a1610e72fd18b5, 0x57bd43b5e52b7fe6});
}

TEST_CASE("a stream is Philox keyed by seed, configuration and trial") {
  RandomStream zero(0, 0, 0, Purpose::draws);
  CHECK(next_four(zero) ==
        Four{0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b, 0x7e68b68aec7ba23b});

  constexpr std::uint64_t seed = 0xfedcba9876543210;
  RandomStream stream(seed, 7, 0xffffffff, Purpose::outliers, 3);
  for (std::uint64_t block = 0; block < 5; ++block)
    CHECK(next_four(stream) == philox({block, 0, 4, 3}, {seed, (7ull << 32) | 0xffffffffull}));
}

TEST_CASE("equal arguments give equal numbers, any other argument gives others") {
  const auto first = [](const RandomStream& stream) {
    RandomStream copy = stream;
    return next_four(copy);
  };
  const Four reference = first({1, 2, 3, Purpose::noise, 4});
  CHECK(first({1, 2, 3, Purpose::noise, 4}) == reference);
  CHECK(first({2, 2, 3, Purpose::noise, 4}) != reference);
  CHECK(first({1, 3, 3, Purpose::noise, 4}) != reference);
  CHECK(first({1, 2, 4, Purpose::noise, 4}) != reference);
  CHECK(first({1, 3, 2, Purpose::noise, 4}) != reference);
  CHECK(first({1, 2, 3, Purpose::missing, 4}) != reference);
  CHECK(first({1, 2, 3, Purpose::noise, 5}) != reference);
}

TEST_CASE("uniform numbers fill [0, 1) evenly, in steps of 2^-53") {
  RandomStream stream(11, 0, 0, Purpose::draws);
  constexpr int n = 100000, bins = 20;
  std::array<int, bins> count{};
  double sum = 0.0;
  for (int i = 0; i < n; ++i) {
    const double u = stream.uniform();
    REQUIRE(u >= 0.0);
    REQUIRE(u < 1.0);
    REQUIRE(std::ldexp(u, 53) == std::floor(std::ldexp(u, 53)));
    sum += u;
    ++count[static_cast<std::size_t>(u * bins)];
  }
  CHECK(std::abs(sum / n - 0.5) < 5.0 * std::sqrt(1.0 / 12.0 / n));
  for (const int c : count)
    CHECK(std::abs(c - n / bins) < 5.0 * std::sqrt(n * (1.0 / bins) * (1.0 - 1.0 / bins)));
}

TEST_CASE("uniform(low, high) and below(bound) stay within, and reach, their ranges") {
  RandomStream stream(12, 0, 0, Purpose::draws);
  std::array<int, 3> seen{};
  for (int i = 0; i < 3000; ++i) {
    const double u = stream.uniform(-5.0, -4.0);
    REQUIRE(u >= -5.0);
    REQUIRE(u < -4.0);
    const std::uint64_t k = stream.below(3);
    REQUIRE(k < 3);
    ++seen[k];
    REQUIRE(stream.below(1) == 0);
  }
  for (const int s : seen) CHECK(std::abs(s - 1000) < 5.0 * std::sqrt(3000.0 * 2.0 / 9.0));
}

TEST_CASE("normal numbers have the moments of the normal distribution") {
  RandomStream stream(13, 5, 6, Purpose::noise);
  constexpr int n = 100000;
  double m1 = 0.0, m2 = 0.0, m3 = 0.0, m4 = 0.0, neighbours = 0.0, before = 0.0;
  int beyond_two = 0;
  for (int i = 0; i < n; ++i) {
    const double z = stream.normal();
    REQUIRE(std::isfinite(z));
    m1 += z;
    m2 += z * z;
    m3 += z * z * z;
    m4 += z * z * z * z;
    neighbours += z * before;
    before = z;
    beyond_two += std::abs(z) > 2.0;
  }
  // Standard errors: sqrt((mu_2k - mu_k^2) / n) with mu_2 = 1, mu_4 = 3, mu_6 = 15, mu_8 = 105.
  CHECK(std::abs(m1 / n) < 5.0 * std::sqrt(1.0 / n));
  CHECK(std::abs(m2 / n - 1.0) < 5.0 * std::sqrt(2.0 / n));
  CHECK(std::abs(m3 / n) < 5.0 * std::sqrt(15.0 / n));
  CHECK(std::abs(m4 / n - 3.0) < 5.0 * std::sqrt(96.0 / n));
  CHECK(std::abs(neighbours / n) < 5.0 * std::sqrt(1.0 / n));  // pairs of Box and Muller included
  const double p = std::erfc(std::sqrt(2.0));
  CHECK(std::abs(beyond_two - n * p) < 5.0 * std::sqrt(n * p * (1.0 - p)));
}
