#include "cloud.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nanoflann.hpp>
#include <numbers>
#include <numeric>

#include "nucreg/core/error.hpp"

namespace nucreg::matching {
namespace {

constexpr std::size_t max_points = std::size_t{1} << 28;
constexpr double largest_px = 1e9;  // squares of it, and of their sums, are exact enough
constexpr std::size_t density_neighbours = 6;

void check(const Points& points, const char* side) {
  const auto fail = [&](const std::string& problem, const std::string& allowed) {
    throw InputError(problem, {.key = side, .allowed = allowed});
  };
  if (points.x.size() != points.y.size())
    fail(fmt::format("{} x and {} y", points.x.size(), points.y.size()), "as many x as y");
  if (points.size() > max_points)
    fail(fmt::format("{} points", points.size()), fmt::format("at most {}", max_points));
  for (std::size_t i = 0; i < points.size(); ++i)
    for (const double value : {points.x[i], points.y[i]})
      if (!(std::abs(value) <= largest_px))
        fail(fmt::format("coordinate {} of point {} (counted from 0)", value, i),
             fmt::format("finite numbers of at most {:g} px", largest_px));
}

double cross(Complex a, Complex b) {
  return a.real() * b.imag() - a.imag() * b.real();
}

// Andrew's monotone chain, of points from left to right. `side` 1: the lower chain.
std::vector<Complex> chain(const std::vector<Complex>& sorted, double side) {
  std::vector<Complex> out;
  for (const Complex p : sorted) {
    while (out.size() >= 2 && side * cross(out.back() - out[out.size() - 2], p - out.back()) <= 0.0)
      out.pop_back();
    out.push_back(p);
  }
  return out;
}

// Signed area by which p is on the left of the edge of the chain above or below it.
double left_of(const std::vector<Complex>& chain, Complex p) {
  auto right = std::upper_bound(chain.begin(), chain.end(), p.real(),
                                [](double x, Complex corner) { return x < corner.real(); });
  if (right == chain.end()) --right;
  if (right == chain.begin()) ++right;
  return cross(*right - *(right - 1), p - *(right - 1));
}

// Interleaved bits of both coordinates: near in this order is mostly near in the plane.
std::uint64_t interleaved(std::uint64_t x, std::uint64_t y) {
  const auto spread = [](std::uint64_t v) {
    v = (v | v << 16) & 0x0000ffff0000ffff;
    v = (v | v << 8) & 0x00ff00ff00ff00ff;
    v = (v | v << 4) & 0x0f0f0f0f0f0f0f0f;
    v = (v | v << 2) & 0x3333333333333333;
    return (v | v << 1) & 0x5555555555555555;
  };
  return spread(x) | spread(y) << 1;
}

}  // namespace

struct Cloud::Tree {
  struct Adaptor {
    const std::vector<Complex>& at;
    [[nodiscard]] std::size_t kdtree_get_point_count() const { return at.size(); }
    [[nodiscard]] double kdtree_get_pt(std::uint32_t i, std::size_t axis) const {
      return axis == 0 ? at[i].real() : at[i].imag();
    }
    template <class Box>
    bool kdtree_get_bbox(Box&) const {
      return false;
    }
  };
  using Index =
      nanoflann::KDTreeSingleIndexAdaptor<nanoflann::L2_Simple_Adaptor<double, Adaptor, double>,
                                          Adaptor, 2, std::uint32_t>;
  explicit Tree(const std::vector<Complex>& at) : adaptor{at}, index(2, adaptor) {}
  Adaptor adaptor;
  Index index;
};

Cloud::Cloud(const Points& points, const char* side) {
  check(points, side);
  std::vector<std::uint32_t> order(points.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t i, std::uint32_t j) {
    if (points.x[i] != points.x[j]) return points.x[i] < points.x[j];
    if (points.y[i] != points.y[j]) return points.y[i] < points.y[j];
    return i < j;
  });
  order.erase(std::unique(order.begin(), order.end(),
                          [&](std::uint32_t i, std::uint32_t j) {
                            return points.x[i] == points.x[j] && points.y[i] == points.y[j];
                          }),
              order.end());
  const auto point = [&](std::uint32_t i) { return Complex(points.x[i], points.y[i]); };
  std::vector<Complex> sorted(order.size());
  std::transform(order.begin(), order.end(), sorted.begin(), point);
  lower_ = chain(sorted, 1.0);
  upper_ = chain(sorted, -1.0);

  if (!order.empty()) {
    const auto [low, high] = std::minmax_element(points.y.begin(), points.y.end());
    const double left = sorted.front().real(), top = *low;
    const double extent = std::max({sorted.back().real() - left, *high - top, 1e-300});
    std::vector<std::uint64_t> code(points.size());
    const auto cell = [&](double v) { return static_cast<std::uint64_t>(v / extent * 1048575.0); };
    for (const std::uint32_t i : order)
      code[i] = interleaved(cell(points.x[i] - left), cell(points.y[i] - top));
    std::stable_sort(order.begin(), order.end(),
                     [&](std::uint32_t i, std::uint32_t j) { return code[i] < code[j]; });
  }
  at_.resize(order.size());
  std::transform(order.begin(), order.end(), at_.begin(), point);
  original_ = std::move(order);
  tree_ = std::make_unique<Tree>(at_);
}

Cloud::~Cloud() = default;

Neighbour Cloud::nearest(Complex p) const {
  Neighbour found;
  const std::array<double, 2> query{p.real(), p.imag()};
  tree_->index.knnSearch(query.data(), 1, &found.index, &found.square);
  return found;
}

void Cloud::nearest(Complex p, std::size_t count, std::vector<Neighbour>& out) const {
  count = std::min(count, size());
  std::vector<std::uint32_t> indices(count);
  std::vector<double> squares(count);
  const std::array<double, 2> query{p.real(), p.imag()};
  tree_->index.knnSearch(query.data(), count, indices.data(), squares.data());
  out.resize(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = {indices[i], squares[i]};
}

bool Cloud::covers(Complex p) const {
  if (lower_.size() < 2 || upper_.size() < 2) return false;
  if (p.real() < lower_.front().real() || p.real() > lower_.back().real()) return false;
  return left_of(lower_, p) >= 0.0 && left_of(upper_, p) <= 0.0;
}

double Cloud::thickness() const {
  Complex mean = 0.0;
  for (const Complex p : at_) mean += p;
  mean /= static_cast<double>(std::max<std::size_t>(1, size()));
  // The second moments: trace, and the complex number whose length is the difference of both
  // principal ones.
  double sum = 0.0;
  Complex difference = 0.0;
  for (const Complex p : at_) {
    sum += std::norm(p - mean);
    difference += (p - mean) * (p - mean);
  }
  const double across = std::max(0.0, sum - std::abs(difference));
  return sum > 0.0 ? std::sqrt(across / (sum + std::abs(difference))) : 0.0;
}

std::vector<float> local_density(const Cloud& cloud) {
  std::vector<float> density(cloud.size());
  std::vector<Neighbour> near;
  for (std::uint32_t i = 0; i < cloud.size(); ++i) {
    cloud.nearest(cloud.at(i), density_neighbours + 1, near);  // and itself
    const double area = std::numbers::pi * near.back().square;
    density[i] = static_cast<float>(static_cast<double>(near.size() - 1) / area);
  }
  return density;
}

}  // namespace nucreg::matching
