#include "check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

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

}  // namespace

namespace plan_checks {

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

}  // namespace plan_checks
}  // namespace nucreg
