#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "nucreg/core/text.hpp"
#include "nucreg/report/well.hpp"
#include "text_table.hpp"

namespace nucreg {
namespace {

std::string measure(double value, const char* unit, int digits = 2) {
  if (std::isnan(value)) return "-";
  const std::string number = fmt::format("{:.{}f}", value, digits);
  const bool minus_nothing = number.find_first_not_of("-0.") == std::string::npos;
  return fmt::format("{} {}", minus_nothing ? number.substr(number.find('0')) : number, unit);
}

const char* side_name(mosaic::Side side) {
  return side == mosaic::Side::ten ? "10x" : "40x";
}

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, places(text)), ' ');
}

/// Side, tile and status in columns, and the sentence beside them or, if that is too narrow, below.
std::string remarks_text(const WellSummary& summary, const WellOverview& well, std::size_t width) {
  constexpr std::size_t min_message = 30;
  constexpr std::size_t max_name = 24, max_what = 14;
  std::size_t name = 4;
  for (const std::size_t i : well.look_at)
    name = std::max(name, std::min(places(summary.tiles[i].facts.given.name), max_name));
  const std::size_t left = 6 + name + 2 + max_what + 2;
  const bool beside = width >= left + min_message;
  const std::size_t indent = beside ? left : 6;
  std::string text = padded("side", 6) + padded("tile", name + 2) + padded("status", max_what + 2) +
                     (beside ? "what was found" : "");
  text = text.substr(0, text.find_last_not_of(' ') + 1) + '\n';
  for (const std::size_t i : well.look_at) {
    const TileRemark& remark = summary.tiles[i];
    std::string shown = one_line(remark.facts.given.name, 4096);
    if (places(shown) > name) shown = shown.substr(0, byte_of(shown, name - 2)) + "..";
    std::string line = padded(side_name(remark.facts.given.side), 6) + padded(shown, name + 2) +
                       padded(remark.what, max_what + 2);
    const std::string message = one_line(remark.message, 4096);
    const std::string lines =
        wrapped(message, width > indent + 10 ? width - indent : std::size_t{10});
    if (!beside) text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
    bool first = beside;
    for (std::size_t at = 0; at <= lines.size();) {
      const std::size_t end = std::min(lines.find('\n', at), lines.size());
      const std::string part = lines.substr(at, end - at);
      const std::string whole = (first ? line : std::string(indent, ' ')) + part;
      text += whole.substr(0, whole.find_last_not_of(' ') + 1) + '\n';
      first = false;
      at = end + 1;
    }
  }
  return text;
}

std::string sides_text(const WellOverview& well, std::size_t width) {
  TextColumn names{.title = "", .numbers = false, .keep = 3};
  TextColumn ten{.title = "10x", .keep = 2}, forty{.title = "40x", .keep = 2};
  const auto row = [&](const char* name, std::string a, std::string b) {
    names.cells.push_back(name);
    ten.cells.push_back(std::move(a));
    forty.cells.push_back(std::move(b));
  };
  const auto counts = [&](const char* name, std::uint64_t WellSide::*count) {
    row(name, count_text(well.ten.*count), count_text(well.forty.*count));
  };
  counts("tiles", &WellSide::tiles);
  counts("placed", &WellSide::placed);
  counts("detections", &WellSide::detections);
  counts("nuclei", &WellSide::nuclei);
  counts("in both fields", &WellSide::in_both);
  counts("paired", &WellSide::paired);
  for (const Unpaired why :
       {Unpaired::no_candidate, Unpaired::beaten, Unpaired::ambiguous, Unpaired::merged}) {
    const auto reason = static_cast<std::size_t>(why);
    row(why == Unpaired::no_candidate ? "no nucleus there"
        : why == Unpaired::beaten     ? "partner taken"
        : why == Unpaired::ambiguous  ? "ambiguous"
                                      : "one of two shown as one",
        count_text(well.ten.reasons[reason]), count_text(well.forty.reasons[reason]));
  }
  if (well.model.matched) {
    const MapSide &a = well.model.ten, &b = well.model.forty;
    row("pixel", measure(a.pixel_um, "um", 4), measure(b.pixel_um, "um", 4));
    row("turn of the camera", measure(a.turn_deg, "deg"), measure(b.turn_deg, "deg"));
    const auto mirrored = [](const MapSide& side) {
      return determinant(side.camera.um_per_px) < 0.0 ? "yes" : "no";
    };
    row("mirrored", mirrored(a), mirrored(b));
    row("distortion k1", fmt::format("{:.1e}", a.camera.k1), fmt::format("{:.1e}", b.camera.k1));
    row("noise of a centroid", measure(a.camera.noise_um, "um"), measure(b.camera.noise_um, "um"));
  }
  return render({names, ten, forty}, width);
}

std::string facts_text(const WellOverview& well, std::size_t width) {
  const auto line = [&](const std::string& text) { return wrapped(text, width) + "\n"; };
  const MapModel& model = well.model;
  std::string text = line(fmt::format("pairs   {}, {} with q <= 0.01; median distance {}",
                                      count_text(well.pairs), count_text(well.pairs_at_1_percent),
                                      measure(well.median_distance_um, "um")));
  text += line(fmt::format("links   {} of {} used; median closure {}", count_text(well.links_used),
                           count_text(well.links), measure(well.median_closure_um, "um")));
  if (!model.matched) return text;
  text += line(fmt::format(
      "visits  turned by {}, shifted by {} and {}, magnification {:.4f}, deformation: {}",
      measure(model.turn_deg, "deg", 3), measure(model.shift_x_um, "um", 1),
      measure(model.shift_y_um, "um", 1), model.magnification, model.deformation));
  const std::string time =
      std::isfinite(model.wall_seconds) ? " in " + seconds_text(model.wall_seconds) : "";
  text += line(fmt::format("fit     {}, {} loss, {}{}; held-out distance {} RMS", model.solver,
                           model.loss,
                           counted(static_cast<std::uint64_t>(model.evaluations), "evaluation"),
                           time, measure(model.heldout_rms_um, "um")));
  return text;
}

std::string solvers_text(const WellSummary& summary, std::size_t width) {
  TextColumn solver{.title = "solver", .numbers = false, .keep = 5};
  TextColumn status{.title = "status", .numbers = false, .keep = 4};
  TextColumn time{.title = "time", .keep = 3}, evaluations{.title = "evaluations", .keep = 2},
      objective{.title = "objective", .keep = 1};
  const auto& names = summary.solvers.get<std::string>("name");
  for (const Record& record : summary.trials) {
    solver.cells.push_back(record.solver < names.size() ? names[record.solver] : "?");
    status.cells.emplace_back(name_of(record.status));
    time.cells.push_back(seconds_text(record.wall_seconds));
    evaluations.cells.push_back(count_text(
        static_cast<std::uint64_t>(std::max<std::int64_t>(record.function_evaluations, 0))));
    objective.cells.push_back(fmt::format("{:.6g}", record.objective));
  }
  return "\nsolvers on the global fit\n" +
         render({solver, status, time, evaluations, objective}, width);
}

}  // namespace

std::string to_text(const WellSummary& summary, std::size_t width) {
  width = std::max<std::size_t>(width, 20);
  std::string text;
  const auto name_of_well = [&](const WellOverview& well) {
    return summary.wells.size() > 1 ? one_line(well.model.well, 200) + ": " : std::string();
  };
  for (const WellOverview& well : summary.wells)  // a line each, for scripts
    text += one_line(name_of_well(well) + sentence(well), 4096) + "\n";
  text += warnings_text(summary.attributes.text("warnings"), width);
  for (const WellOverview& well : summary.wells) {
    text += "\n";
    if (summary.wells.size() > 1) text += "well " + one_line(well.model.well, 200) + "\n";
    if (!well.look_at.empty()) text += remarks_text(summary, well, width) + "\n";
    text += sides_text(well, width) + "\n" + facts_text(well, width);
  }
  if (!summary.trials.empty()) text += solvers_text(summary, width);
  return text;
}

}  // namespace nucreg
