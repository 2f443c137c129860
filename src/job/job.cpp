#include "nucreg/job/job.hpp"

#include <fmt/format.h>

#include <cmath>

#include "fields.hpp"

namespace nucreg {

ErrorFields where(const Job& job, const std::string& key, std::string allowed) {
  const auto origin = job.origins.find(key);
  const Origin place = origin == job.origins.end() ? Origin{.file = job.file} : origin->second;
  return {.file = place.file, .line = place.line, .key = key, .allowed = std::move(allowed)};
}

void take_fit(Job& job, const Job& recommended) {
  job.fit.loss = recommended.fit.loss;
  job.fit.loss_scale_px = recommended.fit.loss_scale_px;
  job.fit.start = recommended.fit.start;
  job.solvers = recommended.solvers;
  for (const char* key : {"fit.loss", "fit.loss_scale_px", "fit.start"})
    job.origins[key] = {.file = recommended.file};
}

namespace job_fields {

bool Range::contains(double value) const {
  if (above_min ? value <= min : value < min) return false;
  if (below_max ? value >= max : value > max) return false;
  return !(whole && value != std::floor(value)) && !(not_zero && value == 0.0);
}

bool is_file_name(std::string_view text) {
  const auto letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && text.size() <= 100 && letter_or_digit(text.front()) &&
         std::ranges::all_of(text, [&](char c) {
           return letter_or_digit(c) || std::string_view("._+-").find(c) != std::string_view::npos;
         });
}

bool is_label(std::string_view text) {
  const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  return !text.empty() && text.size() <= 64 && std::ranges::none_of(text, control);
}

std::vector<Axis<Draw>> default_transform(Model model, double magnification) {
  std::vector<Axis<Draw>> params;
  for (const ParameterTerm& term : model_parameters(model)) {
    const bool scale = term.name.starts_with("scale") || term.name == "a" || term.name == "d";
    params.push_back({Draw(scale ? magnification : 0.0)});
  }
  return params;
}

Field transform_field(const ParameterTerm& term) {
  std::string models;
  for (std::size_t i = 0; i < Spelling<Model>::names.size(); ++i)
    for (const ParameterTerm& other : model_parameters(static_cast<Model>(i)))
      if (other.name == term.name)
        models += fmt::format("{}{}", models.empty() ? "" : ", ", Spelling<Model>::names[i]);
  const bool scale = term.name.starts_with("scale");
  const bool shift = term.unit == "px";
  const std::string unit =
      shift ? (term.name.starts_with("d") ? "10x px" : "40x px") : std::string(term.unit);
  return {.name = std::string(term.name),
          .unit = unit,
          .doc = fmt::format("axis: true parameter of {}", models),
          .range = scale ? not_zero : (term.unit == "deg" ? angle : any_number)};
}

}  // namespace job_fields
}  // namespace nucreg
