#include "nucreg/fit/kernels.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <limits>
#include <string>

#include "nucreg/fit/loss.hpp"
#include "unit/fit/random_pairs.hpp"

using namespace nucreg;
using fit_test::all_losses;

namespace {

using Wide = long double;

// The sums as kernels.hpp defines them, one point at a time, in long double.
struct PlainSums {
  Wide value = 0.0L, value_size = 0.0L;
  Wide gradient[8] = {}, gradient_size[8] = {};
  Wide normal[8][8] = {}, normal_size[8][8] = {};
};

PlainSums plain_pass(const PointPairs& pairs, const double* m, bool projective, Loss loss,
                     double d) {
  PlainSums out;
  const int entries = projective ? 8 : 6;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const Wide x = pairs.x10[i], y = pairs.y10[i];
    const Wide w = projective ? m[6] * x + m[7] * y + 1.0L : 1.0L;
    const Wide X = (m[0] * x + m[1] * y + m[2]) / w, Y = (m[3] * x + m[4] * y + m[5]) / w;
    const Wide r[2] = {X - pairs.x40[i], Y - pairs.y40[i]};
    const Wide s = r[0] * r[0] + r[1] * r[1];
    const Wide dr[2][8] = {{x / w, y / w, 1 / w, 0, 0, 0, -X * x / w, -X * y / w},
                           {0, 0, 0, x / w, y / w, 1 / w, -Y * x / w, -Y * y / w}};
    const LossValue l = evaluate_loss(loss, static_cast<double>(s), d);
    out.value += l.rho;
    out.value_size += std::abs(l.rho);
    for (int a = 0; a < entries; ++a) {
      const Wide g = l.first * (dr[0][a] * r[0] + dr[1][a] * r[1]);
      out.gradient[a] += g;
      out.gradient_size[a] +=
          l.first * (std::abs(dr[0][a] * X) + std::abs(dr[1][a] * Y)) + std::abs(g);
      for (int b = 0; b < entries; ++b)
        for (int i2 = 0; i2 < 2; ++i2) {
          const Wide product = l.first * dr[i2][a] * dr[i2][b];
          out.normal[a][b] += product;
          out.normal_size[a][b] += std::abs(product);
        }
    }
  }
  return out;
}

bool near(double value, Wide expected, Wide size) {
  return std::abs(value - expected) <= 1e-13L * size + 1e-280L;
}

std::string run(const std::string& command) {
  std::string out;
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  char buffer[256];
  while (fgets(buffer, sizeof buffer, pipe)) out += buffer;
  CHECK(pclose(pipe) == 0);
  return out;
}

}  // namespace

TEST_CASE("passes sum what their definition says, for every loss, level, size and family") {
  for (const Model model : {Model::affine, Model::projective}) {
    const bool projective = model == Model::projective;
    const MapEntries map = map_entries(model, fit_test::sample_map(model).params, 4.0, false);
    const int entries = projective ? 8 : 6;
    for (const std::size_t n : {0, 1, 2, 7, 8, 9, 63, 64, 65, 4095, 4096, 4097, 10001}) {
      // Residuals of about 4 px around d = 3 px: every branch of every loss is taken.
      const PointPairs pairs = fit_test::pairs_around(fit_test::sample_map(model), n, 3.0);
      for (const Loss loss : all_losses) {
        CAPTURE(name_of(model));
        CAPTURE(n);
        CAPTURE(name_of(loss));
        const PlainSums plain = plain_pass(pairs, map.entries.data(), projective, loss, 3.0);
        for (const PassLevel level : {PassLevel::value, PassLevel::gradient, PassLevel::normal}) {
          CAPTURE(static_cast<int>(level));
          const PassSums sums =
              pass_over_points(pairs, map.entries.data(), projective, loss, 3.0, level);
          // Rounding of a residual is that of a coordinate of 4000 px; s is steep by 2 r.
          CHECK(near(sums.value, plain.value, 200.0L * (plain.value_size + plain.value_size)));
          for (int a = 0; a < 8; ++a) {
            const bool there = level >= PassLevel::gradient && a < entries;
            CHECK(near(sums.gradient[a], there ? plain.gradient[a] : 0.0L,
                       there ? 10.0L * plain.gradient_size[a] : 0.0L));
            for (int b = 0; b < 8; ++b) {
              const bool used = level == PassLevel::normal && a < entries && b < entries;
              // A weight changes by as much as s / d^2 does.
              CHECK(near(sums.normal[a][b], used ? plain.normal[a][b] : 0.0L,
                         used ? (loss == Loss::squared ? 10.0L : 1000.0L) * plain.normal_size[a][b]
                              : 0.0L));
              CHECK(sums.normal[a][b] == sums.normal[b][a]);
            }
          }
        }
      }
    }
  }
}

TEST_CASE("the value does not depend on the level that is asked for") {
  const PointPairs pairs = fit_test::pairs_around(fit_test::sample_map(Model::trs), 5000, 5.0);
  const auto map = map_entries(Model::affine, fit_test::sample_map(Model::affine).params, 4, false);
  for (const Loss loss : all_losses) {
    const auto value = [&](PassLevel level) {
      return pass_over_points(pairs, map.entries.data(), false, loss, 3.0, level).value;
    };
    CHECK(value(PassLevel::value) == value(PassLevel::gradient));
    CHECK(value(PassLevel::value) == value(PassLevel::normal));
  }
}

TEST_CASE("every instruction set that the machine has gives the same bits") {
  const std::string baseline = run("NUCREG_SIMD=baseline " NUCREG_KERNEL_HASH);
  REQUIRE(baseline.starts_with("baseline "));
  const std::string bits = baseline.substr(baseline.find(' '));
  REQUIRE(bits.size() == 18);
  int distinct = 1;
  for (const std::string name : {"avx2", "avx512"}) {
    const std::string other = run("NUCREG_SIMD=" + name + " " NUCREG_KERNEL_HASH);
    CAPTURE(other);
    CHECK(other.substr(other.find(' ')) == bits);
    distinct += other.starts_with(name);
  }
  CHECK(run("env -u NUCREG_SIMD " NUCREG_KERNEL_HASH).ends_with(bits));
  MESSAGE("instruction sets compared: " << distinct);
}

TEST_CASE("NaN in any coordinate of any point makes the value NaN") {
  const auto map = map_entries(Model::affine, fit_test::sample_map(Model::affine).params, 4, false);
  const PointPairs clean = fit_test::pairs_around(fit_test::sample_map(Model::affine), 21, 2.0);
  for (const bool projective : {false, true})
    for (const Loss loss : all_losses)
      for (const std::size_t at : {0u, 9u, 16u, 20u})  // whole blocks of eight and what is left
        for (std::vector<double> PointPairs::*column :
             {&PointPairs::x10, &PointPairs::y10, &PointPairs::x40, &PointPairs::y40}) {
          PointPairs pairs = clean;
          (pairs.*column)[at] = std::numeric_limits<double>::quiet_NaN();
          for (const PassLevel level : {PassLevel::value, PassLevel::gradient, PassLevel::normal})
            CHECK(std::isnan(
                pass_over_points(pairs, map.entries.data(), projective, loss, 3.0, level).value));
        }
}

TEST_CASE("residuals of any finite length keep losses finite as long as their sum is") {
  const double identity[8] = {1, 0, 0, 0, 1, 0, 0, 0};
  const auto value = [&](Loss loss, double distance, int count, double d) {
    PointPairs pairs;
    pairs.resize(static_cast<std::size_t>(count));
    for (double& x : pairs.x40) x = distance;
    return pass_over_points(pairs, identity, false, loss, d, PassLevel::normal);
  };
  for (const double distance : {1e-160, 1e-20, 1e-8, 0.1, 1.0, 1e3, 1e8, 1e15, 1e18})
    for (const int count : {1, 7, 8, 9, 64}) {
      CAPTURE(distance);
      CAPTURE(count);
      for (const Loss loss : all_losses) {
        CAPTURE(name_of(loss));
        const Wide s = static_cast<Wide>(distance) * distance;
        const Wide expected =
            loss == Loss::cauchy              ? count * 9.0L * std::log1p(s / 9.0L)
            : loss == Loss::huber && s > 9.0L ? count * (6.0L * distance - 9.0L)
            : loss == Loss::tukey
                ? count * (s > 9.0L ? 3.0L : s - s * s / 9.0L + s * s * s / 243.0L)
                : count * s;
        const PassSums sums = value(loss, distance, count, 3.0);
        // 1 + s/d^2 and 1 - (1 - s/d^2)^3 know s to eps d^2.
        CHECK(std::abs(sums.value - expected) <= 1e-14L * expected + count * 9.0L * 4e-16L);
        for (const double g : sums.gradient) CHECK(std::isfinite(g));
        for (const auto& row : sums.normal)
          for (const double entry : row) CHECK(std::isfinite(entry));
      }
    }
}

TEST_CASE("beyond tukey's scale pairs have no weight, however far they are") {
  const double identity[8] = {1, 0, 0, 0, 1, 0, 0, 0};
  for (const bool projective : {false, true})
    for (const double distance : {1e10, 1e77, 1e80, 1e120, 1e150})
      for (const PassLevel level : {PassLevel::gradient, PassLevel::normal}) {
        CAPTURE(distance);
        PointPairs pairs;
        pairs.resize(9);
        pairs.x40[2] = pairs.y40[8] = distance;
        const PassSums sums =
            pass_over_points(pairs, identity, projective, Loss::tukey, 3.0, level);
        CHECK(sums.value == 6.0);
        for (const double g : sums.gradient) CHECK(g == 0.0);
        if (level == PassLevel::normal) CHECK(sums.normal[2][2] == 7.0);
      }
}

TEST_CASE("cauchy's shared logarithm never makes a value small that is large") {
  const double identity[8] = {1, 0, 0, 0, 1, 0, 0, 0};
  double before = 0.0;
  for (double distance = 1.0; distance < 1e160; distance *= 10.0) {
    PointPairs pairs;
    pairs.resize(8);
    for (double& x : pairs.x40) x = distance;
    const double value =
        pass_over_points(pairs, identity, false, Loss::cauchy, 1.0, PassLevel::value).value;
    CHECK(value > before);
    if (value == std::numeric_limits<double>::infinity()) {
      CHECK(distance > 1e18);
      break;
    }
    before = value;
  }
}

TEST_CASE("losses agree with the scalar definition's derivatives, by differences") {
  for (const Loss loss : all_losses)
    for (const double s : {0.01, 1.0, 8.9, 9.1, 50.0}) {
      const double h = 1e-4 * s, d = 3.0;
      const auto rho = [&](double at) { return evaluate_loss(loss, at, d).rho; };
      const auto first = [&](double at) { return evaluate_loss(loss, at, d).first; };
      const LossValue l = evaluate_loss(loss, s, d);
      CAPTURE(name_of(loss));
      CAPTURE(s);
      CHECK((rho(s + h) - rho(s - h)) / (2 * h) == doctest::Approx(l.first).epsilon(1e-6));
      CHECK((first(s + h) - first(s - h)) / (2 * h) ==
            doctest::Approx(l.second).epsilon(1e-6).scale(0.01));
    }
  for (const Loss loss : all_losses) {
    CHECK(evaluate_loss(loss, 0.0, 3.0).rho == 0.0);
    CHECK(evaluate_loss(loss, 0.0, 3.0).first == 1.0);
    const LossValue below = evaluate_loss(loss, std::nextafter(9.0, 0.0), 3.0);
    const LossValue above = evaluate_loss(loss, std::nextafter(9.0, 10.0), 3.0);
    CHECK(below.rho == doctest::Approx(above.rho).epsilon(1e-14));
    CHECK(std::abs(below.first - above.first) < 1e-14);
  }
}
