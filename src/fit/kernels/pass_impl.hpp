// The passes over the points, compiled once per instruction set (NUCREG_ISA names the function that
// returns the table). No header of the standard library is used here: an inline function compiled
// with wider instructions could be the copy that the linker keeps for everybody.
#include "table.hpp"

namespace nucreg::kernels {
namespace {

using Vec = double __attribute__((vector_size(64)));
using Int = long long __attribute__((vector_size(64)));

enum : int { squared, huber, cauchy, tukey };

Vec load(const double* from) {
  Vec v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}

Vec broadcast(double value) {
  return Vec{} + value;
}

Vec root(Vec v) {
  for (std::size_t i = 0; i < lanes; ++i) v[i] = __builtin_sqrt(v[i]);
  return v;
}

// log of finite values >= 1 to within one unit in the last place. Reduction and polynomial after
// fdlibm's e_log.c (Sun Microsystems, 1993).
Vec log_at_least_one(Vec v) {
  const Int bits = reinterpret_cast<Int>(v);
  const Int shifted = bits - 0x3fe6a09e667f3bcdLL;  // of sqrt(1/2): mantissas in sqrt(1/2)..sqrt(2)
  const Int exponent = shifted >> 52;
  const Vec mantissa = reinterpret_cast<Vec>(bits - (exponent << 52));
  Vec k{};
  for (std::size_t i = 0; i < lanes; ++i) k[i] = static_cast<double>(exponent[i]);
  const Vec f = mantissa - 1.0;
  const Vec s = f / (2.0 + f);
  const Vec z = s * s;
  const Vec w = z * z;
  const Vec even = w * (3.999999999940941908e-01 +
                        w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
  const Vec odd = z * (6.666666666666735130e-01 +
                       w * (2.857142874366239149e-01 +
                            w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
  const Vec half = 0.5 * f * f;
  return k * 6.93147180369123816490e-01 -
         ((half - (s * (half + even + odd) + k * 1.90821492927058770002e-10)) - f);
}

// rho is summed by the loss itself, since cauchy shares one logarithm among the points of a
// chunk.
template <int loss>
struct Loss {
  double d, d2, inverse_d2;
  Vec sum{};
  // Of cauchy, whose sum of logarithms is that of product * mantissa * 2^exponent.
  Vec product = broadcast(1.0), mantissa = broadcast(1.0);
  Int exponent{};
  int factors = 0;  // in the product

  explicit Loss(double scale) : d(scale), d2(scale * scale), inverse_d2(1.0 / (scale * scale)) {}

  // The weight rho' of a point; adds its rho. `valid` is 1 or, past the end, 0; then so is the
  // weight.
  Vec add(Vec s, Vec valid) {
    if constexpr (loss == squared) {
      sum += s * valid;
      return valid;
    } else if constexpr (loss == huber) {
      const Vec length = root(s);
      const auto inside = s <= d2;
      sum += (inside ? s : 2.0 * d * length - d2) * valid;
      return inside ? valid : d / length * valid;
    } else if constexpr (loss == cauchy) {
      const Vec factor = 1.0 + s * valid * inverse_d2;
      product *= factor;
      if (++factors == 8) fold();
      return valid / factor;
    } else {
      const Vec t = 1.0 - s * inverse_d2;
      const Vec inside = (s <= d2 ? broadcast(1.0) : Vec{}) * valid;
      // NaN must not pass for far away.
      sum += (s > d2 ? broadcast(d2 / 3.0) : d2 / 3.0 * (1.0 - t * t * t)) * valid;
      return t * t * inside;
    }
  }

  // Takes the product apart before it can overflow; what has overflowed, or is NaN, is the sum.
  void fold() {
    const Int bits = reinterpret_cast<Int>(product);
    sum += product < 1e300 ? Vec{} : product;
    exponent += (bits >> 52) - 1023;
    mantissa *= reinterpret_cast<Vec>((bits & 0x000fffffffffffffLL) | 0x3ff0000000000000LL);
    product = broadcast(1.0);
    factors = 0;
  }

  // Ends a chunk, the mantissas of whose products, each below two, cannot overflow either.
  void close() {
    if constexpr (loss == cauchy) {
      fold();
      Vec twos{};
      for (std::size_t i = 0; i < lanes; ++i) twos[i] = static_cast<double>(exponent[i]);
      sum += d2 * (log_at_least_one(mantissa) + twos * 6.93147180559945309417e-01);
      mantissa = broadcast(1.0);
      exponent = Int{};
    }
  }
};

template <std::size_t count>
struct Accumulators {
  Vec sum[count]{};
  void add(const Accumulators& other) {
    for (std::size_t i = 0; i < count; ++i) sum[i] += other.sum[i];
  }
};

// Adds the products of two vectors of three, lower triangle: xx xy x yy y 1.
void add_moments(Vec* sum, Vec weight, const Vec (&q)[3]) {
  const Vec wx = weight * q[0];
  const Vec wy = weight * q[1];
  const Vec w1 = weight * q[2];
  sum[0] += wx * q[0];
  sum[1] += wx * q[1];
  sum[2] += wx * q[2];
  sum[3] += wy * q[1];
  sum[4] += wy * q[2];
  sum[5] += w1 * q[2];
}

template <int loss, int level>
[[gnu::always_inline]] inline void affine_point(Vec x, Vec y, Vec x40, Vec y40, Vec valid,
                                                const Vec (&m)[8], Loss<loss>& losses, Vec* sums) {
  const Vec rx = m[0] * x + m[1] * y + (m[2] - x40);
  const Vec ry = m[3] * x + m[4] * y + (m[5] - y40);
  const Vec w = losses.add(rx * rx + ry * ry, valid);
  if constexpr (level >= 1) {
    const Vec wrx = w * rx;
    const Vec wry = w * ry;
    sums[0] += wrx * x;
    sums[1] += wrx * y;
    sums[2] += wrx;
    sums[3] += wry * x;
    sums[4] += wry * y;
    sums[5] += wry;
    if constexpr (level == 2) add_moments(sums + 6, w, {x, y, broadcast(1.0)});
  }
}

template <int loss, int level>
[[gnu::always_inline]] inline void projective_point(Vec x, Vec y, Vec x40, Vec y40, Vec valid,
                                                    const Vec (&m)[8], Loss<loss>& losses,
                                                    Vec* sums) {
  const Vec inverse = 1.0 / (m[6] * x + m[7] * y + 1.0);
  const Vec q[3] = {x * inverse, y * inverse, inverse};
  const Vec mapped_x = (m[0] * x + m[1] * y + m[2]) * inverse;
  const Vec mapped_y = (m[3] * x + m[4] * y + m[5]) * inverse;
  const Vec rx = mapped_x - x40;
  const Vec ry = mapped_y - y40;
  const Vec w = losses.add(rx * rx + ry * ry, valid);
  if constexpr (level >= 1) {
    const Vec wrx = w * rx;
    const Vec wry = w * ry;
    const Vec wrm = wrx * mapped_x + wry * mapped_y;
    for (int i = 0; i < 3; ++i) {
      sums[i] += wrx * q[i];
      sums[3 + i] += wry * q[i];
    }
    sums[6] -= wrm * q[0];
    sums[7] -= wrm * q[1];
    if constexpr (level == 2) {
      add_moments(sums + 8, w, q);
      const Vec cx = -w * mapped_x;
      const Vec cy = -w * mapped_y;
      for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 2; ++j) {
          sums[14 + 2 * i + j] += cx * q[i] * q[j];
          sums[20 + 2 * i + j] += cy * q[i] * q[j];
        }
      const Vec e = -(cx * mapped_x + cy * mapped_y);
      sums[26] += e * q[0] * q[0];
      sums[27] += e * q[0] * q[1];
      sums[28] += e * q[1] * q[1];
    }
  }
}

[[gnu::always_inline]] inline void centred_point(Vec x, Vec y, Vec x40, Vec y40, Vec valid,
                                                 const Vec (&m)[8], const Input& in,
                                                 Loss<squared>& losses, Vec* sums) {
  const Vec u = x - in.centre[0];
  const Vec v = y - in.centre[1];
  const Vec rx = (m[0] * u + m[1] * v + (m[2] - x40)) * valid;
  const Vec ry = (m[3] * u + m[4] * v + (m[5] - y40)) * valid;
  const Vec q[3] = {in.turn[0] * u + in.turn[1] * v, in.turn[0] * v - in.turn[1] * u, valid};
  const Vec w = losses.add(rx * rx + ry * ry, valid);
  for (int i = 0; i < 3; ++i) {
    sums[i] += rx * q[i];
    sums[3 + i] += ry * q[i];
  }
  add_moments(sums + 6, w, q);
}

template <bool projective, int loss, int level, bool centred = false>
void pass(const Input& in, const double* map, double* result) {
  constexpr std::size_t count = sum_count(projective, level) - 1;
  Vec m[8]{};
  for (int i = 0; i < (projective ? 8 : 6); ++i) m[i] = broadcast(map[i]);
  Accumulators<count + 1> total;
  Loss<loss> losses(in.loss_scale);
  const auto point = [&](Vec x, Vec y, Vec x40, Vec y40, Vec valid, Vec * sums)
      __attribute__((always_inline)) {
    if constexpr (centred)
      centred_point(x, y, x40, y40, valid, m, in, losses, sums);
    else if constexpr (projective)
      projective_point<loss, level>(x, y, x40, y40, valid, m, losses, sums);
    else
      affine_point<loss, level>(x, y, x40, y40, valid, m, losses, sums);
  };
  const std::size_t whole = in.size / lanes * lanes;
  for (std::size_t begin = 0; begin < in.size; begin += chunk) {
    Accumulators<count + 1> part;
    const std::size_t end = begin + chunk < whole ? begin + chunk : whole;
    for (std::size_t i = begin; i < end; i += lanes)
      point(load(in.x10 + i), load(in.y10 + i), load(in.x40 + i), load(in.y40 + i), broadcast(1.0),
            part.sum);
    if (begin + chunk >= in.size && whole < in.size) {
      Vec x{}, y{}, x40{}, y40{}, valid{};
      for (std::size_t i = whole; i < in.size; ++i) {
        x[i - whole] = in.x10[i];
        y[i - whole] = in.y10[i];
        x40[i - whole] = in.x40[i];
        y40[i - whole] = in.y40[i];
        valid[i - whole] = 1.0;
      }
      point(x, y, x40, y40, valid, part.sum);
    }
    losses.close();
    part.sum[count] = losses.sum;
    losses.sum = Vec{};
    total.add(part);
  }
  __builtin_memcpy(result, &total.sum[count], sizeof(Vec));
  __builtin_memcpy(result + lanes, total.sum, count * sizeof(Vec));
}

template <bool projective, int loss>
constexpr void fill(Pass (&row)[3]) {
  row[0] = pass<projective, loss, 0>;
  row[1] = pass<projective, loss, 1>;
  row[2] = pass<projective, loss, 2>;
}

constexpr Table make_table() {
  Table table{};
  fill<false, squared>(table.pass[0][squared]);
  fill<false, huber>(table.pass[0][huber]);
  fill<false, cauchy>(table.pass[0][cauchy]);
  fill<false, tukey>(table.pass[0][tukey]);
  fill<true, squared>(table.pass[1][squared]);
  fill<true, huber>(table.pass[1][huber]);
  fill<true, cauchy>(table.pass[1][cauchy]);
  fill<true, tukey>(table.pass[1][tukey]);
  table.centred = pass<false, squared, 2, true>;
  return table;
}

constexpr Table table = make_table();

}  // namespace

const Table& NUCREG_ISA() {
  return table;
}

}  // namespace nucreg::kernels
