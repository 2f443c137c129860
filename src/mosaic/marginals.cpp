#include <algorithm>
#include <cmath>
#include <utility>

#include "evidence.hpp"
#include "point_grid.hpp"

namespace nucreg::mosaic {
namespace {

// Beyond it the probability is 0 or 1 as a float.
constexpr float largest_gain = 40.0F;

// out[e] = 1 / (1 + sum of weight * in over the other edges of the object); degrees are small.
// order: edges sorted by object.
template <typename ObjectOf>
void pass_messages(std::span<const std::uint32_t> order, ObjectOf object_of,
                   std::span<const float> weight, std::span<const float> in, std::span<float> out) {
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    while (end < order.size() && object_of(order[end]) == object_of(order[begin])) ++end;
    for (std::size_t k = begin; k < end; ++k) {
      float sum = 1.0F;
      for (std::size_t other = begin; other < end; ++other)
        if (other != k) sum += weight[order[other]] * in[order[other]];
      out[order[k]] = 1.0F / sum;
    }
    begin = end;
  }
}

float clamped_weight(float gain) {
  return std::exp(std::clamp(gain, -largest_gain, largest_gain));
}

std::vector<std::uint8_t> degrees(std::span<const std::uint32_t> object, std::size_t objects) {
  std::vector<std::uint8_t> out(objects, 0);
  for (const std::uint32_t o : object)
    if (out[o] < 2) ++out[o];
  return out;
}

}  // namespace

Candidates candidates_within(const SideView& ten, const SideView& forty, double gate) {
  const PointGrid grid(forty.x, forty.y, gate);
  Candidates out;
  const std::size_t likely = std::min(ten.size(), forty.size()) * 9 / 8;
  for (auto* column : {&out.ten, &out.forty}) column->reserve(likely);
  out.square.reserve(likely);
  std::vector<std::pair<std::uint32_t, float>> row;
  for (std::uint32_t i = 0; i < ten.size(); ++i) {
    row.clear();
    grid.within(static_cast<double>(ten.x[i]), static_cast<double>(ten.y[i]), gate,
                [&](std::uint32_t j, double d2) { row.emplace_back(j, static_cast<float>(d2)); });
    if (row.size() > 1) std::sort(row.begin(), row.end());
    for (const auto& [j, d2] : row) {
      out.ten.push_back(i);
      out.forty.push_back(j);
      out.square.push_back(d2);
    }
  }
  out.gain.assign(out.size(), 0.0F);
  out.probability.assign(out.size(), 0.0F);
  return out;
}

Marginals::Marginals(const Candidates& c, std::size_t tens, std::size_t forties) {
  const std::vector<std::uint8_t> ten = degrees(c.ten, tens), forty = degrees(c.forty, forties);
  for (std::uint32_t e = 0; e < c.size(); ++e)
    if (ten[c.ten[e]] > 1 || forty[c.forty[e]] > 1) busy_.push_back(e);
  by_forty_.resize(busy_.size());
  for (std::uint32_t k = 0; k < busy_.size(); ++k) by_forty_[k] = k;
  std::sort(by_forty_.begin(), by_forty_.end(), [&](std::uint32_t a, std::uint32_t b) {
    const std::uint32_t fa = c.forty[busy_[a]], fb = c.forty[busy_[b]];
    return fa != fb ? fa < fb : a < b;
  });
  for (auto* column : {&weight_, &to_ten_, &to_forty_}) column->resize(busy_.size());
}

void Marginals::find(Candidates& c, int rounds) {
  for (std::size_t e = 0; e < c.size(); ++e) {
    const float weight = clamped_weight(c.gain[e]);
    c.probability[e] = weight / (1.0F + weight);
  }
  for (std::size_t k = 0; k < busy_.size(); ++k) weight_[k] = clamped_weight(c.gain[busy_[k]]);
  std::fill(to_ten_.begin(), to_ten_.end(), 1.0F);
  std::vector<std::uint32_t> by_ten(busy_.size());
  for (std::uint32_t k = 0; k < busy_.size(); ++k) by_ten[k] = k;
  const auto ten = [&](std::uint32_t k) { return c.ten[busy_[k]]; };
  const auto forty = [&](std::uint32_t k) { return c.forty[busy_[k]]; };
  for (int round = 0; round < rounds; ++round) {
    pass_messages(by_ten, ten, weight_, to_ten_, to_forty_);
    pass_messages(by_forty_, forty, weight_, to_forty_, to_ten_);
  }
  for (std::size_t begin = 0; begin < busy_.size();) {
    std::size_t end = begin;
    float sum = 1.0F;
    for (; end < busy_.size() && c.ten[busy_[end]] == c.ten[busy_[begin]]; ++end)
      sum += weight_[end] * to_ten_[end];
    for (; begin < end; ++begin)
      c.probability[busy_[begin]] = weight_[begin] * to_ten_[begin] / sum;
  }
}

}  // namespace nucreg::mosaic
