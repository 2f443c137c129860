#include "nucreg/fit/objective.hpp"

#include <doctest/doctest.h>

#include <Eigen/Eigenvalues>
#include <cmath>
#include <functional>
#include <limits>

#include "nucreg/fit/loss.hpp"
#include "unit/fit/random_pairs.hpp"

using namespace nucreg;

namespace {

// The derivative at 0 by differences of eighth order.
double derivative(const std::function<double(double)>& f, double h) {
  return 4.0 / 5.0 * (f(h) - f(-h)) / h - 1.0 / 5.0 * (f(2 * h) - f(-2 * h)) / h +
         4.0 / 105.0 * (f(3 * h) - f(-3 * h)) / h - 1.0 / 280.0 * (f(4 * h) - f(-4 * h)) / h;
}

// A small problem in coordinates of about one, away from the minimum, on both sides of the bends.
struct Small {
  PointPairs pairs;
  Params at;
  Small(Model model, double noise, std::size_t n = 40) {
    Map map = fit_test::sample_map(model);
    Params p = to_radians(model, map.params);
    if (model == Model::affine || model == Model::projective) {
      p[2] = 0.3;
      p[5] = -0.4;
      if (model == Model::projective) p.tail(2) << 0.05, -0.03;
    } else {
      p.head(2) << 0.3, -0.4;
    }
    RandomStream random(5, 0, 0, Purpose::noise);
    pairs.resize(n);
    const MapEntries m = map_entries(model, p, 4.0, false);
    for (std::size_t i = 0; i < n; ++i) {
      pairs.x10[i] = random.uniform(-1.5, 1.5);
      pairs.y10[i] = random.uniform(-1.5, 1.5);
      const double w = m.entries[6] * pairs.x10[i] + m.entries[7] * pairs.y10[i] + 1.0;
      const auto& e = m.entries;
      pairs.x40[i] =
          (e[0] * pairs.x10[i] + e[1] * pairs.y10[i] + e[2]) / w + noise * random.normal();
      pairs.y40[i] =
          (e[3] * pairs.x10[i] + e[4] * pairs.y10[i] + e[5]) / w + noise * random.normal();
    }
    at = p;
    for (Eigen::Index i = 0; i < at.size(); ++i) at[i] += 0.02 * (i % 2 ? 1.0 : -1.0);
  }
};

constexpr double d = 0.5;

}  // namespace

TEST_CASE("the gradient is the derivative of the value, for every model and loss") {
  for (const Model model : fit_test::all_models)
    for (const Loss loss : fit_test::all_losses) {
      CAPTURE(name_of(model));
      CAPTURE(name_of(loss));
      const Small small(model, 0.3);
      Objective f(small.pairs, model, loss, d, 4.0, 0.7);
      Params gradient;
      const double value = f.value_and_gradient(small.at, gradient);
      CHECK(value == f.value(small.at));
      NormalEquations normal;
      f.normal_equations(small.at, normal);
      CHECK(normal.value == value);
      CHECK(normal.gradient == gradient);
      REQUIRE(gradient.size() == small.at.size());
      for (Eigen::Index i = 0; i < gradient.size(); ++i) {
        // Bends of huber and tukey limit the order: their steps are short.
        const bool smooth = loss == Loss::squared || loss == Loss::cauchy;
        const auto along = [&](double h) {
          Params p = small.at;
          p[i] += h;
          return f.value(p);
        };
        CHECK(derivative(along, smooth ? 1e-3 : 1e-6) ==
              doctest::Approx(gradient[i]).epsilon(smooth ? 1e-9 : 1e-6).scale(gradient.norm()));
      }
    }
}

TEST_CASE("residuals square to the value, their Jacobian is their derivative") {
  for (const Model model : fit_test::all_models)
    for (const Loss loss : fit_test::all_losses) {
      CAPTURE(name_of(model));
      CAPTURE(name_of(loss));
      const Small small(model, 0.3);
      Objective f(small.pairs, model, loss, d, 4.0, 0.7);
      Eigen::VectorXd r(f.residual_count());
      Eigen::MatrixXd jacobian(f.residual_count(), f.parameters());
      f.residuals(small.at, r);
      f.jacobian(small.at, jacobian);
      Params gradient;
      const double value = f.value_and_gradient(small.at, gradient);
      CHECK(r.squaredNorm() == doctest::Approx(value).epsilon(1e-13));
      CHECK((2.0 * jacobian.transpose() * r - gradient).norm() < 1e-12 * gradient.norm());
      for (Eigen::Index i = 0; i < gradient.size(); ++i)
        for (Eigen::Index row = 0; row < r.size(); ++row) {
          const auto along = [&](double h) {
            Params p = small.at;
            p[i] += h;
            Eigen::VectorXd moved(f.residual_count());
            f.residuals(p, moved);
            return moved[row];
          };
          CHECK(derivative(along, 1e-6) ==
                doctest::Approx(jacobian(row, i)).epsilon(1e-7).scale(1.0));
        }
      if (loss == Loss::squared) {
        NormalEquations normal;
        f.normal_equations(small.at, normal);
        CHECK((2.0 * jacobian.transpose() * jacobian - normal.hessian).norm() <
              1e-12 * normal.hessian.norm());
      }
    }
}

TEST_CASE("the Gauss-Newton matrix is the Hessian of the least squares with the weights held") {
  // Affine residuals are linear: squared loss has nothing else, and under a robust loss the Hessian
  // is smaller by the term in rho'', which is not positive.
  for (const Loss loss : fit_test::all_losses) {
    CAPTURE(name_of(loss));
    const Small small(Model::affine, 0.05);
    Objective f(small.pairs, Model::affine, loss, d, 4.0, 1.0);
    NormalEquations normal;
    f.normal_equations(small.at, normal);
    Eigen::MatrixXd hessian(6, 6);
    for (Eigen::Index i = 0; i < 6; ++i)
      for (Eigen::Index j = 0; j < 6; ++j) {
        const auto along = [&](double h) {
          Params p = small.at, g;
          p[j] += h;
          static_cast<void>(f.value_and_gradient(p, g));
          return g[i];
        };
        hessian(i, j) = derivative(along, 1e-5);
      }
    const Eigen::MatrixXd rest = Eigen::MatrixXd(normal.hessian) - hessian;
    const double size = normal.hessian.norm();
    if (loss == Loss::squared || loss == Loss::huber) CHECK(rest.norm() < 1e-6 * size);
    if (loss == Loss::cauchy || loss == Loss::tukey) CHECK(rest.norm() > 1e-3 * size);
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(0.5 * (rest + rest.transpose()));
    CHECK(eigen.eigenvalues().minCoeff() > -1e-6 * size);
  }
}

TEST_CASE("the Gauss-Newton matrix has no negative curvature") {
  for (const Model model : fit_test::all_models)
    for (const Loss loss : fit_test::all_losses) {
      const Small small(model, 3.0);  // far outside of d: where robust losses are concave
      Objective f(small.pairs, model, loss, d, 4.0, 1.0);
      NormalEquations normal;
      f.normal_equations(small.at, normal);
      const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(Eigen::MatrixXd(normal.hessian));
      CHECK(eigen.eigenvalues().minCoeff() >= -1e-12 * eigen.eigenvalues().maxCoeff());
    }
}

TEST_CASE("a point that fits exactly is no singularity") {
  for (const Loss loss : fit_test::all_losses) {
    PointPairs pairs;
    pairs.x10 = {1.0, 2.0};
    pairs.y10 = {1.0, 0.5};
    pairs.x40 = {4.0, 8.0};
    pairs.y40 = {4.0, 2.0};
    Objective f(pairs, Model::similarity, loss, d, 4.0, 1.0);
    const Params exact = (Params(4) << 0.0, 0.0, 0.0, 4.0).finished();
    Eigen::VectorXd r(4);
    Eigen::MatrixXd jacobian(4, 4);
    NormalEquations normal;
    f.residuals(exact, r);
    f.jacobian(exact, jacobian);
    f.normal_equations(exact, normal);
    CHECK(f.value(exact) == 0.0);
    CHECK(r.norm() == 0.0);
    CHECK(normal.gradient.norm() == 0.0);
    CHECK(normal.hessian.allFinite());
    CHECK((2.0 * jacobian.transpose() * jacobian - normal.hessian).norm() < 1e-12);
  }
}

TEST_CASE("evaluations are counted as documented") {
  const Small small(Model::trs, 0.1);
  Objective f(small.pairs, Model::trs, Loss::squared, d, 4.0, 1.0);
  CHECK(f.parameters() == 5);
  CHECK(f.residual_count() == 80);
  Params g;
  NormalEquations normal;
  Eigen::VectorXd r(80);
  Eigen::MatrixXd jacobian(80, 5);
  static_cast<void>(f.value(small.at));
  CHECK(f.function_evaluations() == 1);
  CHECK(f.jacobian_evaluations() == 0);
  static_cast<void>(f.value_and_gradient(small.at, g));
  f.normal_equations(small.at, normal);
  CHECK(f.function_evaluations() == 3);
  CHECK(f.jacobian_evaluations() == 2);
  f.residuals(small.at, r);
  f.jacobian(small.at, jacobian);
  CHECK(f.function_evaluations() == 4);
  CHECK(f.jacobian_evaluations() == 3);
}

TEST_CASE("the clock is asked once per 20,000 points and its verdict stands") {
  const Small small(Model::trs, 0.1, 1000);
  Objective f(small.pairs, Model::trs, Loss::squared, d, 4.0, 1.0);
  int asked = 0;
  f.set_clock([&] { return ++asked >= 2 ? 1.0 : 0.0; });
  for (int i = 1; i <= 60; ++i) {
    static_cast<void>(f.value(small.at));
    CHECK(f.out_of_time() == (i >= 40));
  }
  CHECK(asked == 2);
  Objective shared(small.pairs, Model::trs, Loss::squared, d, 4.0, 1.0);
  asked = 0;
  shared.set_clock([&] { return 0.3 * ++asked; });
  const auto pass = [&] {
    for (int i = 0; i < 20; ++i) static_cast<void>(shared.value(small.at));
    return shared.out_of_time();
  };
  shared.set_time_part(0.5);
  CHECK(!pass());
  CHECK(pass());
  shared.set_time_part(1.0);  // what was left of it
  CHECK(!shared.out_of_time());
  CHECK(!pass());
  CHECK(pass());
  Objective without(small.pairs, Model::trs, Loss::squared, d, 4.0, 1.0);
  for (int i = 0; i < 60; ++i) static_cast<void>(without.value(small.at));
  CHECK(!without.out_of_time());
}

TEST_CASE("no points are no objective, and NaN parameters are NaN") {
  const PointPairs none;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Model model : fit_test::all_models)
    for (const Loss loss : fit_test::all_losses) {
      Params p = to_radians(model, fit_test::sample_map(model).params);
      Objective empty(none, model, loss, d, 4.0, 1.0);
      CHECK(empty.value(p) == 0.0);
      const Small small(model, 0.1);
      Objective f(small.pairs, model, loss, d, 4.0, 1.0);
      for (Eigen::Index i = 0; i < p.size(); ++i) {
        Params q = p;
        q[i] = nan;
        CHECK(std::isnan(f.value(q)));
      }
    }
}
