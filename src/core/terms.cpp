#include "nucreg/core/terms.hpp"

namespace nucreg {
namespace {

constexpr ParameterTerm similarity_family[] = {
    {"dx_px", "px"}, {"dy_px", "px"}, {"angle_deg", "deg"}, {"scale", "1"}};
constexpr ParameterTerm trs_family[] = {
    {"dx_px", "px"}, {"dy_px", "px"}, {"angle_deg", "deg"}, {"scale_x", "1"}, {"scale_y", "1"}};
constexpr ParameterTerm linear_family[] = {{"a", "1"},    {"b", "1"},   {"tx_px", "px"},
                                           {"c", "1"},    {"d", "1"},   {"ty_px", "px"},
                                           {"g", "1/px"}, {"h", "1/px"}};

}  // namespace

std::span<const ParameterTerm> model_parameters(Model model) {
  switch (model) {
    case Model::rigid:
      return std::span(similarity_family).first(3);
    case Model::similarity:
      return similarity_family;
    case Model::trs:
      return trs_family;
    case Model::affine:
      return std::span(linear_family).first(6);
    case Model::projective:
      return linear_family;
  }
  return {};
}

std::string_view model_equation(Model model) {
  switch (model) {
    case Model::rigid:
      return "X = m (cos a x - sin a y + dx), Y = m (sin a x + cos a y + dy), m nominal";
    case Model::similarity:
      return "X = s (cos a x - sin a y + dx), Y = s (sin a x + cos a y + dy)";
    case Model::trs:
      return "X = sx (cos a x - sin a y + dx), Y = sy (sin a x + cos a y + dy)";
    case Model::affine:
      return "X = a x + b y + tx, Y = c x + d y + ty";
    case Model::projective:
      return "X = (a x + b y + tx) / w, Y = (c x + d y + ty) / w, w = g x + h y + 1";
  }
  return {};
}

}  // namespace nucreg
