// Rows of the Jacobian of a global fit.
#pragma once

#include <array>
#include <cstdint>

#include "nucreg/mosaic/global_fit.hpp"

namespace nucreg::mosaic {

/// What an observation knows of tiles and nodes; the same for x and for y. Not
/// over its deviation.
struct Row {
  std::size_t size = 0;
  std::array<std::uint32_t, 18> unknown{};
  std::array<double, 18> coefficient{};
  void add(std::uint32_t index, double value) {
    unknown[size] = index;
    coefficient[size++] = value;
  }
};
[[nodiscard]] Row row_of(const GlobalFit& fit, const Observation& o);

/// Derivatives by the shared unknowns.
struct SharedTerms {
  std::array<double, 6> x{}, y{};
};
[[nodiscard]] SharedTerms shared_terms(const GlobalFit& fit, const Observation& o);

}  // namespace nucreg::mosaic
