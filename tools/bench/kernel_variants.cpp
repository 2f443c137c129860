#include "kernel_variants.hpp"

#define HWY_COMPILE_ONLY_STATIC
#include <hwy/highway.h>

#include <Eigen/Core>
#include <algorithm>
#include <xsimd/xsimd.hpp>

namespace nucreg::bench {
namespace {

constexpr std::size_t chunk = 4096;

// One chunk in vectors V of `width`, eight lanes of it at a time; n is a multiple of 8.
template <class V, std::size_t width, class Load>
void add_chunk(const PairsView& p, std::size_t begin, std::size_t end, V (&total)[13][8 / width],
               V zero, V one, const V (&map)[6], const Load& load) {
  V part[13][8 / width];
  for (auto& row : part)
    for (auto& v : row) v = zero;
  for (std::size_t i = begin; i < end; i += 8)
    for (std::size_t h = 0; h < 8 / width; ++h) {
      const std::size_t at = i + h * width;
      const V x = load(p.x10 + at), y = load(p.y10 + at);
      const V rx = map[0] * x + map[1] * y + (map[2] - load(p.x40 + at));
      const V ry = map[3] * x + map[4] * y + (map[5] - load(p.y40 + at));
      const V terms[13] = {rx * rx + ry * ry,
                           rx * x,
                           rx * y,
                           rx,
                           ry * x,
                           ry * y,
                           ry,
                           x * x,
                           x * y,
                           x,
                           y * y,
                           y,
                           one};
      for (std::size_t k = 0; k < 13; ++k) part[k][h] = part[k][h] + terms[k];
    }
  for (std::size_t k = 0; k < 13; ++k)
    for (std::size_t h = 0; h < 8 / width; ++h) total[k][h] = total[k][h] + part[k][h];
}

double tree(const double* v) {
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

template <class V, std::size_t width, class Load, class Store>
AffineSums pass(const PairsView& p, V zero, V one, const V (&map)[6], const Load& load,
                const Store& store) {
  V total[13][8 / width];
  for (auto& row : total)
    for (auto& v : row) v = zero;
  const std::size_t whole = p.size / 8 * 8;
  for (std::size_t begin = 0; begin < whole; begin += chunk)
    add_chunk<V, width>(p, begin, std::min(begin + chunk, whole), total, zero, one, map, load);
  AffineSums sums{};
  for (std::size_t k = 0; k < 13; ++k) {
    alignas(64) double lanes[8];
    for (std::size_t h = 0; h < 8 / width; ++h) store(total[k][h], lanes + h * width);
    sums[k] = tree(lanes);
  }
  return sums;
}

}  // namespace

AffineSums highway_pass(const PairsView& p, const double* m) {
  namespace hn = hwy::HWY_NAMESPACE;
  constexpr hn::CappedTag<double, 8> tag;
  constexpr std::size_t width = hn::MaxLanes(tag);
  using V = hn::Vec<decltype(tag)>;
  const V map[6] = {hn::Set(tag, m[0]), hn::Set(tag, m[1]), hn::Set(tag, m[2]),
                    hn::Set(tag, m[3]), hn::Set(tag, m[4]), hn::Set(tag, m[5])};
  return pass<V, width>(
      p, hn::Zero(tag), hn::Set(tag, 1.0), map,
      [&](const double* from) { return hn::LoadU(tag, from); },
      [&](V v, double* to) { hn::StoreU(v, tag, to); });
}

AffineSums xsimd_pass(const PairsView& p, const double* m) {
  using V = xsimd::batch<double>;
  const V map[6] = {V(m[0]), V(m[1]), V(m[2]), V(m[3]), V(m[4]), V(m[5])};
  return pass<V, V::size>(
      p, V(0.0), V(1.0), map, [](const double* from) { return V::load_unaligned(from); },
      [](V v, double* to) { v.store_unaligned(to); });
}

// Whole arrays of a chunk at a time, as Eigen means them to be used; one loop per sum.
AffineSums eigen_pass(const PairsView& p, const double* m) {
  using Column = Eigen::Map<const Eigen::ArrayXd>;
  using Buffer = Eigen::Array<double, Eigen::Dynamic, 1, Eigen::ColMajor, chunk, 1>;
  Buffer rx, ry;
  AffineSums sums{};
  for (std::size_t begin = 0; begin < p.size; begin += chunk) {
    const auto n = static_cast<Eigen::Index>(std::min(chunk, p.size - begin));
    const Column x(p.x10 + begin, n), y(p.y10 + begin, n);
    rx = m[0] * x + m[1] * y + (m[2] - Column(p.x40 + begin, n));
    ry = m[3] * x + m[4] * y + (m[5] - Column(p.y40 + begin, n));
    const AffineSums part{(rx * rx + ry * ry).sum(),
                          (rx * x).sum(),
                          (rx * y).sum(),
                          rx.sum(),
                          (ry * x).sum(),
                          (ry * y).sum(),
                          ry.sum(),
                          (x * x).sum(),
                          (x * y).sum(),
                          x.sum(),
                          (y * y).sum(),
                          y.sum(),
                          static_cast<double>(n)};
    for (std::size_t k = 0; k < 13; ++k) sums[k] += part[k];
  }
  return sums;
}

double plain_sum(const PairsView& p) {
  using V = xsimd::batch<double>;
  V sum[8];
  for (V& v : sum) v = V(0.0);
  const std::size_t step = 2 * V::size;
  for (std::size_t i = 0; i + step <= p.size; i += step) {
    const double* const columns[4] = {p.x10 + i, p.y10 + i, p.x40 + i, p.y40 + i};
    for (std::size_t c = 0; c < 4; ++c) {
      sum[2 * c] += V::load_unaligned(columns[c]);
      sum[2 * c + 1] += V::load_unaligned(columns[c] + V::size);
    }
  }
  V all(0.0);
  for (const V& v : sum) all += v;
  return xsimd::hadd(all);
}

double arithmetic(long rounds, double* sink) {
  using V = xsimd::batch<double>;
  constexpr std::size_t chains = 10;
  V product[chains], total[chains];
  for (std::size_t i = 0; i < chains; ++i) product[i] = total[i] = V(1.0 + *sink);
  const V factor(1.0 - 1e-16 * *sink), term(1e-3);
  for (long round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < chains; ++i) {
      product[i] *= factor;
      total[i] += term;
    }
  V all(0.0);
  for (std::size_t i = 0; i < chains; ++i) all += product[i] + total[i];
  *sink += 1e-300 * xsimd::hadd(all);
  return 2.0 * static_cast<double>(rounds) * static_cast<double>(chains * V::size);
}

}  // namespace nucreg::bench
