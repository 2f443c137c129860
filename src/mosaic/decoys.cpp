#include "evidence.hpp"

#include <cmath>
#include <numbers>

namespace nucreg::mosaic {
namespace {

// The free objects of a side, copied.
struct FreeObjects {
  std::vector<float> x, y;
  std::vector<std::uint8_t> shared;
  std::vector<std::uint32_t> representative;
  const Detections* detections;

  FreeObjects(const SideView& side, std::span<const std::uint8_t> is_free)
      : detections(side.detections) {
    for (std::size_t i = 0; i < side.size(); ++i) {
      if (is_free[i] == 0) continue;
      x.push_back(side.x[i]);
      y.push_back(side.y[i]);
      shared.push_back(side.shared[i]);
      representative.push_back(side.representative[i]);
    }
  }
  [[nodiscard]] SideView view() const { return {x, y, shared, representative, detections}; }
  void move(double dx, double dy) {
    for (float& v : x) v += static_cast<float>(dx);
    for (float& v : y) v += static_cast<float>(dy);
  }
};

}  // namespace

std::vector<DecoyPoint> posterior_curve(std::span<const float> probability,
                                        double min_probability) {
  std::vector<DecoyPoint> curve;
  for (const double p : {0.9999, 0.999, 0.99, 0.95, 0.9, 0.8, 0.7, 0.6})
    if (p > min_probability) curve.push_back({.min_probability = p});
  curve.push_back({.min_probability = min_probability});
  for (DecoyPoint& point : curve) {
    for (const float p : probability) {
      if (static_cast<double>(p) < point.min_probability) continue;
      ++point.pairs;
      point.expected_wrong += 1.0 - static_cast<double>(p);
    }
  }
  return curve;
}

void add_decoys(std::vector<DecoyPoint>& curve, const Evidence& evidence, const SideView& ten,
                const SideView& forty, std::span<const std::uint8_t> ten_free,
                std::span<const std::uint8_t> forty_free, double spacing_um, std::size_t directions,
                std::size_t max_component) {
  const FreeObjects still(ten, ten_free);
  const SideView tens = still.view();
  const double share = 1.0 / static_cast<double>(directions);
  for (std::size_t k = 0; k < directions; ++k) {
    const double angle = 2.0 * std::numbers::pi * (static_cast<double>(k) + 0.25) * share;
    const double length = spacing_um * (3.0 + static_cast<double>(k % 3));
    FreeObjects shifted(forty, forty_free);
    shifted.move(length * std::cos(angle), length * std::sin(angle));
    const SideView forties = shifted.view();
    Candidates c = candidates_within(tens, forties, evidence.gate_um());
    evidence.weigh(c, tens, forties);
    Marginals(c, tens.size(), forties.size()).find(c, 10);
    const Matching chosen = best_matching(c.view(), tens.size(), forties.size(), max_component);
    for (const std::uint32_t e : chosen.edges)
      for (DecoyPoint& point : curve)
        if (static_cast<double>(c.probability[e]) >= point.min_probability)
          point.decoy_wrong += share;
  }
}

}  // namespace nucreg::mosaic
