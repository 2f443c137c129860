#include "nucreg/plan/plan.hpp"

#include <fmt/format.h>

#include "check.hpp"

namespace nucreg {
namespace {

/// The product so far; each further axis multiplies it, the last one varying fastest.
class Product {
 public:
  explicit Product(const Job& job) : job_(job), all_(1) {}

  template <class T, class Member>
  void times(const char* key, const Axis<T>& axis, Member member) {
    if (axis.size() > max_configurations / all_.size())
      throw JobError(
          fmt::format("the product of the axes so far, {} x {} configurations, is too "
                      "large",
                      all_.size(), axis.size()),
          where(job_, key,
                fmt::format("at most {} configurations in one job", max_configurations)));
    if (axis.size() == 1) {
      for (Configuration& configuration : all_) member(configuration) = axis.front();
      return;
    }
    std::vector<Configuration> next;
    next.reserve(all_.size() * axis.size());
    for (const Configuration& configuration : all_)
      for (const T& value : axis) {
        next.push_back(configuration);
        member(next.back()) = value;
      }
    all_ = std::move(next);
  }
  template <class T>
  void times(const char* key, const Axis<T>& axis, T Configuration::*member) {
    times(key, axis, [member](Configuration& c) -> T& { return c.*member; });
  }
  /// Numbers what there is so far; further axes take the number along.
  void number_problems() {
    for (std::size_t i = 0; i < all_.size(); ++i) all_[i].problem = static_cast<std::uint32_t>(i);
  }
  [[nodiscard]] std::vector<Configuration> take() { return std::move(all_); }

 private:
  const Job& job_;
  std::vector<Configuration> all_;
};

std::vector<Configuration> unfold(const Job& job) {
  using C = Configuration;
  const ProblemOptions& problem = job.problem;
  Product product(job);
  if (problem.source == Source::synthetic) {
    product.times("problem.points", problem.points, &C::points);
    product.times("problem.min_distance_px", problem.min_distance_px, &C::min_distance_px);
  } else if (problem.source == Source::images) {
    product.times("problem.images.pairs", problem.images.pairs, &C::file);
  } else {
    product.times("problem.files", problem.files, &C::file);
  }
  if (problem.source == Source::synthetic || problem.source == Source::labels) {
    for (const Axis<Draw>& param : problem.transform.params)
      product.times("problem.transform", param,
                    [](C& c) -> Draw& { return c.transform.emplace_back(); });
    product.times("problem.noise_px", problem.noise_px, &C::noise_px);
    product.times("problem.outliers", problem.outliers, &C::outliers);
    product.times("problem.missing", problem.missing, &C::missing);
    if (problem.source == Source::synthetic)
      product.times("problem.layout", problem.layout, &C::layout);
    product.times("problem.noise_kind", problem.noise_kind, &C::noise_kind);
    product.times("problem.outlier_kind", problem.outlier_kind, &C::outlier_kind);
  }
  product.number_problems();
  const FitOptions& fit = job.fit;
  product.times("fit.model", fit.model, &C::model);
  product.times("fit.loss", fit.loss, &C::loss);
  product.times("fit.loss_scale_px", fit.loss_scale_px, &C::loss_scale_px);
  product.times("fit.coordinates", fit.coordinates, &C::coordinates);
  product.times("fit.start", fit.start, &C::start);
  product.times("fit.start_error.turn_deg", fit.start_error.turn_deg, &C::start_turn_deg);
  product.times("fit.start_error.shift_px", fit.start_error.shift_px, &C::start_shift_px);
  product.times("fit.start_error.scale", fit.start_error.scale, &C::start_scale);
  product.times("fit.max_evaluations", fit.max_evaluations, &C::max_evaluations);
  product.times("fit.ftol_rel", fit.ftol_rel, &C::ftol_rel);
  product.times("fit.xtol_rel", fit.xtol_rel, &C::xtol_rel);
  product.times("fit.max_seconds", fit.max_seconds, &C::max_seconds);
  return product.take();
}

}  // namespace

Plan make_plan(const Job& job) {
  plan_checks::check_job(job);
  Plan plan{.configurations = unfold(job),
            .trials = static_cast<std::uint64_t>(job.job.trials),
            .solvers = job.solvers.size()};
  for (std::size_t i = 0; i < plan.configurations.size(); ++i) {
    plan.configurations[i].index = static_cast<std::uint32_t>(i);
    plan_checks::check_configuration(job, plan.configurations[i]);
  }
  // Row numbers stay exact where readers hold them as doubles.
  constexpr std::uint64_t most_solves = std::uint64_t{1} << 53;
  const std::uint64_t rows_per_trial = plan.configurations.size() * plan.solvers;
  if (plan.trials > most_solves / rows_per_trial)
    throw JobError(fmt::format("{} trials x {} configurations x {} solvers are too many solves",
                               plan.trials, plan.configurations.size(), plan.solvers),
                   where(job, "job.trials", fmt::format("at most {} solves", most_solves)));
  return plan;
}

}  // namespace nucreg
