#include <nlohmann/json.hpp>

#include "nucreg/core/text.hpp"
#include "nucreg/report/well.hpp"

namespace nucreg {
namespace {

using Json = nlohmann::ordered_json;

Json side_json(const WellSide& side, const MapSide& found) {
  Json json{
      {"tiles", side.tiles},   {"placed", side.placed},          {"detections", side.detections},
      {"nuclei", side.nuclei}, {"in_both_fields", side.in_both}, {"paired", side.paired}};
  for (std::size_t i = 0; i < side.reasons.size(); ++i)
    json["unpaired"][std::string(Spelling<Unpaired>::names[i])] = side.reasons[i];
  json["unpaired"].erase("paired");
  const auto& m = found.camera.um_per_px;
  json["um_per_px"] = {{m[0], m[1]}, {m[2], m[3]}};
  json["mirrored"] = determinant(m) < 0.0;
  json["turn_deg"] = found.turn_deg;
  json["pixel_um"] = found.pixel_um;
  json["k1"] = found.camera.k1;
  json["noise_um"] = found.camera.noise_um;
  return json;
}

Json well_json(const WellOverview& well) {
  const MapModel& model = well.model;
  Json json{{"well", model.well},
            {"sentence", sentence(well)},
            {"matched", model.matched},
            {"message", model.message},
            {"pairs", well.pairs},
            {"pairs_at_q_0.01", well.pairs_at_1_percent},
            {"paired_rate", well.paired_rate()},
            {"expected_wrong", well.expected_wrong},
            {"median_distance_um", well.median_distance_um},
            {"links", well.links},
            {"links_used", well.links_used},
            {"median_closure_um", well.median_closure_um},
            {"tiles_to_look_at", well.look_at.size()}};
  json["sides"]["10x"] = side_json(well.ten, model.ten);
  json["sides"]["40x"] = side_json(well.forty, model.forty);
  json["model"] = {{"forty_to_well", model.forty_to_well},
                   {"turn_deg", model.turn_deg},
                   {"shift_um", {model.shift_x_um, model.shift_y_um}},
                   {"magnification", model.magnification},
                   {"deformation", model.deformation},
                   {"solver", model.solver},
                   {"loss", model.loss},
                   {"evaluations", model.evaluations},
                   {"wall_s", model.wall_seconds},
                   {"objective", model.objective},
                   {"heldout_rms_um", model.heldout_rms_um}};
  return json;
}

}  // namespace

std::string to_json(const WellSummary& summary) {
  Json json;
  json["attributes"] = Json::object();
  for (const auto& [name, value] : summary.attributes)
    std::visit([&, key = name](const auto& v) { json["attributes"][key] = v; }, value);
  std::string sentences;
  for (const WellOverview& well : summary.wells) {
    if (!sentences.empty()) sentences += "; ";
    if (summary.wells.size() > 1) sentences += well.model.well + ": ";
    sentences += sentence(well);
  }
  json["sentence"] = sentences;
  json["warnings"] = split_lines(summary.attributes.text("warnings"));
  json["wells"] = Json::array();
  for (const WellOverview& well : summary.wells) json["wells"].push_back(well_json(well));
  json["tiles_to_look_at"] = Json::array();
  for (const TileRemark& remark : summary.tiles)
    json["tiles_to_look_at"].push_back(
        {{"row", remark.tile},
         {"well", remark.facts.well},
         {"side", remark.facts.given.side == mosaic::Side::ten ? 10 : 40},
         {"tile", remark.facts.given.name},
         {"file", remark.facts.file},
         {"what", remark.what},
         {"nuclei", remark.facts.nuclei},
         {"match_rate", remark.facts.match_rate},
         {"message", remark.message}});
  json["trials"] = Json::array();
  for (const Record& record : summary.trials)
    json["trials"].push_back(
        {{"well", record.configuration},
         {"solver", summary.solvers.get<std::string>("name").at(record.solver)},
         {"status", name_of(record.status)},
         {"objective", record.objective},
         {"wall_s", record.wall_seconds},
         {"cpu_s", record.cpu_seconds},
         {"function_evaluations", record.function_evaluations},
         {"jacobian_evaluations", record.jacobian_evaluations}});
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace nucreg
