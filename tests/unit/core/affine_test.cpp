#include "nucreg/core/affine.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using nucreg::AffineMap;
using nucreg::Point;

namespace {
constexpr AffineMap turned{0.0, -2.0, 5.0, 3.0, 0.5, -1.0};
}

TEST_CASE("maps are applied row by row") {
  const Point image = nucreg::apply(turned, {1.0, 10.0});
  CHECK(image[0] == -15.0);
  CHECK(image[1] == 7.0);
}

TEST_CASE("a composition applies the first map first") {
  constexpr AffineMap second{1.0, 1.0, 0.0, 0.0, 2.0, 4.0};
  const Point p{0.25, -8.0};
  const Point one_by_one = nucreg::apply(second, nucreg::apply(turned, p));
  const Point at_once = nucreg::apply(nucreg::compose(second, turned), p);
  CHECK(at_once[0] == doctest::Approx(one_by_one[0]).epsilon(1e-15));
  CHECK(at_once[1] == doctest::Approx(one_by_one[1]).epsilon(1e-15));
}

TEST_CASE("the inverse takes points back") {
  const Point p{12.5, -3.0};
  const Point back = nucreg::apply(nucreg::invert(turned), nucreg::apply(turned, p));
  CHECK(back[0] == doctest::Approx(p[0]).epsilon(1e-14));
  CHECK(back[1] == doctest::Approx(p[1]).epsilon(1e-14));
  CHECK(nucreg::determinant(turned) == 6.0);
}

TEST_CASE("a map of determinant 0 has no finite inverse") {
  CHECK_FALSE(std::isfinite(nucreg::invert({1.0, 2.0, 0.0, 2.0, 4.0, 0.0})[0]));
}
