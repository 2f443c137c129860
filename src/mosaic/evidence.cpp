#include "evidence.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "incidence.hpp"

namespace nucreg::mosaic {
namespace {

constexpr double nuclei_per_cell = 64.0;
constexpr double prior_pairs = 20.0;  // weight of the start, in pairs
constexpr float sure = 0.5F;          // pairs from which tiles and areas are learnt

double normal2(double square, double variance) {
  return std::exp(-0.5 * square / variance) / (2.0 * std::numbers::pi * variance);
}

double square_of(double v) {
  return v * v;
}

// out[e] = 1 / (1 + sum over the other edges of the object of weight * in); degrees are small.
void pass_messages(const Incidence& at, std::span<const double> weight, std::span<const double> in,
                   std::span<double> out) {
  for (std::size_t o = 0; o < at.objects(); ++o) {
    const auto edges = at.of(o);
    for (const std::uint32_t e : edges) {
      double sum = 1.0;
      for (const std::uint32_t other : edges)
        if (other != e) sum += weight[other] * in[other];
      out[e] = 1.0 / sum;
    }
  }
}

}  // namespace

Candidates candidates_within(const SideView& ten, const SideView& forty, double gate) {
  const PointGrid grid(forty.x, forty.y, gate);
  Candidates out;
  std::vector<std::pair<std::uint32_t, float>> row;
  for (std::uint32_t i = 0; i < ten.size(); ++i) {
    row.clear();
    grid.within(static_cast<double>(ten.x[i]), static_cast<double>(ten.y[i]), gate,
                [&](std::uint32_t j, double d2) { row.emplace_back(j, static_cast<float>(d2)); });
    std::sort(row.begin(), row.end());
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

void find_probabilities(Candidates& c, std::size_t tens, std::size_t forties, int rounds) {
  const Incidence by_ten(c.ten, tens), by_forty(c.forty, forties);
  std::vector<double> weight(c.size()), to_forty(c.size(), 1.0), to_ten(c.size(), 1.0);
  for (std::size_t e = 0; e < c.size(); ++e)
    weight[e] = std::exp(std::clamp(static_cast<double>(c.gain[e]), -60.0, 60.0));
  for (int round = 0; round < rounds; ++round) {
    pass_messages(by_ten, weight, to_ten, to_forty);
    pass_messages(by_forty, weight, to_forty, to_ten);
  }
  for (std::size_t i = 0; i < tens; ++i) {
    double sum = 1.0;
    for (const std::uint32_t e : by_ten.of(i)) sum += weight[e] * to_ten[e];
    for (const std::uint32_t e : by_ten.of(i))
      c.probability[e] = static_cast<float>(weight[e] * to_ten[e] / sum);
  }
}

std::size_t Densities::cell(double x, double y) const {
  const auto at = [&](double v, double v0, std::size_t count) {
    const double k = std::floor((v - v0) / cell_um);
    return static_cast<std::size_t>(std::clamp(k, 0.0, static_cast<double>(count) - 1.0));
  };
  return at(y, y0, rows) * columns + at(x, x0, columns);
}

Evidence::Evidence(const Spread& start, double spacing_um, std::size_t tiles)
    : start_(start), spread_(start), spacing_um_(spacing_um), factor_(tiles, 1.0F) {}

double Evidence::narrow_share(double square, double factor) const {
  const double narrow = square_of(spread_.narrow_um) * factor;
  const double a = (1.0 - spread_.wide_part) * normal2(square, narrow);
  const double b = spread_.wide_part * normal2(square, narrow + square_of(spread_.wide_um));
  return a / (a + b + 1e-300);
}

double Evidence::gate_um() const {
  return std::max(0.3 * spacing_um_, 5.0 * spread_.narrow_um);
}

double Evidence::chance_per_um2() const {
  double sum = 0.0, cells = 0.0;
  for (const float v : densities_.forty_alone) {
    if (!(v > 0.0F)) continue;
    sum += static_cast<double>(v);
    cells += 1.0;
  }
  return cells > 0.0 ? sum / cells : 0.0;
}

void Evidence::learn(Candidates& c, const SideView& ten, const SideView& forty, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    if (densities_.columns == 0) learn_densities(c, ten, forty);
    weigh(c, ten, forty);
    find_probabilities(c, ten.size(), forty.size(), 6);
    learn_densities(c, ten, forty);
    learn_spread(c, ten, forty);
  }
  learn_factors(c, ten, forty);
  learn_area(c, ten, forty);
}

void Evidence::weigh(Candidates& c, const SideView& ten, const SideView& forty) const {
  const double wide = square_of(spread_.wide_um);
  for (std::size_t e = 0; e < c.size(); ++e) {
    const std::uint32_t i = c.ten[e], j = c.forty[e];
    const double factor = this->factor(ten.tile[i]) * this->factor(forty.tile[j]);
    const double narrow = square_of(spread_.narrow_um) * factor;
    const double square = static_cast<double>(c.square[e]);
    const double f = (1.0 - spread_.wide_part) * normal2(square, narrow) +
                     spread_.wide_part * normal2(square, narrow + wide);
    const std::size_t at =
        densities_.cell(static_cast<double>(ten.x[i]), static_cast<double>(ten.y[i]));
    double gain = std::log(f + 1e-300) + std::log(static_cast<double>(densities_.paired[at])) -
                  std::log(static_cast<double>(densities_.ten_alone[at])) -
                  std::log(static_cast<double>(densities_.forty_alone[at]));
    if (area_.correlation > 0.0) gain += area_gain(ten.area[i], forty.area[j]);
    c.gain[e] = static_cast<float>(gain);
  }
}

void Evidence::learn_densities(const Candidates& c, const SideView& ten, const SideView& forty) {
  // Before anything is known, half of the rarer side has a partner.
  const bool first = densities_.columns == 0;
  if (first) {
    double x0 = 0, x1 = 0, y0 = 0, y1 = 0, count = 0;
    for (const SideView* side : {&ten, &forty}) {
      for (std::size_t i = 0; i < side->size(); ++i) {
        if (side->shared[i] == 0) continue;
        const double x = static_cast<double>(side->x[i]), y = static_cast<double>(side->y[i]);
        if (count == 0) x0 = x1 = x, y0 = y1 = y;
        x0 = std::min(x0, x), x1 = std::max(x1, x), y0 = std::min(y0, y), y1 = std::max(y1, y);
        count += 0.5;
      }
    }
    const double area = std::max(x1 - x0, 1.0) * std::max(y1 - y0, 1.0);
    densities_.x0 = x0, densities_.y0 = y0;
    densities_.cell_um = std::sqrt(area * nuclei_per_cell / std::max(count, 1.0));
    densities_.columns = static_cast<std::size_t>((x1 - x0) / densities_.cell_um) + 1;
    densities_.rows = static_cast<std::size_t>((y1 - y0) / densities_.cell_um) + 1;
  }
  const std::size_t cells = densities_.columns * densities_.rows;
  std::vector<double> paired(cells, 0.0), tens(cells, 0.0), forties(cells, 0.0);
  const auto cell_of = [&](const SideView& side, std::size_t i) {
    return densities_.cell(static_cast<double>(side.x[i]), static_cast<double>(side.y[i]));
  };
  for (std::size_t i = 0; i < ten.size(); ++i)
    if (ten.shared[i] != 0) tens[cell_of(ten, i)] += 1.0;
  for (std::size_t j = 0; j < forty.size(); ++j)
    if (forty.shared[j] != 0) forties[cell_of(forty, j)] += 1.0;
  if (first) {
    for (std::size_t k = 0; k < cells; ++k) paired[k] = 0.5 * std::min(tens[k], forties[k]);
  } else {
    for (std::size_t e = 0; e < c.size(); ++e)
      if (ten.shared[c.ten[e]] != 0)
        paired[cell_of(ten, c.ten[e])] += static_cast<double>(c.probability[e]);
  }
  const auto sum = [](const std::vector<double>& v) {
    double s = 0.0;
    for (const double x : v) s += x;
    return s;
  };
  const double all_paired = sum(paired) + 1.0;
  const double ten_rate = std::min(all_paired / (sum(tens) + 2.0), 1.0);
  const double forty_rate = std::min(all_paired / (sum(forties) + 2.0), 1.0);
  densities_.paired.assign(cells, 0.0F);
  densities_.ten_alone = densities_.forty_alone = densities_.paired;
  const double area = square_of(densities_.cell_um);
  for (std::size_t r = 0; r < densities_.rows; ++r) {
    for (std::size_t col = 0; col < densities_.columns; ++col) {
      double k = 0, a = 0, b = 0, used = 0;
      for (std::size_t rr = r - std::min<std::size_t>(r, 1);
           rr <= std::min(r + 1, densities_.rows - 1); ++rr) {
        for (std::size_t cc = col - std::min<std::size_t>(col, 1);
             cc <= std::min(col + 1, densities_.columns - 1); ++cc) {
          const std::size_t at = rr * densities_.columns + cc;
          k += paired[at], a += tens[at], b += forties[at];
          used += tens[at] + forties[at] > 0 ? 1 : 0;
        }
      }
      // Shrunk a little to the rates of the well: no density becomes 0.
      const double n = std::max(used, 1.0) * area, prior = 8.0;
      const double mean = 0.5 * (a + b) + 1.0;
      const double p10 = (k + prior * ten_rate) / (std::max(a, k) + prior);
      const double p40 = (k + prior * forty_rate) / (std::max(b, k) + prior);
      const std::size_t at = r * densities_.columns + col;
      densities_.paired[at] =
          static_cast<float>(std::max(0.5 * (p10 * a + p40 * b), 1e-3 * mean) / n);
      densities_.ten_alone[at] =
          static_cast<float>(std::max((1.0 - p10) * std::max(a, k), 2e-3 * mean) / n);
      densities_.forty_alone[at] =
          static_cast<float>(std::max((1.0 - p40) * std::max(b, k), 2e-3 * mean) / n);
    }
  }
}

void Evidence::learn_spread(const Candidates& c, const SideView& ten, const SideView& forty) {
  double narrow = prior_pairs, narrow_sum = prior_pairs * 2.0 * square_of(start_.narrow_um);
  double wide = prior_pairs * start_.wide_part, total = prior_pairs;
  double wide_sum = wide * 2.0 * square_of(start_.wide_um);
  for (std::size_t e = 0; e < c.size(); ++e) {
    const double p = static_cast<double>(c.probability[e]);
    if (p < 1e-3) continue;
    const double factor = this->factor(ten.tile[c.ten[e]]) * this->factor(forty.tile[c.forty[e]]);
    const double d2 = static_cast<double>(c.square[e]), share = narrow_share(d2, factor);
    narrow += p * share;
    narrow_sum += p * share * d2 / factor;
    wide += p * (1.0 - share);
    wide_sum += p * (1.0 - share) * std::max(d2 - 2.0 * square_of(spread_.narrow_um) * factor, 0.0);
    total += p;
  }
  spread_.narrow_um = std::max(std::sqrt(narrow_sum / (2.0 * narrow)), 0.1 * start_.narrow_um);
  spread_.wide_um = std::clamp(std::sqrt(wide_sum / (2.0 * wide)), 2.0 * spread_.narrow_um,
                               std::max(0.3 * spacing_um_, 2.0 * spread_.narrow_um));
  spread_.wide_part = std::clamp(wide / total, 1e-3, 0.5);
}

void Evidence::learn_factors(const Candidates& c, const SideView& ten, const SideView& forty) {
  // Median of d2 is 2 ln 2 times the variance; of each tile, given those of the other side.
  for (const bool of_forty : {true, false}) {
    std::vector<std::pair<std::uint32_t, float>> seen;
    for (std::size_t e = 0; e < c.size(); ++e) {
      if (c.probability[e] < sure) continue;
      const std::uint32_t a = ten.tile[c.ten[e]], b = forty.tile[c.forty[e]];
      seen.emplace_back(of_forty ? b : a, c.square[e] / factor_[of_forty ? a : b]);
    }
    std::sort(seen.begin(), seen.end());
    for (std::size_t begin = 0; begin < seen.size();) {
      std::size_t end = begin;
      while (end < seen.size() && seen[end].first == seen[begin].first) ++end;
      const double median = static_cast<double>(seen[(begin + end) / 2].second);
      const double ratio = median / (2.0 * std::numbers::ln2 * square_of(spread_.narrow_um));
      const double n = static_cast<double>(end - begin);
      factor_[seen[begin].first] =
          static_cast<float>(std::clamp((n * ratio + 30.0) / (n + 30.0), 0.5, 25.0));
      begin = end;
    }
  }
}

void Evidence::learn_area(const Candidates& c, const SideView& ten, const SideView& forty) {
  area_ = {};
  if (ten.area.empty() || forty.area.empty()) return;
  double n = 0, sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
  for (std::size_t e = 0; e < c.size(); ++e) {
    if (c.probability[e] < 0.9F) continue;
    const float a10 = ten.area[c.ten[e]], a40 = forty.area[c.forty[e]];
    if (!(a10 > 0.0F) || !(a40 > 0.0F)) continue;
    const double a = std::log(static_cast<double>(a10)), b = std::log(static_cast<double>(a40));
    n += 1, sa += a, sb += b, saa += a * a, sbb += b * b, sab += a * b;
  }
  if (n < 200) return;
  const double va = saa / n - square_of(sa / n), vb = sbb / n - square_of(sb / n);
  if (!(va > 1e-4) || !(vb > 1e-4)) return;
  const double correlation = (sab / n - sa / n * sb / n) / std::sqrt(va * vb);
  if (correlation < 0.2) return;
  area_ = {sa / n, std::sqrt(va), sb / n, std::sqrt(vb), std::min(correlation, 0.95)};
}

double Evidence::area_gain(float ten, float forty) const {
  if (!(ten > 0.0F) || !(forty > 0.0F)) return 0.0;
  const auto z = [](float v, double mean, double sd) {
    return std::clamp((std::log(static_cast<double>(v)) - mean) / sd, -3.0, 3.0);
  };
  const double a = z(ten, area_.ten_mean, area_.ten_sd);
  const double b = z(forty, area_.forty_mean, area_.forty_sd);
  const double r = area_.correlation, left = 1.0 - r * r;
  // Heavy tails: a merged nucleus may have any area.
  return std::max(-0.5 * std::log(left) - 0.5 * (r * r * (a * a + b * b) - 2.0 * r * a * b) / left,
                  -3.0);
}

}  // namespace nucreg::mosaic
