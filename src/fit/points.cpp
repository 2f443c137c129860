#include "nucreg/fit/points.hpp"

namespace nucreg {

Centroids centroids(const PairsView& pairs) {
  Centroids sums;  // side by side, since a sum waits for itself
  for (std::size_t i = 0; i < pairs.size; ++i) {
    sums.x10 += pairs.x10[i];
    sums.y10 += pairs.y10[i];
    sums.x40 += pairs.x40[i];
    sums.y40 += pairs.y40[i];
  }
  const auto n = static_cast<double>(pairs.size);
  return {sums.x10 / n, sums.y10 / n, sums.x40 / n, sums.y40 / n};
}

}  // namespace nucreg
