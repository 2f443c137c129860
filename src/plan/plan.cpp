#include "nucreg/plan/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "nucreg/core/text.hpp"

namespace nucreg {
namespace {

std::string parameter_names(Model model) {
  std::string text;
  for (const ParameterTerm& term : model_parameters(model))
    text += fmt::format("{}{}", text.empty() ? "" : ", ", term.name);
  return text;
}

bool all_equal_and_fixed(const std::vector<Draw>& params, std::size_t from, double value) {
  return std::all_of(params.begin() + static_cast<std::ptrdiff_t>(from), params.end(),
                     [&](const Draw& d) { return d.fixed() && d.min == value; });
}

}  // namespace

bool contains_truth(Model model, Model model_of_truth, const std::vector<Draw>& truth,
                    double magnification) {
  if (model_of_truth <= model) return true;
  if (model_of_truth > Model::trs) return false;
  // Behind dx, dy and the angle there are only scales.
  constexpr std::size_t first_scale = 3;
  return all_equal_and_fixed(truth, first_scale,
                             model == Model::rigid ? magnification : truth.at(first_scale).min);
}

namespace {

void check_images(const Job& job) {
  const ImagesOptions& images = job.problem.images;
  const auto refuse = [&](const char* key, const std::string& problem, const char* allowed) {
    throw JobError(problem, where(job, fmt::format("problem.images.{}", key), allowed));
  };
  const bool listed = !images.ten.empty() || !images.forty.empty();
  if (listed == !images.sheets.empty() || images.ten.empty() != images.forty.empty())
    refuse(images.forty.empty() && listed ? "forty" : "ten",
           listed && !images.sheets.empty() ? "files are named twice, here and in sheets"
                                            : "is missing",
           "ten and forty, or sheets");
  if (images.match_model != Model::trs && images.match_model != Model::affine)
    refuse("match_model", fmt::format("\"{}\" cannot be matched", name_of(images.match_model)),
           "trs, affine");
  if (images.magnification[0] > images.magnification[1])
    refuse("magnification", "the lowest is above the highest", "[lowest, highest]");
}

/// What can be seen of values that do not go together before the product is formed.
void check_job(const Job& job) {
  const Bounds& bounds = job.fit.bounds;
  const bool finite_scale = std::isfinite(bounds.scale.min) && std::isfinite(bounds.scale.max);
  for (const Model model : job.fit.model)
    for (const auto& [key, shift] : {std::pair{"dx_px", bounds.dx_px}, {"dy_px", bounds.dy_px}})
      if (model >= Model::affine && shift.bounded() && !finite_scale)
        throw JobError(fmt::format("model {} cannot be bounded in shift without a bounded scale",
                                   name_of(model)),
                       where(job, fmt::format("fit.bounds.{}", key),
                             "together with fit.bounds.scale, finite"));

  if (job.problem.source == Source::images) check_images(job);
  if (job.problem.source != Source::synthetic) return;
  const double narrow = std::min(job.problem.field_px[0], job.problem.field_px[1]);
  if (2.0 * job.problem.border_px >= narrow)
    throw JobError(fmt::format("{} leaves no field", job.problem.border_px),
                   where(job, "problem.border_px",
                         fmt::format("less than half of the field, {}", narrow / 2.0)));
}

/// What depends on the values that meet in one configuration.
void check_configuration(const Job& job, const Configuration& c) {
  const std::string_view model = name_of(c.model);
  if (c.start.kind == Start::Kind::params && c.start.params.size() != parameter_count(c.model))
    throw JobError(
        fmt::format("{} params do not make a start of model {}", c.start.params.size(), model),
        where(job, "fit.start",
              fmt::format("params = [{}], {} numbers", parameter_names(c.model),
                          parameter_count(c.model))));

  if (c.start.kind != Start::Kind::truth) return;
  if (job.problem.source == Source::pairs || job.problem.source == Source::images)
    throw JobError(fmt::format("{} have no known truth to start from", name_of(job.problem.source)),
                   where(job, "fit.start", "nominal, identity, closed-form, { params = [...] }"));
  const Model truth = job.problem.transform.model;
  if (!contains_truth(c.model, truth, c.transform, job.problem.magnification))
    throw JobError(
        fmt::format("model {} does not contain the true {} map to start from", model,
                    name_of(truth)),
        where(job, "fit.start", "truth only with models that contain problem.transform"));
}

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
  check_job(job);
  Plan plan{.configurations = unfold(job),
            .trials = static_cast<std::uint64_t>(job.job.trials),
            .solvers = job.solvers.size()};
  for (std::size_t i = 0; i < plan.configurations.size(); ++i) {
    plan.configurations[i].index = static_cast<std::uint32_t>(i);
    check_configuration(job, plan.configurations[i]);
  }
  // Row numbers stay exact where readers hold them as doubles.
  constexpr std::uint64_t max_solves = std::uint64_t{1} << 53;
  const std::uint64_t rows_per_trial = plan.configurations.size() * plan.solvers;
  if (plan.trials > max_solves / rows_per_trial)
    throw JobError(fmt::format("{} trials x {} configurations x {} solvers are too many solves",
                               plan.trials, plan.configurations.size(), plan.solvers),
                   where(job, "job.trials", fmt::format("at most {} solves", max_solves)));
  return plan;
}

TrialRange Part::of(std::uint64_t configuration, std::uint64_t trials) const {
  // What does not divide goes to the parts in turn, from one configuration to the next.
  const std::uint64_t share = trials / count, rest = trials % count;
  const std::uint64_t place = (number - 1 + count - configuration * rest % count) % count;
  return {place * share + std::min(place, rest), share + (place < rest ? 1 : 0)};
}

std::uint64_t Part::tasks(std::uint64_t configurations, std::uint64_t trials) const {
  std::uint64_t sum = 0;
  for (std::uint64_t c = 0; c < configurations; ++c) sum += of(c, trials).count;
  return sum;
}

std::string Part::text() const {
  return fmt::format("{}/{}", number, count);
}

Part parse_part(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto number = parse_number<std::uint64_t>(text.substr(0, slash));
  const auto count = slash == std::string_view::npos
                         ? std::nullopt
                         : parse_number<std::uint64_t>(text.substr(slash + 1));
  if (!number || !count || *number < 1 || *number > *count || *count > max_parts)
    throw JobError(fmt::format("{} is no part", text),
                   {.key = "--part", .allowed = fmt::format("K/N, 1 <= K <= N <= {}", max_parts)});
  return {*number, *count};
}

void check_part(const Part& part, const Plan& plan) {
  if (part.count > plan.tasks())
    throw JobError(
        fmt::format("the job has no {} parts", part.count),
        {.key = "--part", .allowed = fmt::format("at most one per trial, {}", plan.tasks())});
}

}  // namespace nucreg
