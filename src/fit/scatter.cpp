#include "nucreg/fit/scatter.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "nucreg/fit/weighted.hpp"

namespace nucreg {
namespace {

constexpr double strip_part = 0.1;
// Clumps are chosen from so many times the points, where that does not take longer than the trial.
constexpr std::uint64_t spare = 4, much_spare = 16, few_points = 200000;
constexpr std::uint32_t for_shape = 999;  // attempt that no scatter of points reaches
constexpr std::size_t many_pairs = 50;    // whose quantiles show their noise
constexpr double noise_quantile = 0.3;

double distance2(double x, double y) {
  return x * x + y * y;
}

// Those with the smallest keys, in their order.
Points smallest(const Points& points, const std::vector<double>& keys, std::size_t count) {
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::nth_element(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
      [&](std::size_t a, std::size_t b) { return keys[a] != keys[b] ? keys[a] < keys[b] : a < b; });
  order.resize(count);
  std::sort(order.begin(), order.end());
  Points out;
  for (const std::size_t i : order) {
    out.x.push_back(points.x[i]);
    out.y.push_back(points.y[i]);
  }
  return out;
}

template <std::size_t Count>
std::array<std::array<double, 2>, Count> random_places(const DiskField& field,
                                                       RandomStream& random) {
  std::array<std::array<double, 2>, Count> places;
  for (auto& place : places)
    place = {random.uniform(0.0, field.size_px[0]), random.uniform(0.0, field.size_px[1])};
  return places;
}

// Weighted choice without replacement: the smallest of exponential variates over the weights
// (Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006).
std::vector<double> clump_keys(const Points& points, const DiskField& field, RandomStream& random) {
  constexpr std::size_t clumps = 8;
  const double width = std::sqrt(field.size_px[0] * field.size_px[1]) / 16.0;
  const auto places = random_places<clumps>(field, random);
  std::vector<double> keys(points.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    double density = 0.01;
    for (const auto& [x, y] : places)
      density += std::exp(-0.5 * distance2(points.x[i] - x, points.y[i] - y) / (width * width));
    keys[i] = -std::log1p(-random.uniform()) / density;
  }
  return keys;
}

// Outside of all holes the keys are random below 1; inside they rise towards the middle.
std::vector<double> hole_keys(const Points& points, const DiskField& field, RandomStream& random) {
  constexpr std::size_t holes = 4;
  const double radius = std::sqrt(field.size_px[0] * field.size_px[1]) / 12.0;
  const auto places = random_places<holes>(field, random);
  std::vector<double> keys(points.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    double deepest = 0.0;
    for (const auto& [x, y] : places) {
      const double r = std::sqrt(distance2(points.x[i] - x, points.y[i] - y));
      deepest = std::max(deepest, 1.0 - r / radius);
    }
    const double drawn = random.uniform();
    keys[i] = deepest > 0.0 ? 1.0 + deepest : drawn;
  }
  return keys;
}

// Index of the nearest other point at 10x, by a grid of about one point per cell.
class Neighbours {
 public:
  Neighbours(const PointPairs& pairs, const std::array<double, 2>& field_px) : pairs_(pairs) {
    const double count = static_cast<double>(std::max<std::size_t>(1, pairs.size()));
    cell_ = std::max(1e-9, std::sqrt(field_px[0] * field_px[1] / count));
    columns_ =
        std::clamp<std::int64_t>(static_cast<std::int64_t>(field_px[0] / cell_) + 1, 1, 20000);
    rows_ = std::clamp<std::int64_t>(static_cast<std::int64_t>(field_px[1] / cell_) + 1, 1, 20000);
    cells_.resize(static_cast<std::size_t>(columns_ * rows_));
    for (std::size_t i = 0; i < pairs.size(); ++i)
      cells_[static_cast<std::size_t>(row(i) * columns_ + column(i))].push_back(i);
  }
  [[nodiscard]] std::size_t nearest(std::size_t i) const {
    std::size_t best = i;
    double least = std::numeric_limits<double>::infinity();
    for (std::int64_t ring = 0; ring <= std::max(columns_, rows_); ++ring) {
      // Nothing in this ring can be nearer than its inner edge.
      const double edge = static_cast<double>(ring - 1) * cell_;
      if (best != i && edge > 0.0 && edge * edge > least) break;
      for (std::int64_t r = row(i) - ring; r <= row(i) + ring; ++r)
        for (std::int64_t c = column(i) - ring; c <= column(i) + ring; ++c) {
          if (std::max(std::abs(r - row(i)), std::abs(c - column(i))) != ring) continue;
          if (r < 0 || c < 0 || r >= rows_ || c >= columns_) continue;
          for (const std::size_t k : cells_[static_cast<std::size_t>(r * columns_ + c)]) {
            const double d =
                distance2(pairs_.x10[k] - pairs_.x10[i], pairs_.y10[k] - pairs_.y10[i]);
            if (k == i || d >= least) continue;
            least = d;
            best = k;
          }
        }
    }
    return best;
  }

 private:
  [[nodiscard]] std::int64_t column(std::size_t i) const { return place(pairs_.x10[i], columns_); }
  [[nodiscard]] std::int64_t row(std::size_t i) const { return place(pairs_.y10[i], rows_); }
  [[nodiscard]] std::int64_t place(double x, std::int64_t most) const {
    return static_cast<std::int64_t>(std::clamp(x / cell_, 0.0, static_cast<double>(most - 1)));
  }
  const PointPairs& pairs_;
  double cell_ = 1.0;
  std::int64_t columns_ = 1, rows_ = 1;
  std::vector<std::vector<std::size_t>> cells_;
};

// Which of the squares a map through three of n pairs is judged by, from 0: the quantile 0.3 of
// many; of few about the middle, since three of them are nothing.
std::size_t judging_rank(std::size_t n) {
  if (n >= many_pairs) return static_cast<std::size_t>(noise_quantile * static_cast<double>(n - 1));
  return std::min((n + 4) / 2, 5 + n / 5) - 1;
}

// Sigma by the least square of that rank. |r|^2 / (2 sigma^2) is exponential: its q-quantile is
// -log(1 - q). Of few pairs it is that of the n - 3 that the map is not through; for the least of
// so many maps Rousseeuw and Leroy's factor makes up.
double first_sigma(double least, std::size_t n) {
  if (n >= many_pairs) return std::sqrt(least / (-2.0 * std::log1p(-noise_quantile)));
  const double free = static_cast<double>(n - 3);
  const double part = static_cast<double>(judging_rank(n) - 2) / free;
  const double quantile = std::min(part, 1.0 - 0.5 / free);
  return (1.0 + 5.0 / free) * std::sqrt(least / (-2.0 * std::log1p(-quantile)));
}

}  // namespace

DiskField field_of(Layout layout, const DiskField& field) {
  DiskField out = field;
  if (layout != Layout::strip) return out;
  out.size_px[1] =
      std::min(field.size_px[1], std::max(strip_part * field.size_px[1], 4.0 * field.border_px));
  return out;
}

Points scatter(Layout layout, const DiskField& field, std::uint64_t count,
               const std::function<RandomStream(std::uint32_t)>& stream) {
  const DiskField within = field_of(layout, field);
  if (layout == Layout::uniform) return scatter_points(field, count, stream);
  if (layout == Layout::strip) {
    Points points = scatter_points(within, count, stream);
    for (double& y : points.y) y += 0.5 * (field.size_px[1] - within.size_px[1]);
    return points;
  }
  const std::uint64_t wanted = std::max(spare * count, std::min(much_spare * count, few_points));
  const std::uint64_t most = std::max(count, std::min(wanted, largest_count(field)));
  const Points points = scatter_points(field, most, stream);
  RandomStream random = stream(for_shape);
  return smallest(points,
                  layout == Layout::clustered ? clump_keys(points, field, random)
                                              : hole_keys(points, field, random),
                  count);
}

void add_noise(NoiseKind kind, double noise_px, RandomStream random, PointPairs& pairs) {
  if (noise_px == 0.0) return;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    double factor = noise_px;
    if (kind == NoiseKind::student) {
      double chi2 = 0.0;
      for (int k = 0; k < 3; ++k) chi2 += std::pow(random.normal(), 2);
      factor *= 1.0 / std::sqrt(chi2);  // sqrt(3 / chi2), of variance 3
    } else if (kind == NoiseKind::per_nucleus) {
      constexpr double spread = 0.6;
      factor *= std::exp(spread * random.normal() - spread * spread);  // mean square 1
    }
    pairs.x40[i] += factor * random.normal();
    pairs.y40[i] += factor * random.normal();
  }
}

std::vector<std::size_t> misplace(OutlierKind kind, std::size_t count,
                                  const std::array<double, 2>& field_px, const Map& truth,
                                  RandomStream random, PointPairs& pairs) {
  if (count == 0) return {};
  if (kind == OutlierKind::uniform) {
    std::vector<std::size_t> moved = sample_without_replacement(count, pairs.size(), random);
    for (const std::size_t i : moved) {
      const double x = random.uniform(0.0, field_px[0]);
      const double y = random.uniform(0.0, field_px[1]);
      const auto at_40x = apply(truth, x, y);
      pairs.x40[i] = at_40x[0];
      pairs.y40[i] = at_40x[1];
    }
    return moved;
  }
  if (kind == OutlierKind::swapped) {
    const PointPairs right = pairs;
    const Neighbours neighbours(right, field_px);
    std::vector<std::size_t> moved = sample_without_replacement(count, pairs.size(), random);
    for (const std::size_t i : moved) {
      const std::size_t other = neighbours.nearest(i);
      pairs.x40[i] = right.x40[other];
      pairs.y40[i] = right.y40[other];
    }
    return moved;
  }
  const std::size_t middle = random.below(pairs.size());
  std::vector<std::size_t> order(pairs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto away = [&](std::size_t i) {
    return distance2(pairs.x10[i] - pairs.x10[middle], pairs.y10[i] - pairs.y10[middle]);
  };
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return away(a) != away(b) ? away(a) < away(b) : a < b;
  });
  const double angle = random.uniform(-std::numbers::pi, std::numbers::pi);
  const double length = random.uniform(0.02, 0.1) * std::sqrt(field_px[0] * field_px[1]);
  const double x = pairs.x10[middle], y = pairs.y10[middle];
  const auto from = apply(truth, x, y);
  const auto to = apply(truth, x + length * std::cos(angle), y + length * std::sin(angle));
  order.resize(count);
  for (const std::size_t i : order) {
    pairs.x40[i] += to[0] - from[0];
    pairs.y40[i] += to[1] - from[1];
  }
  return order;
}

double noise_of_pairs(const PairsView& pairs, std::uint64_t seed) {
  constexpr std::size_t max_pairs = 1000, samples = 300;
  if (pairs.size < 4) return 0.0;
  RandomStream random(seed, 0, 0, Purpose::resampling, 2);
  PointPairs some;
  for (std::size_t k = 0; k < std::min(max_pairs, pairs.size); ++k) {
    const std::size_t i = pairs.size <= max_pairs ? k : random.below(pairs.size);
    some.add(pairs, i);
  }
  std::vector<double> squares(some.size());
  const auto squares_at = [&](const AffineMap& m) {
    for (std::size_t i = 0; i < some.size(); ++i) {
      const Point p = apply(m, {some.x10[i], some.y10[i]});
      squares[i] = distance2(p[0] - some.x40[i], p[1] - some.y40[i]);
    }
  };
  const auto of_rank = [](std::vector<double>& values, std::size_t rank) {
    const auto nth = values.begin() + static_cast<std::ptrdiff_t>(rank);
    std::nth_element(values.begin(), nth, values.end());
    return *nth;
  };
  const std::size_t rank = judging_rank(some.size());
  std::optional<AffineMap> best;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t sample = 0; sample < samples; ++sample) {
    PointPairs three;
    for (int k = 0; k < 3; ++k) {
      const std::size_t i = random.below(some.size());
      three.add(some, i);
    }
    const auto map = weighted_closed_form(unweighted_pass(three), Model::affine, 1.0);
    if (!map) continue;
    squares_at(*map);
    const double value = of_rank(squares, rank);
    if (!(value < least)) continue;
    least = value;
    best = map;
  }
  if (!best || !(least > 0.0)) return 0.0;
  double sigma = first_sigma(least, some.size());
  for (int round = 0; round < 3; ++round) {
    const WeightRule within{.weighting = Weighting::tls, .scale = 3.0 * sigma, .mu = 1e9};
    const auto map = weighted_closed_form(weighted_pass(some, *best, within), Model::affine, 1.0);
    if (map) best = map;
    squares_at(*best);
    std::vector<double> near;
    for (const double s : squares)
      if (s <= 9.0 * sigma * sigma) near.push_back(s);
    // Six parameters were fitted to twice as many numbers as there are pairs.
    const double n = 2.0 * static_cast<double>(near.size());
    if (some.size() < many_pairs) {
      if (near.size() <= rank) break;
      sigma = std::sqrt(std::accumulate(near.begin(), near.end(), 0.0) / (n - 6.0));
      continue;
    }
    if (near.size() < 4) break;
    const double free = n > 12.0 ? n / (n - 6.0) : 2.0;
    sigma = std::sqrt(of_rank(near, (near.size() - 1) / 2) / (2.0 * std::numbers::ln2) * free);
  }
  return sigma;
}

}  // namespace nucreg
