// The passes over the points. Highway includes this file once per instruction set, so it has no
// include guard, and no function of the standard library: a copy of it that was compiled with wider
// instructions could be the one that the linker keeps for everybody.
//
// The eight lanes of a sum are as many registers as an instruction set needs for them. Each group
// of lanes passes over a block of points by itself: the block stays in the first cache, the group's
// sums stay in registers, and every lane sees the same operations in the same order, however wide
// the registers are.
#include <hwy/highway.h>

#include "passes.hpp"

HWY_BEFORE_NAMESPACE();
namespace nucreg::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Tag = hn::CappedTag<double, lanes>;
using BitsTag = hn::RebindToUnsigned<Tag>;
using Vec = hn::Vec<Tag>;
using Bits = hn::Vec<BitsTag>;

constexpr std::size_t width = hn::MaxLanes(Tag());
constexpr std::size_t groups = lanes / width;
constexpr std::size_t block_steps = 64;  // of eight points: 16 KiB

enum : int { squared, huber, cauchy, tukey };

HWY_INLINE Vec load(const double* from) {
  return hn::LoadU(Tag(), from);
}
HWY_INLINE void store(Vec v, double* to) {
  hn::StoreU(v, Tag(), to);
}
HWY_INLINE Vec all(double value) {
  return hn::Set(Tag(), value);
}
HWY_INLINE Bits bits_of(Vec v) {
  return hn::BitCast(BitsTag(), v);
}
HWY_INLINE Vec from_bits(Bits v) {
  return hn::BitCast(Tag(), v);
}
HWY_INLINE Bits all_bits(unsigned long long value) {
  return hn::Set(BitsTag(), value);
}
// For small whole numbers, in two's complement.
HWY_INLINE Vec to_double(Bits v) {
  unsigned long long whole[width];
  double real[width];
  hn::StoreU(v, BitsTag(), reinterpret_cast<hn::TFromD<BitsTag>*>(whole));
  for (std::size_t i = 0; i < width; ++i)
    real[i] = static_cast<double>(static_cast<long long>(whole[i]));
  return load(real);
}

// log of finite values >= 1 to within one unit in the last place. Reduction and polynomial after
// fdlibm's e_log.c (Sun Microsystems, 1993).
HWY_INLINE Vec log_at_least_one(Vec v) {
  // From sqrt(1/2): mantissas in sqrt(1/2) to sqrt(2).
  const Bits shifted = bits_of(v) - all_bits(0x3fe6a09e667f3bcdULL);
  const Bits exponent = hn::ShiftRight<52>(shifted);
  const Vec mantissa = from_bits(bits_of(v) - hn::ShiftLeft<52>(exponent));
  const Vec k = to_double(exponent);
  const Vec f = mantissa - all(1.0);
  const Vec s = f / (all(2.0) + f);
  const Vec z = s * s;
  const Vec w = z * z;
  const Vec even = w * (all(3.999999999940941908e-01) +
                        w * (all(2.222219843214978396e-01) + w * all(1.531383769920937332e-01)));
  const Vec odd =
      z * (all(6.666666666666735130e-01) +
           w * (all(2.857142874366239149e-01) +
                w * (all(1.818357216161805012e-01) + w * all(1.479819860511658591e-01))));
  const Vec half = all(0.5) * f * f;
  return k * all(6.93147180369123816490e-01) -
         ((half - (s * (half + even + odd) + k * all(1.90821492927058770002e-10))) - f);
}

// rho is summed by the loss itself, since cauchy shares one logarithm among the points of a chunk.
template <int loss>
struct Loss {
  double d, d2, inverse_d2;
  Vec sum;
  // For cauchy, whose sum of logarithms is that of product * mantissa * 2^exponent.
  Vec product, mantissa;
  Bits exponent;
  int factors;  // in the product

  // Not a constructor: GCC compiles initialisers of members for the lowest instruction set.
  HWY_INLINE void begin(double scale) {
    d = scale;
    d2 = scale * scale;
    inverse_d2 = 1.0 / (scale * scale);
    sum = hn::Zero(Tag());
    product = mantissa = all(1.0);
    exponent = all_bits(0);
    factors = 0;
  }

  // The weight rho' of a point; adds its rho. `valid` is 1 or, past the end, 0: so is the weight.
  HWY_INLINE Vec add(Vec s, Vec valid) {
    if constexpr (loss == squared) {
      sum = sum + s * valid;
      return valid;
    } else if constexpr (loss == huber) {
      const Vec length = hn::Sqrt(s);
      const auto inside = hn::Le(s, all(d2));
      sum = sum + hn::IfThenElse(inside, s, all(2.0 * d) * length - all(d2)) * valid;
      return hn::IfThenElse(inside, valid, all(d) / length * valid);
    } else if constexpr (loss == cauchy) {
      const Vec factor = all(1.0) + s * valid * all(inverse_d2);
      product = product * factor;
      if (++factors == 8) fold();
      return valid / factor;
    } else {
      const Vec t = all(1.0) - s * all(inverse_d2);
      // NaN must not pass for far away.
      sum = sum + hn::IfThenElse(hn::Gt(s, all(d2)), all(d2 / 3.0),
                                 all(d2 / 3.0) * (all(1.0) - t * t * t)) *
                      valid;
      // Not t * t times the weight 0: far away t * t overflows.
      return hn::IfThenElseZero(hn::Le(s, all(d2)), t * t * valid);
    }
  }

  // Takes the product apart before it can overflow; what has overflowed, or is NaN, is the sum.
  HWY_INLINE void fold() {
    const Bits bits = bits_of(product);
    sum = sum + hn::IfThenZeroElse(hn::Lt(product, all(1e300)), product);
    exponent = exponent + (hn::ShiftRight<52>(bits) - all_bits(1023));
    mantissa = mantissa * from_bits(hn::Or(hn::And(bits, all_bits(0x000fffffffffffffULL)),
                                           all_bits(0x3ff0000000000000ULL)));
    product = all(1.0);
    factors = 0;
  }

  // Ends a chunk, the mantissas of whose products, each below two, cannot overflow either.
  HWY_INLINE void close() {
    if constexpr (loss == cauchy) {
      fold();
      sum = sum + all(d2) * (log_at_least_one(mantissa) +
                             to_double(exponent) * all(6.93147180559945309417e-01));
      mantissa = all(1.0);
      exponent = all_bits(0);
    }
  }
};

// Sums of one group of lanes, in registers while a block is passed.
template <std::size_t count>
struct Rows {
  Vec sum[count];
  HWY_INLINE explicit Rows(const double* at) {
    for (std::size_t i = 0; i < count; ++i) sum[i] = load(at + i * lanes);
  }
  HWY_INLINE void add(std::size_t row, Vec term) { sum[row] = sum[row] + term; }
  HWY_INLINE void save(double* at) const {
    for (std::size_t i = 0; i < count; ++i) store(sum[i], at + i * lanes);
  }
};

// Points of a block as one group of lanes sees them; `valid` is read at the ragged end only.
struct Points {
  const double *x10, *y10, *x40, *y40, *valid;
  std::size_t steps;
};

template <bool ragged>
HWY_INLINE Vec valid_at(const Points& p, std::size_t i) {
  if constexpr (ragged) return load(p.valid + i);
  return all(1.0);
}

// What a loop over a block leaves for the next one.
struct Buffer {
  double value[block_steps][width];
  HWY_INLINE void put(std::size_t step, Vec v) { store(v, value[step]); }
  [[nodiscard]] HWY_INLINE Vec get(std::size_t step) const { return load(value[step]); }
};

// Adds the products of (x, y), lower triangle: xx xy x yy y. How often is added at once: exact.
template <std::size_t count>
HWY_INLINE void add_products(Rows<count>& rows, std::size_t first, Vec x, Vec y) {
  rows.add(first, x * x);
  rows.add(first + 1, x * y);
  rows.add(first + 2, x);
  rows.add(first + 3, y * y);
  rows.add(first + 4, y);
}

// Adds w times the products of (x, y, 1), lower triangle: xx xy x yy y 1.
template <std::size_t count>
HWY_INLINE void add_moments(Rows<count>& rows, std::size_t first, Vec w, Vec x, Vec y) {
  const Vec wx = w * x;
  const Vec wy = w * y;
  rows.add(first, wx * x);
  rows.add(first + 1, wx * y);
  rows.add(first + 2, wx);
  rows.add(first + 3, wy * y);
  rows.add(first + 4, wy);
  rows.add(first + 5, w);
}

template <std::size_t count>
HWY_INLINE void add_gradient(Rows<count>& rows, Vec rx, Vec ry, Vec x, Vec y) {
  rows.add(0, rx * x);
  rows.add(1, rx * y);
  rows.add(2, rx);
  rows.add(3, ry * x);
  rows.add(4, ry * y);
  rows.add(5, ry);
}

HWY_INLINE void add_count(const Points& p, double* at) {
  store(load(at) + all(static_cast<double>(p.steps)), at);
}

template <int loss, int level, bool ragged>
HWY_INLINE void affine_block(const Points& p, const double* m, Loss<loss>& losses, double* sums) {
  const Vec a = all(m[0]), b = all(m[1]), tx = all(m[2]);
  const Vec c = all(m[3]), d = all(m[4]), ty = all(m[5]);
  Loss<loss> here = losses;
  const auto residuals = [&](std::size_t i, Vec x, Vec y, Vec& rx, Vec& ry) HWY_ATTR {
    rx = a * x + b * y + (tx - load(p.x40 + i));
    ry = c * x + d * y + (ty - load(p.y40 + i));
  };
  if constexpr (level == 0) {
    for (std::size_t i = 0; i < p.steps * lanes; i += lanes) {
      Vec rx, ry;
      residuals(i, load(p.x10 + i), load(p.y10 + i), rx, ry);
      here.add(rx * rx + ry * ry, valid_at<ragged>(p, i));
    }
  } else if constexpr (level == 2 && loss == squared && !ragged) {
    // All in one loop, since there is no weight: as many sums as registers leave room for.
    Rows<11> rows(sums);
    for (std::size_t i = 0; i < p.steps * lanes; i += lanes) {
      const Vec x = load(p.x10 + i);
      const Vec y = load(p.y10 + i);
      Vec rx, ry;
      residuals(i, x, y, rx, ry);
      here.add(rx * rx + ry * ry, all(1.0));
      add_gradient(rows, rx, ry, x, y);
      add_products(rows, 6, x, y);
    }
    rows.save(sums);
    add_count(p, sums + 11 * lanes);
  } else {
    Buffer weight;
    Rows<6> gradient(sums);
    for (std::size_t i = 0, step = 0; step < p.steps; i += lanes, ++step) {
      const Vec x = load(p.x10 + i);
      const Vec y = load(p.y10 + i);
      Vec rx, ry;
      residuals(i, x, y, rx, ry);
      const Vec w = here.add(rx * rx + ry * ry, valid_at<ragged>(p, i));
      if constexpr (loss != squared || ragged) {
        rx = w * rx;
        ry = w * ry;
        if constexpr (level == 2) weight.put(step, w);
      }
      add_gradient(gradient, rx, ry, x, y);
    }
    gradient.save(sums);
    if constexpr (level == 2) {
      Rows<6> moments(sums + 6 * lanes);
      for (std::size_t i = 0, step = 0; step < p.steps; i += lanes, ++step) {
        Vec w = all(1.0);
        if constexpr (loss != squared || ragged) w = weight.get(step);
        add_moments(moments, 0, w, load(p.x10 + i), load(p.y10 + i));
      }
      moments.save(sums + 6 * lanes);
    }
  }
  losses = here;
}

template <int loss, int level, bool ragged>
HWY_INLINE void projective_block(const Points& p, const double* m, Loss<loss>& losses,
                                 double* sums) {
  Buffer q0, q1, q2, px, py, weight;
  Loss<loss> here = losses;
  Rows<level == 0 ? 1 : 8> gradient(sums);
  for (std::size_t i = 0, step = 0; step < p.steps; i += lanes, ++step) {
    const Vec x = load(p.x10 + i);
    const Vec y = load(p.y10 + i);
    const Vec inverse = all(1.0) / (all(m[6]) * x + all(m[7]) * y + all(1.0));
    const Vec mapped_x = (all(m[0]) * x + all(m[1]) * y + all(m[2])) * inverse;
    const Vec mapped_y = (all(m[3]) * x + all(m[4]) * y + all(m[5])) * inverse;
    const Vec rx = mapped_x - load(p.x40 + i);
    const Vec ry = mapped_y - load(p.y40 + i);
    const Vec w = here.add(rx * rx + ry * ry, valid_at<ragged>(p, i));
    if constexpr (level > 0) {
      const Vec u = x * inverse;
      const Vec v = y * inverse;
      const Vec wrx = w * rx;
      const Vec wry = w * ry;
      const Vec wrm = wrx * mapped_x + wry * mapped_y;
      gradient.add(0, wrx * u);
      gradient.add(1, wrx * v);
      gradient.add(2, wrx * inverse);
      gradient.add(3, wry * u);
      gradient.add(4, wry * v);
      gradient.add(5, wry * inverse);
      gradient.sum[6] = gradient.sum[6] - wrm * u;
      gradient.sum[7] = gradient.sum[7] - wrm * v;
      if constexpr (level == 2) {
        q0.put(step, u);
        q1.put(step, v);
        q2.put(step, inverse);
        px.put(step, mapped_x);
        py.put(step, mapped_y);
        weight.put(step, w);
      }
    }
  }
  losses = here;
  if constexpr (level > 0) gradient.save(sums);
  if constexpr (level == 2) {
    Rows<9> products(sums + 8 * lanes);
    for (std::size_t step = 0; step < p.steps; ++step) {
      const Vec w = weight.get(step), u = q0.get(step), v = q1.get(step), z = q2.get(step);
      const Vec wu = w * u, wv = w * v, wz = w * z;
      products.add(0, wu * u);
      products.add(1, wu * v);
      products.add(2, wu * z);
      products.add(3, wv * v);
      products.add(4, wv * z);
      products.add(5, wz * z);
      const Vec x = px.get(step), y = py.get(step);
      const Vec e = x * x + y * y;
      products.add(6, e * (wu * u));
      products.add(7, e * (wu * v));
      products.add(8, e * (wv * v));
    }
    products.save(sums + 8 * lanes);
    const auto by_image = [&](const Buffer& image, double* at) HWY_ATTR {
      Rows<5> rows(at);
      for (std::size_t step = 0; step < p.steps; ++step) {
        const Vec u = q0.get(step), v = q1.get(step), z = q2.get(step);
        const Vec c = weight.get(step) * image.get(step);
        const Vec cu = c * u, cv = c * v;
        rows.sum[0] = rows.sum[0] - cu * u;
        rows.sum[1] = rows.sum[1] - cu * v;
        rows.sum[2] = rows.sum[2] - cv * v;
        rows.sum[3] = rows.sum[3] - cu * z;
        rows.sum[4] = rows.sum[4] - cv * z;
      }
      rows.save(at);
    };
    by_image(px, sums + 17 * lanes);
    by_image(py, sums + 22 * lanes);
  }
}

// Residuals of an affine map about a centre, and sums in turned coordinates: fit/moments.
template <bool ragged>
HWY_INLINE void centred_block(const Input& in, const Points& p, const double* m,
                              Loss<squared>& losses, double* sums) {
  Loss<squared> here = losses;
  Rows<ragged ? 12 : 11> rows(sums);
  for (std::size_t i = 0; i < p.steps * lanes; i += lanes) {
    const Vec u = load(p.x10 + i) - all(in.centre[0]);
    const Vec v = load(p.y10 + i) - all(in.centre[1]);
    Vec rx = all(m[0]) * u + all(m[1]) * v + (all(m[2]) - load(p.x40 + i));
    Vec ry = all(m[3]) * u + all(m[4]) * v + (all(m[5]) - load(p.y40 + i));
    const Vec valid = valid_at<ragged>(p, i);
    if constexpr (ragged) {
      rx = rx * valid;
      ry = ry * valid;
    }
    const Vec q0 = all(in.turn[0]) * u + all(in.turn[1]) * v;
    const Vec q1 = all(in.turn[0]) * v - all(in.turn[1]) * u;
    here.add(rx * rx + ry * ry, valid);
    add_gradient(rows, rx, ry, q0, q1);
    if constexpr (ragged)
      add_moments(rows, 6, valid, q0, q1);
    else
      add_products(rows, 6, q0, q1);
  }
  rows.save(sums);
  if constexpr (!ragged) add_count(p, sums + 11 * lanes);
  losses = here;
}

// With few sums all groups of lanes pass a block together: alone, each would wait for its own
// additions.
template <int loss, bool ragged>
HWY_INLINE void value_block(const Points& p, const double* m, Loss<loss>* losses) {
  const Vec a = all(m[0]), b = all(m[1]), tx = all(m[2]);
  const Vec c = all(m[3]), d = all(m[4]), ty = all(m[5]);
  Loss<loss> here[groups];
  for (std::size_t g = 0; g < groups; ++g) here[g] = losses[g];
  for (std::size_t i = 0; i < p.steps * lanes; i += lanes)
#pragma GCC unroll 8
    for (std::size_t g = 0; g < groups; ++g) {
      const std::size_t at = i + g * width;
      const Vec x = load(p.x10 + at), y = load(p.y10 + at);
      const Vec rx = a * x + b * y + (tx - load(p.x40 + at));
      const Vec ry = c * x + d * y + (ty - load(p.y40 + at));
      here[g].add(rx * rx + ry * ry, valid_at<ragged>(p, at));
    }
  for (std::size_t g = 0; g < groups; ++g) losses[g] = here[g];
}

// Where the points are, and how wide they lie about a centre: fit/normalization.
template <bool ragged>
HWY_INLINE void spread_block(const Input& in, const Points& p, Loss<squared>* losses,
                             double* sums) {
  const Vec centre_x = all(in.centre[0]), centre_y = all(in.centre[1]);
  Vec squares[groups], columns[4][groups];
  for (std::size_t g = 0; g < groups; ++g) {
    squares[g] = losses[g].sum;
    for (std::size_t k = 0; k < 4; ++k) columns[k][g] = load(sums + k * lanes + g * width);
  }
  for (std::size_t i = 0; i < p.steps * lanes; i += lanes)
#pragma GCC unroll 8
    for (std::size_t g = 0; g < groups; ++g) {
      const std::size_t at = i + g * width;
      const Vec x = load(p.x10 + at), y = load(p.y10 + at);
      const Vec u = x - centre_x, v = y - centre_y;
      squares[g] = squares[g] + (u * u + v * v) * valid_at<ragged>(p, at);
      columns[0][g] = columns[0][g] + x;
      columns[1][g] = columns[1][g] + y;
      columns[2][g] = columns[2][g] + load(p.x40 + at);
      columns[3][g] = columns[3][g] + load(p.y40 + at);
    }
  for (std::size_t g = 0; g < groups; ++g) {
    losses[g].sum = squares[g];
    for (std::size_t k = 0; k < 4; ++k) store(columns[k][g], sums + k * lanes + g * width);
  }
}

enum class Kind { affine, projective, centred, spread };

constexpr std::size_t count_of(Kind kind, int level) {
  return kind == Kind::spread ? spread_sums : sum_count(kind == Kind::projective, level);
}

// Whether points of a block are passed more than once.
template <Kind kind, int loss, int level>
constexpr bool in_blocks = groups > 1 ||
                           (level == 2 && (kind == Kind::projective ||
                                           (kind == Kind::affine && loss != squared)));

template <Kind kind, int level>
constexpr bool few_sums = kind == Kind::spread || (kind == Kind::affine && level == 0);

template <Kind kind, int loss, int level, bool ragged>
HWY_INLINE void few_block(const Input& in, const Points& p, const double* map, Loss<loss>* losses,
                          double* sums) {
  if constexpr (kind == Kind::spread)
    spread_block<ragged>(in, p, losses, sums);
  else
    value_block<loss, ragged>(p, map, losses);
}

template <Kind kind, int loss, int level, bool ragged>
HWY_INLINE void pass_block(const Input& in, const Points& p, const double* map, Loss<loss>& losses,
                           double* sums) {
  if constexpr (kind == Kind::centred)
    centred_block<ragged>(in, p, map, losses, sums);
  else if constexpr (kind == Kind::projective)
    projective_block<loss, level, ragged>(p, map, losses, sums);
  else
    affine_block<loss, level, ragged>(p, map, losses, sums);
}

template <Kind kind, int loss, int level>
void pass(const Input& in, const double* map, double* result) {
  constexpr std::size_t count = count_of(kind, level) - 1;
  constexpr std::size_t block = in_blocks<kind, loss, level> ? block_steps * lanes : chunk;
  Loss<loss> losses[groups];
  for (Loss<loss>& of_group : losses) of_group.begin(in.loss_scale);
  const std::size_t whole = in.size / lanes * lanes;
  for (std::size_t begin = 0; begin < in.size; begin += chunk) {
    double part[(count + 1) * lanes] = {};
    const std::size_t end = begin + chunk < whole ? begin + chunk : whole;
    for (std::size_t i = begin; i < end; i += block) {
      const std::size_t stop = i + block < end ? i + block : end;
      if constexpr (few_sums<kind, level>) {
        few_block<kind, loss, level, false>(
            in, {in.x10 + i, in.y10 + i, in.x40 + i, in.y40 + i, nullptr, (stop - i) / lanes}, map,
            losses, part);
        continue;
      }
      for (std::size_t g = 0; g < groups; ++g) {
        const std::size_t at = i + g * width;
        pass_block<kind, loss, level, false>(
            in, {in.x10 + at, in.y10 + at, in.x40 + at, in.y40 + at, nullptr, (stop - i) / lanes},
            map, losses[g], part + g * width);
      }
    }
    if (begin + chunk >= in.size && whole < in.size) {
      double x10[lanes] = {}, y10[lanes] = {}, x40[lanes] = {}, y40[lanes] = {}, valid[lanes] = {};
      for (std::size_t i = whole; i < in.size; ++i) {
        x10[i - whole] = in.x10[i];
        y10[i - whole] = in.y10[i];
        x40[i - whole] = in.x40[i];
        y40[i - whole] = in.y40[i];
        valid[i - whole] = 1.0;
      }
      if constexpr (few_sums<kind, level>)
        few_block<kind, loss, level, true>(in, {x10, y10, x40, y40, valid, 1}, map, losses, part);
      for (std::size_t g = 0; g < (few_sums<kind, level> ? 0 : groups); ++g) {
        const std::size_t at = g * width;
        pass_block<kind, loss, level, true>(
            in, {x10 + at, y10 + at, x40 + at, y40 + at, valid + at, 1}, map, losses[g], part + at);
      }
    }
    // No sum is -0, so that the first part is the same whether it is added to 0 or not.
    const auto put = [&](Vec sum, double* to)
                         HWY_ATTR { store(begin == 0 ? sum : load(to) + sum, to); };
    for (std::size_t g = 0; g < groups; ++g) {
      losses[g].close();
      put(losses[g].sum, result + g * width);
      losses[g].sum = hn::Zero(Tag());
    }
    for (std::size_t i = 0; i < count * lanes; i += width) put(load(part + i), result + lanes + i);
  }
}

// ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)) of each sum's lanes.
void add_lanes(const double* from, std::size_t count, double* sums) {
  std::size_t i = 0;
#if HWY_TARGET != HWY_SCALAR  // whose vectors are single numbers
  const hn::FixedTag<double, 2> two;
  const auto halves = [&](std::size_t at) HWY_ATTR {
    const double* const v = from + at * lanes;
    return (hn::LoadU(two, v) + hn::LoadU(two, v + 4)) +
           (hn::LoadU(two, v + 2) + hn::LoadU(two, v + 6));
  };
  for (; i + 2 <= count; i += 2) {
    const auto a = halves(i);
    const auto b = halves(i + 1);
    hn::StoreU(hn::InterleaveLower(two, a, b) + hn::InterleaveUpper(two, a, b), two, sums + i);
  }
#endif
  for (; i < count; ++i) {
    const double* const v = from + i * lanes;
    sums[i] = ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
  }
}

void scale(const double* from, std::size_t size, double centre, double factor, double* to) {
  std::size_t i = 0;
  for (; i + width <= size; i += width) store((load(from + i) - all(centre)) * all(factor), to + i);
  for (; i < size; ++i) to[i] = (from[i] - centre) * factor;
}

template <Kind kind, int loss>
constexpr void fill(Pass (&row)[3]) {
  row[0] = pass<kind, loss, 0>;
  row[1] = pass<kind, loss, 1>;
  row[2] = pass<kind, loss, 2>;
}

constexpr Table make_table() {
  Table table{};
  fill<Kind::affine, squared>(table.pass[0][squared]);
  fill<Kind::affine, huber>(table.pass[0][huber]);
  fill<Kind::affine, cauchy>(table.pass[0][cauchy]);
  fill<Kind::affine, tukey>(table.pass[0][tukey]);
  fill<Kind::projective, squared>(table.pass[1][squared]);
  fill<Kind::projective, huber>(table.pass[1][huber]);
  fill<Kind::projective, cauchy>(table.pass[1][cauchy]);
  fill<Kind::projective, tukey>(table.pass[1][tukey]);
  table.centred = pass<Kind::centred, squared, 2>;
  table.spread = pass<Kind::spread, squared, 0>;
  table.add_lanes = add_lanes;
  table.scale = scale;
  return table;
}

constexpr Table table = make_table();

}  // namespace nucreg::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
