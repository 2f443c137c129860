#include "column_descriptions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "trial_schema.hpp"

namespace nucreg::hdf5 {
namespace {

using Text = std::pair<std::string_view, std::string_view>;

constexpr std::array of_configurations{
    Text{"points", "nuclei of a trial"},
    Text{"field_width_px", "of the 10x field, 10x px"},
    Text{"field_height_px", "of the 10x field, 10x px"},
    Text{"min_distance_px", "between any two nuclei at least, 10x px"},
    Text{"noise_px", "standard deviation of each coordinate, 40x px"},
    Text{"outliers", "fraction of pairs that are wrong"},
    Text{"missing", "fraction of nuclei seen at one magnification only"},
    Text{"magnification", "nominal, 40x px per 10x px"},
    Text{"true_dx_px", "shift of the true map, 10x px"},
    Text{"true_dy_px", "shift of the true map, 10x px"},
    Text{"true_tx_px", "shift of the true map, 40x px"},
    Text{"true_ty_px", "shift of the true map, 40x px"},
    Text{"true_angle_deg", "rotation of the true map"},
    Text{"loss_scale_px", "d of the loss, 40x px; NaN: drawn, or from the data of each trial"},
    Text{"start_turn_deg", "rotation of the start away from where fit.start puts it"},
    Text{"start_shift_px", "shift of the start away from where fit.start puts it, 10x px"},
    Text{"start_scale", "error of the magnification at the start, as a fraction"},
};

constexpr std::array statistics{
    Text{"_count", "finite values"},    Text{"_mean", "mean"},
    Text{"_std", "standard deviation"}, Text{"_median", "median"},
    Text{"_p05", "5 % quantile"},       Text{"_p95", "95 % quantile"},
};

std::string of_configuration(std::string_view column) {
  std::string prefix;
  for (const auto& [suffix, words] :
       {Text{"_min", "lower end of what is drawn: "}, Text{"_max", "upper end of what is drawn: "}})
    if (column.ends_with(suffix)) {
      prefix = words;
      column.remove_suffix(suffix.size());
    }
  const auto* const found = std::ranges::find(of_configurations, column, &Text::first);
  return found == of_configurations.end() ? "" : prefix + std::string(found->second);
}

std::string of_summary(std::string_view column) {
  for (const auto& [suffix, words] : statistics) {
    if (!column.ends_with(suffix)) continue;
    column.remove_suffix(suffix.size());
    const auto field = std::ranges::find(trial_fields(), column, &TrialField::name);
    if (field != trial_fields().end()) return fmt::format("{} of {}", words, field->description);
  }
  return {};
}

}  // namespace

std::string column_description(std::string_view table, std::string_view column) {
  if (table == "configurations") return of_configuration(column);
  if (table == "summary") return of_summary(column);
  return {};
}

}  // namespace nucreg::hdf5
