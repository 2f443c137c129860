#include "evidence.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace nucreg::mosaic {
namespace {

constexpr double nuclei_per_cell = 64.0;
constexpr std::size_t samples_of_cell = 4;  // along an edge, for the area of a cell
constexpr std::size_t rough_cells = 256;    // along an edge, for the area of the well
constexpr double max_cells_across = 1000.0;
constexpr double prior_pairs = 20.0;    // weight of the start, in pairs
constexpr double prior_objects = 8.0;   // weight of the well's rates in a cell
constexpr double prior_of_tile = 30.0;  // weight of the well's variance in a tile
constexpr float sure = 0.5F;            // pairs from which the spread within tiles is learnt

double normal2(double square, double variance) {
  return std::exp(-0.5 * square / variance) / (2.0 * std::numbers::pi * variance);
}

double square_of(double v) {
  return v * v;
}

double sum_of(const std::vector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0,
                         [](double sum, float v) { return sum + static_cast<double>(v); });
}

}  // namespace

Densities::Densities(const SideView& ten, const SideView& forty, const SharedFields& fields) {
  double x1 = 0.0, y1 = 0.0, count = 0.0;
  for (const SideView* side : {&ten, &forty}) {
    for (std::size_t i = 0; i < side->size(); ++i) {
      if (side->shared[i] == 0) continue;
      const double x = static_cast<double>(side->x[i]), y = static_cast<double>(side->y[i]);
      if (count == 0.0) grid_.x0 = x1 = x, grid_.y0 = y1 = y;
      grid_.x0 = std::min(grid_.x0, x), x1 = std::max(x1, x);
      grid_.y0 = std::min(grid_.y0, y), y1 = std::max(y1, y);
      count += 0.5;
    }
  }
  const auto cells_of = [&](double edge) {
    return CellGrid{grid_.x0, grid_.y0, edge, static_cast<std::size_t>((x1 - grid_.x0) / edge) + 1,
                    static_cast<std::size_t>((y1 - grid_.y0) / edge) + 1};
  };
  const double extent = std::max({x1 - grid_.x0, y1 - grid_.y0, 1.0});
  // What the sides share may be a small part of the box around it.
  const std::vector<float> rough =
      shared_area(fields, cells_of(extent / static_cast<double>(rough_cells)), 1);
  const double box = std::max(x1 - grid_.x0, 1.0) * std::max(y1 - grid_.y0, 1.0);
  const double area = std::clamp(sum_of(rough), box / square_of(max_cells_across), box);
  grid_ = cells_of(std::max(std::sqrt(area * nuclei_per_cell / std::max(count, 1.0)),
                            extent / max_cells_across));
  area_ = shared_area(fields, grid_, samples_of_cell);
  const auto objects = [&](const SideView& side) {
    std::vector<float> out(grid_.size(), 0.0F);
    for (std::size_t i = 0; i < side.size(); ++i)
      if (side.shared[i] != 0)
        out[cell(static_cast<double>(side.x[i]), static_cast<double>(side.y[i]))] += 1.0F;
    return out;
  };
  tens_ = objects(ten);
  forties_ = objects(forty);
  learn({}, ten);
}

std::size_t Densities::cell(double x, double y) const {
  const auto at = [&](double v, double v0, std::size_t count) {
    const double k = (v - v0) / grid_.edge;
    return k > 0.0 ? std::min(static_cast<std::size_t>(k), count - 1) : std::size_t{0};
  };
  return at(y, grid_.y0, grid_.rows) * grid_.columns + at(x, grid_.x0, grid_.columns);
}

Densities::Sums Densities::around(std::size_t cell) const {
  const std::size_t row = cell / grid_.columns, column = cell % grid_.columns;
  Sums out;
  for (std::size_t r = row == 0 ? 0 : row - 1; r <= std::min(row + 1, grid_.rows - 1); ++r) {
    for (std::size_t c = column == 0 ? 0 : column - 1; c <= std::min(column + 1, grid_.columns - 1);
         ++c) {
      const std::size_t at = r * grid_.columns + c;
      out.paired += static_cast<double>(paired_[at]);
      out.tens += static_cast<double>(tens_[at]);
      out.forties += static_cast<double>(forties_[at]);
      // Where there is no tissue there is no chance partner either.
      if (tens_[at] + forties_[at] > 0.0F) out.area_um2 += static_cast<double>(area_[at]);
    }
  }
  return out;
}

void Densities::learn(const Candidates& c, const SideView& ten) {
  paired_.assign(grid_.size(), 0.0F);
  for (std::size_t e = 0; e < c.size(); ++e) {
    const std::uint32_t i = c.ten[e];
    if (ten.shared[i] != 0)
      paired_[cell(static_cast<double>(ten.x[i]), static_cast<double>(ten.y[i]))] +=
          c.probability[e];
  }
  if (c.size() == 0)
    for (std::size_t k = 0; k < paired_.size(); ++k)
      paired_[k] = 0.5F * std::min(tens_[k], forties_[k]);
  const double pairs = sum_of(paired_) + 1.0;
  const double ten_rate = std::min(pairs / (sum_of(tens_) + 2.0), 1.0);
  const double forty_rate = std::min(pairs / (sum_of(forties_) + 2.0), 1.0);
  log_ratio_.assign(paired_.size(), 0.0F);
  for (std::size_t k = 0; k < paired_.size(); ++k) {
    const Sums s = around(k);
    // Shrunk to the rates of the well, and never 0.
    const double tens = std::max(s.tens, s.paired), forties = std::max(s.forties, s.paired);
    const double p10 = (s.paired + prior_objects * ten_rate) / (tens + prior_objects);
    const double p40 = (s.paired + prior_objects * forty_rate) / (forties + prior_objects);
    const double floor = 1e-3 * (0.5 * (tens + forties) + 1.0);
    const double area = std::max(s.area_um2, square_of(grid_.edge / samples_of_cell));
    const double paired = std::max(0.5 * (p10 * tens + p40 * forties), floor) / area;
    const double ten_alone = std::max((1.0 - p10) * tens, 2.0 * floor) / area;
    const double forty_alone = std::max((1.0 - p40) * forties, 2.0 * floor) / area;
    log_ratio_[k] = static_cast<float>(std::log(paired / ten_alone / forty_alone));
  }
}

Evidence::Evidence(const Spread& start, double spacing_um, std::size_t tiles, const SideView& ten,
                   const SideView& forty, const SharedFields& fields)
    : start_(start),
      spread_(start),
      spacing_um_(spacing_um),
      densities_(ten, forty, fields),
      factor_(tiles, 1.0F) {}

double Evidence::narrow_share(double square, double factor) const {
  const double narrow = square_of(spread_.narrow_um) * factor;
  const double a = (1.0 - spread_.wide_part) * normal2(square, narrow);
  const double b = spread_.wide_part * normal2(square, narrow + square_of(spread_.wide_um));
  return a / (a + b + 1e-300);
}

double Evidence::gate_um() const {
  return std::max(0.3 * spacing_um_, 5.0 * spread_.narrow_um);
}

void Evidence::learn(Candidates& c, const SideView& ten, const SideView& forty, int rounds) {
  Marginals marginals(c, ten.size(), forty.size());
  for (int round = 0; round < rounds; ++round) {
    weigh(c, ten, forty);
    marginals.find(c, 6);
    densities_.learn(c, ten);
    learn_spread(c, ten, forty);
  }
  learn_factors(c, forty, ten, false);
  learn_factors(c, ten, forty, true);
  learn_area(c, ten, forty);
}

void Evidence::weigh(Candidates& c, const SideView& ten, const SideView& forty) const {
  const double wide = square_of(spread_.wide_um);
  for (std::size_t e = 0; e < c.size(); ++e) {
    const std::uint32_t i = c.ten[e], j = c.forty[e];
    const double narrow = square_of(spread_.narrow_um) * factor(ten.tile(i), forty.tile(j));
    const double square = static_cast<double>(c.square[e]);
    const double f = (1.0 - spread_.wide_part) * normal2(square, narrow) +
                     spread_.wide_part * normal2(square, narrow + wide);
    double gain = std::log(f + 1e-300) + densities_.log_ratio(static_cast<double>(ten.x[i]),
                                                              static_cast<double>(ten.y[i]));
    if (area_.correlation > 0.0) gain += area_gain(ten.area(i), forty.area(j));
    c.gain[e] = static_cast<float>(gain);
  }
}

void Evidence::learn_spread(const Candidates& c, const SideView& ten, const SideView& forty) {
  double narrow = prior_pairs, narrow_sum = prior_pairs * 2.0 * square_of(start_.narrow_um);
  double wide = prior_pairs * start_.wide_part;
  double wide_sum = wide * 2.0 * square_of(start_.wide_um);
  for (std::size_t e = 0; e < c.size(); ++e) {
    const double p = static_cast<double>(c.probability[e]);
    if (p < 1e-3) continue;
    const double factor = this->factor(ten.tile(c.ten[e]), forty.tile(c.forty[e]));
    const double d2 = static_cast<double>(c.square[e]), share = p * narrow_share(d2, factor);
    narrow += share;
    narrow_sum += share * d2 / factor;
    wide += p - share;
    wide_sum += (p - share) * std::max(d2 - 2.0 * square_of(spread_.narrow_um) * factor, 0.0);
  }
  spread_.narrow_um = std::max(std::sqrt(narrow_sum / (2.0 * narrow)), 0.1 * start_.narrow_um);
  spread_.wide_um = std::clamp(std::sqrt(wide_sum / (2.0 * wide)), 2.0 * spread_.narrow_um,
                               std::max(0.3 * spacing_um_, 2.0 * spread_.narrow_um));
  spread_.wide_part = std::clamp(wide / (narrow + wide), 1e-3, 0.5);
}

// Per tile of one side, given the factors of the other: its median of d2 against that of all tiles,
// so that factors are about 1 and narrow_um keeps its meaning.
void Evidence::learn_factors(const Candidates& c, const SideView& own, const SideView& other,
                             bool of_ten) {
  const std::vector<std::uint32_t>& mine = of_ten ? c.ten : c.forty;
  const std::vector<std::uint32_t>& others = of_ten ? c.forty : c.ten;
  std::vector<std::uint32_t> begin(factor_.size() + 1, 0);
  for (std::size_t e = 0; e < c.size(); ++e)
    if (c.probability[e] >= sure) ++begin[own.tile(mine[e]) + 1];
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  std::vector<float> squares(begin.back());
  std::vector<std::uint32_t> next(begin.begin(), begin.end() - 1);
  for (std::size_t e = 0; e < c.size(); ++e)
    if (c.probability[e] >= sure)
      squares[next[own.tile(mine[e])]++] = c.square[e] / factor_[other.tile(others[e])];
  if (squares.empty()) return;
  const auto median = [](auto first, auto last) {
    const auto middle = first + (last - first) / 2;
    std::nth_element(first, middle, last);
    return static_cast<double>(*middle);
  };
  std::vector<float> all = squares;
  const double expected = std::max(median(all.begin(), all.end()), 1e-12);
  for (std::size_t t = 0; t < factor_.size(); ++t) {
    if (begin[t] == begin[t + 1]) continue;
    const auto first = squares.begin() + begin[t], last = squares.begin() + begin[t + 1];
    const double n = static_cast<double>(last - first), ratio = median(first, last) / expected;
    factor_[t] = static_cast<float>(
        std::clamp((n * ratio + prior_of_tile) / (n + prior_of_tile), 0.5, 25.0));
  }
}

void Evidence::learn_area(const Candidates& c, const SideView& ten, const SideView& forty) {
  area_ = {};
  if (!ten.has_area() || !forty.has_area()) return;
  double n = 0, sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
  for (std::size_t e = 0; e < c.size(); ++e) {
    if (c.probability[e] < 0.9F) continue;
    const float a10 = ten.area(c.ten[e]), a40 = forty.area(c.forty[e]);
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
  // Heavy tails: a split or merged nucleus may have any area.
  return std::max(-0.5 * std::log(left) - 0.5 * (r * r * (a * a + b * b) - 2.0 * r * a * b) / left,
                  -3.0);
}

}  // namespace nucreg::mosaic
