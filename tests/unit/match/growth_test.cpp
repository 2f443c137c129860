#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "cloud.hpp"
#include "growth.hpp"
#include "nucreg/core/random.hpp"
#include "pairing.hpp"

using namespace nucreg;
using namespace nucreg::matching;

namespace {

Points scattered(std::size_t n) {
  RandomStream random(3, 0, 0, Purpose::positions);
  Points points;
  for (std::size_t i = 0; i < n; ++i) {
    points.x.push_back(random.uniform(0.0, 300.0));
    points.y.push_back(random.uniform(0.0, 200.0));
  }
  return points;
}

}  // namespace

TEST_CASE("the tail of the binomial distribution is its sum") {
  for (const double p : {0.01, 0.1, 0.5})
    for (const std::size_t trials : {1u, 7u, 40u})
      for (std::size_t hits = 0; hits <= trials; ++hits) {
        double tail = 0.0;
        for (std::size_t k = hits; k <= trials; ++k) {
          double term = 1.0;
          for (std::size_t i = 0; i < k; ++i)
            term *= p * static_cast<double>(trials - i) / static_cast<double>(i + 1);
          tail += term * std::pow(1.0 - p, static_cast<double>(trials - k));
        }
        const double expected =
            static_cast<double>(hits) > static_cast<double>(trials) * p ? std::log10(tail) : 0.0;
        CHECK(log10_tail(trials, hits, p) == doctest::Approx(expected).epsilon(1e-10));
      }
  CHECK(log10_tail(0, 0, 0.1) == 0.0);
  CHECK(log10_tail(1000000, 1000000, 0.1) == doctest::Approx(-1e6));
}

TEST_CASE("a cloud finds what a search through all points finds") {
  const Points points = scattered(500);
  const Cloud cloud(points, "ten");
  REQUIRE(cloud.size() == 500);
  RandomStream random(4, 0, 0, Purpose::draws);
  std::vector<Neighbour> near;
  for (int round = 0; round < 50; ++round) {
    const Complex p(random.uniform(-50.0, 350.0), random.uniform(-50.0, 250.0));
    std::vector<double> squares;
    for (std::size_t i = 0; i < 500; ++i)
      squares.push_back(std::norm(Complex(points.x[i], points.y[i]) - p));
    std::sort(squares.begin(), squares.end());
    cloud.nearest(p, 9, near);
    REQUIRE(near.size() == 9);
    for (std::size_t i = 0; i < 9; ++i)
      CHECK(near[i].square == doctest::Approx(squares[i]).epsilon(1e-12));
    CHECK(cloud.nearest(p).square == doctest::Approx(squares[0]).epsilon(1e-12));
  }
  for (std::uint32_t i = 0; i < 500; ++i) {
    CHECK(cloud.at(i) == Complex(points.x[cloud.original(i)], points.y[cloud.original(i)]));
    CHECK(cloud.covers(0.999 * (cloud.at(i) - Complex(150, 100)) + Complex(150, 100)));
  }
  for (const Complex p : {Complex(-1, 100), Complex(301, 100), Complex(150, -1), Complex(150, 201)})
    CHECK(!cloud.covers(p));
}

TEST_CASE("the density of scattered points is their number by their area") {
  const Cloud cloud(scattered(20000), "ten");
  double area = 0.0;  // each point's share
  for (const float density : local_density(cloud)) area += 1.0 / static_cast<double>(density);
  CHECK(area == doctest::Approx(300.0 * 200.0).epsilon(0.03));
}

TEST_CASE("shapes stay when points are shifted, turned, scaled, and conjugate when mirrored") {
  const Points points = scattered(40);
  const Complex turn = std::polar(3.7, 2.1);
  for (const bool mirrored : {false, true}) {
    Points moved;
    for (std::size_t i = 0; i < points.size(); ++i) {
      const Complex p(points.x[i], mirrored ? -points.y[i] : points.y[i]);
      moved.x.push_back((turn * p).real() + 1000.0);
      moved.y.push_back((turn * p).imag() - 500.0);
    }
    const Cloud one(points, "ten"), other(moved, "forty");
    std::vector<std::uint32_t> all(other.size());
    for (std::uint32_t i = 0; i < all.size(); ++i) all[i] = i;
    const ConstellationIndex index(other, all);
    std::vector<Constellation> alike;
    std::size_t looked = 0;
    for (std::uint32_t i = 0; i < one.size(); ++i)
      for (const Constellation& c : constellations_of(one, i)) {
        std::array<float, 4> shape = c.shape;
        if (mirrored) shape = {shape[0], -shape[1], shape[2], -shape[3]};
        index.most_alike(shape, alike);
        REQUIRE(!alike.empty());
        for (std::size_t k = 0; k < 4; ++k)
          CHECK(other.original(alike[0].points[k]) == one.original(c.points[k]));
        ++looked;
      }
    CHECK(looked > 200);
  }
}

TEST_CASE("back maps are fitted exactly, inverted and inverted back") {
  const AffineMap map{3.9, 0.3, -500.0, -0.2, 4.1, 77.0};
  const BackMap back = inverse(map);
  CHECK(back.determinant() == doctest::Approx(1.0 / (3.9 * 4.1 + 0.3 * 0.2)));
  const AffineMap again = inverse(back);
  for (std::size_t i = 0; i < 6; ++i) CHECK(again[i] == doctest::Approx(map[i]).epsilon(1e-12));

  std::vector<WeightedPair> pairs;
  for (const Complex p : {Complex(0, 0), Complex(90, 10), Complex(20, 80), Complex(70, 95)})
    pairs.push_back({{map[0] * p.real() + map[1] * p.imag() + map[2],
                      map[3] * p.real() + map[4] * p.imag() + map[5]},
                     p,
                     1.0 + p.real()});
  const AffineMap fitted = inverse(fit_affine(pairs));
  for (std::size_t i = 0; i < 6; ++i) CHECK(fitted[i] == doctest::Approx(map[i]).epsilon(1e-10));
  for (WeightedPair& pair : pairs) pair.forty = Complex(5, 5) + Complex(0, 4) * std::conj(pair.ten);
  const BackMap mirrored = fit_similarity(pairs, true);
  CHECK(mirrored.determinant() == doctest::Approx(-1.0 / 16.0));
  for (const WeightedPair& pair : pairs) CHECK(std::abs(mirrored(pair.forty) - pair.ten) < 1e-9);

  for (WeightedPair& pair : pairs) pair.forty = 1.0;
  CHECK(fit_affine(pairs).determinant() == 0.0);
  CHECK(fit_similarity(pairs, false).determinant() == 0.0);
}

TEST_CASE("noise, its tail and chance are told apart by the residuals") {
  RandomStream random(5, 0, 0, Purpose::noise);
  std::vector<double> residual;
  const double density = 1e-4;  // chance is 40 px off in the mean square of a coordinate
  for (int i = 0; i < 4000; ++i) {
    const double sigma = i < 3000   ? 1.0
                         : i < 3400 ? 4.0
                                    : std::sqrt(0.5 / (std::acos(-1.0) * density));
    residual.push_back(std::hypot(sigma * random.normal(), sigma * random.normal()));
  }
  const double radius_px = match_radius_px(residual, density);
  CHECK(radius_px > 6.0);
  CHECK(radius_px < 16.0);
  CHECK(match_radius_px(std::vector<double>(100, 0.0), density) < 0.1);
  CHECK(match_radius_px({}, density) == 0.0);
}

// As in a tile of a few dozen nuclei, some of them in clumps or cut by its edge.
TEST_CASE("a few nuclei that are off do not count as chance") {
  RandomStream random(9, 0, 0, Purpose::noise);
  std::vector<double> residual{4.9, 4.9, 5.4, 5.4, 7.3};
  for (int i = 0; i < 27; ++i)
    residual.push_back(std::hypot(0.25 * random.normal(), 0.25 * random.normal()));
  for (int i = 0; i < 12; ++i) residual.push_back(12.0 + 1.6 * i);
  const double radius_px = match_radius_px(residual, 4.4e-5);
  CHECK(radius_px > 7.3);
  CHECK(radius_px < 12.0);
}
