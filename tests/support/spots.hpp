// Places that were found against places that are true.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace nucreg {

struct Spots {
  std::vector<double> x, y;
};

// 2 TP / (found + true); pairs nearer than `radius_px`, nearest first, each used once.
inline double f1_by_distance(const Spots& found, const Spots& truth, double radius_px) {
  std::vector<std::pair<double, std::pair<std::size_t, std::size_t>>> near;
  for (std::size_t i = 0; i < found.x.size(); ++i)
    for (std::size_t j = 0; j < truth.x.size(); ++j) {
      const double d = std::hypot(found.x[i] - truth.x[j], found.y[i] - truth.y[j]);
      if (d <= radius_px) near.push_back({d, {i, j}});
    }
  std::sort(near.begin(), near.end());
  std::vector<bool> used_found(found.x.size(), false), used_true(truth.x.size(), false);
  double both = 0.0;
  for (const auto& [distance, pair] : near) {
    if (used_found[pair.first] || used_true[pair.second]) continue;
    used_found[pair.first] = used_true[pair.second] = true;
    both += 1.0;
  }
  return 2.0 * both / static_cast<double>(found.x.size() + truth.x.size());
}

}  // namespace nucreg
