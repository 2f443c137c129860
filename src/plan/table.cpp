// The plan as the /configurations table of a result file.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "nucreg/plan/plan.hpp"

namespace nucreg {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
using DrawOf = std::function<Draw(const Configuration&)>;

std::string start_text(const Start& start) {
  if (start.kind != Start::Kind::params) return std::string(name_of(start.kind));
  return fmt::format("params [{}]", fmt::join(start.params, ", "));
}

class TableBuilder {
 public:
  explicit TableBuilder(const Plan& plan) : plan_(plan), table_{.name = "configurations"} {}

  /// One column of `value(configuration)` for each configuration.
  void add(const std::string& name, const std::string& units, auto&& value) {
    table_.add(name, units, plan_.configurations, value);
  }
  /// A number that may be drawn; `exists` false: all NaN.
  void add_draw(const std::string& name, const std::string& units, const DrawOf& value,
                bool exists = true) {
    if (!exists) return add(name, units, [](const Configuration&) { return nan; });
    add(name, units, [&](const Configuration& c) { return value(c).fixed() ? value(c).min : nan; });
    if (std::ranges::all_of(plan_.configurations, [&](const auto& c) { return value(c).fixed(); }))
      return;
    add(name + "_min", units, [&](const Configuration& c) { return value(c).min; });
    add(name + "_max", units, [&](const Configuration& c) { return value(c).max; });
  }
  [[nodiscard]] Table take() { return std::move(table_); }

 private:
  const Plan& plan_;
  Table table_;
};

}  // namespace

Table configuration_table(const Plan& plan, const Job& job) {
  using C = Configuration;
  const Source source = job.problem.source;
  const bool synthetic = source == Source::synthetic, made = synthetic || source == Source::labels;
  const std::string truth(made ? name_of(job.problem.transform.model) : "");

  TableBuilder table(plan);
  table.add("configuration", "1", [](const C& c) { return c.index; });
  table.add("problem", "1", [](const C& c) { return c.problem; });
  if (!synthetic) table.add("file", "", [](const C& c) { return c.file; });
  if (source == Source::images) {
    table.add("field_width_px", "px", [](const C& c) { return c.field_px[0]; });
    table.add("field_height_px", "px", [](const C& c) { return c.field_px[1]; });
  }
  table.add_draw("points", "1", &C::points);
  table.add_draw("min_distance_px", "px", &C::min_distance_px, synthetic);
  table.add_draw("noise_px", "px", &C::noise_px, made);
  table.add_draw("outliers", "1", &C::outliers, made);
  table.add_draw("missing", "1", &C::missing, made);
  if (synthetic) table.add("layout", "", [](const C& c) { return name_of(c.layout); });
  if (made) {
    table.add("noise_kind", "", [](const C& c) { return name_of(c.noise_kind); });
    table.add("outlier_kind", "", [](const C& c) { return name_of(c.outlier_kind); });
  }
  table.add("magnification", "1", [&](const C&) { return job.problem.magnification; });
  table.add("transform_model", "", [&](const C&) { return truth; });
  if (made) {
    const auto terms = model_parameters(job.problem.transform.model);
    for (std::size_t i = 0; i < terms.size(); ++i)
      table.add_draw(fmt::format("true_{}", terms[i].name), std::string(terms[i].unit),
                     [i](const C& c) { return c.transform.at(i); });
  }
  table.add("model", "", [](const C& c) { return name_of(c.model); });
  table.add("loss", "", [](const C& c) { return name_of(c.loss); });
  table.add_draw("loss_scale_px", "px", &C::loss_scale_px);
  table.add("coordinates", "", [](const C& c) { return name_of(c.coordinates); });
  table.add("start", "", [](const C& c) { return start_text(c.start); });
  table.add_draw("start_turn_deg", "deg", &C::start_turn_deg);
  table.add_draw("start_shift_px", "px", &C::start_shift_px);
  table.add_draw("start_scale", "1", &C::start_scale);
  table.add_draw("max_evaluations", "1", &C::max_evaluations);
  table.add_draw("ftol_rel", "1", &C::ftol_rel);
  table.add_draw("xtol_rel", "1", &C::xtol_rel);
  table.add_draw("max_seconds", "s", &C::max_seconds);
  return table.take();
}

}  // namespace nucreg
