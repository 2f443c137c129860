#include "nucreg/report/well.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <tuple>

#include "nucreg/stats/verify.hpp"

namespace nucreg {
namespace {

constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

bool amount(double value) {
  return std::isfinite(value) && value >= 0.0;
}
bool part(double value) {
  return value >= 0.0 && value <= 1.0;
}

class MapVerifier {
 public:
  explicit MapVerifier(const WellMap& map) : map_(map) {}

  MapVerification run() {
    check_attributes();
    check_models();
    check_tiles();
    check_links();
    check_nuclei(map_.ten, mosaic::Side::ten, "/nuclei_10x", ten_);
    check_nuclei(map_.forty, mosaic::Side::forty, "/nuclei_40x", forty_);
    check_pairs();
    check_partners(map_.ten, "/nuclei_10x", ten_);
    check_partners(map_.forty, "/nuclei_40x", forty_);
    check_q_values();
    check_tile_counts();
    check_knots_and_decoys();
    check_solvers();
    result_.findings = findings_.lines();
    result_.tiles = map_.tiles.size();
    result_.detections = map_.ten.size() + map_.forty.size();
    result_.pairs = map_.pairs.size();
    return std::move(result_);
  }

 private:
  /// What is known of the objects of one side.
  struct Objects {
    std::vector<std::uint32_t> representative;  ///< row; none: it has none
    std::vector<std::uint32_t> first;           ///< its first detection; none: there is none
    std::vector<std::uint8_t> in_pair;
  };

  void demand(bool right, const char* column, const char* rule, std::uint64_t row) {
    if (!right) findings_.add(fmt::format("{} {}", column, rule), fmt::format("row {}", row));
  }

  void demand(bool right, const std::string& group, const char* column, const char* rule,
              std::uint64_t row) {
    if (!right) demand(false, (group + column).c_str(), rule, row);
  }

  /// 0-based well of a tile, or -1.
  [[nodiscard]] int well_of(std::uint32_t tile) const {
    return tile < tile_well_.size() ? tile_well_[tile] : -1;
  }
  [[nodiscard]] bool placed(const MapTile& tile) const {
    return std::isfinite(tile.placed.centre_um[0]) && std::isfinite(tile.placed.centre_um[1]);
  }

  void check_attributes();
  void check_models();
  void check_tiles();
  void check_links();
  void check_nuclei(const MapNuclei& nuclei, mosaic::Side side, const std::string& group,
                    Objects& objects);
  void check_detection(const MapNuclei& nuclei, std::size_t row, const MapTile& tile,
                       const std::string& group);
  void check_objects(const MapNuclei& nuclei, const std::string& group, Objects& objects);
  void check_pairs();
  bool check_end(const MapNuclei& nuclei, Objects& objects, std::uint32_t end, std::size_t row,
                 const char* column);
  void check_partners(const MapNuclei& nuclei, const std::string& group, const Objects& objects);
  void check_q_values();
  void check_tile_counts();
  void check_knots_and_decoys();
  void check_solvers();

  const WellMap& map_;
  std::vector<int> tile_well_;                     // rows of /model
  std::vector<std::uint64_t> detections_, links_;  // of each tile
  Objects ten_, forty_;
  Findings findings_;
  MapVerification result_;
};

void MapVerifier::check_attributes() {
  const auto text = [&](const char* name) -> const std::string* {
    const auto* found = map_.attributes.find<std::string>(name);
    if (!found) findings_.add(fmt::format("attribute {} is missing or is no text", name));
    return found;
  };
  for (const char* name : {"map_toml", "inputs", "created_utc", "mpi_library", "nucreg_version",
                           "git_revision", "compiler", "cpu_model"})
    (void)text(name);
  const std::string* status = text("status");
  if (status && *status != "complete" && *status != "partial")
    findings_.add("attribute status is neither complete nor partial", *status);
  if (status && *status == "partial") result_.notes.push_back("partial: the run was stopped early");
}

void MapVerifier::check_models() {
  if (map_.models.empty()) findings_.add("/model has no rows");
  std::set<std::string> names;
  for (std::size_t i = 0; i < map_.models.size(); ++i) {
    const MapModel& model = map_.models[i];
    if (!names.insert(model.well).second) findings_.add("/model/well is there twice", model.well);
    if (!model.matched) {
      demand(!model.message.empty(), "/model/message", "does not say why there is no match", i);
      result_.notes.push_back("no match" + (model.well.empty() ? "" : " in well " + model.well) +
                              ": " + model.message);
      continue;
    }
    const char* rule = "is no finite number > 0 of a matched well";
    demand(model.magnification > 0.0 && std::isfinite(model.magnification), "/model/magnification",
           rule, i);
    for (const MapSide* side : {&model.ten, &model.forty}) {
      const bool ten = side == &model.ten;
      const double det = determinant(side->camera.um_per_px);
      demand(side->pixel_um > 0.0 && std::isfinite(side->pixel_um),
             ten ? "/model/pixel_10x_um" : "/model/pixel_40x_um", rule, i);
      demand(std::isfinite(det) && det != 0.0, ten ? "/model/camera_10x" : "/model/camera_40x",
             "has no inverse", i);
      demand(std::isfinite(side->camera.k1), ten ? "/model/k1_10x" : "/model/k1_40x",
             "is not finite", i);
      demand(amount(side->camera.noise_um), ten ? "/model/noise_10x_um" : "/model/noise_40x_um",
             "is no finite number >= 0", i);
    }
    for (const double number : model.forty_to_well)
      demand(std::isfinite(number), "/model/forty_to_well", "is not finite", i);
  }
}

void MapVerifier::check_tiles() {
  std::map<std::string, int> wells;
  for (std::size_t i = 0; i < map_.models.size(); ++i)
    wells.emplace(map_.models[i].well, static_cast<int>(i));
  std::set<std::tuple<std::string, mosaic::Side, std::string, std::string>> seen;
  for (std::size_t i = 0; i < map_.tiles.size(); ++i) {
    const MapTile& tile = map_.tiles[i];
    const auto well = wells.find(tile.well);
    demand(well != wells.end(), "/tiles/well", "is not in /model", i);
    tile_well_.push_back(well == wells.end() ? -1 : well->second);
    demand(seen.insert({tile.well, tile.given.side, tile.given.name, tile.file}).second,
           "/tiles/tile", "is there twice", i);
    const bool unreadable = tile.placed.status == mosaic::TileStatus::unreadable;
    demand(unreadable || (amount(tile.given.width_px) && amount(tile.given.height_px)),
           "/tiles/width_px", "or height_px is no finite number >= 0", i);
    demand((tile.placed.status == mosaic::TileStatus::ok) == tile.placed.message.empty(),
           "/tiles/message", "is not there exactly if the status is not ok", i);
    const bool has_place = placed(tile);
    demand(std::isfinite(tile.placed.centre_um[0]) == std::isfinite(tile.placed.centre_um[1]),
           "/tiles/centre_x_um", "is finite and centre_y_um is not, or the reverse", i);
    demand(!has_place ||
               std::ranges::all_of(tile.placed.to_well, [](double v) { return std::isfinite(v); }),
           "/tiles/to_well", "is not finite although the tile is placed", i);
    demand(tile.placed.status != mosaic::TileStatus::not_placed || !has_place, "/tiles/status",
           "is not_placed, but the tile has a place", i);
    demand(tile.placed.status != mosaic::TileStatus::ok || has_place, "/tiles/status",
           "is ok, but the tile has no place", i);
    demand(tile.placed.status != mosaic::TileStatus::empty || tile.nuclei == 0, "/tiles/status",
           "is empty, but the tile has nuclei", i);
    demand(std::isnan(tile.match_rate) || part(tile.match_rate), "/tiles/match_rate",
           "is not within 0 and 1", i);
  }
  detections_.resize(map_.tiles.size());
  links_.resize(map_.tiles.size());
}

void MapVerifier::check_links() {
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
  for (std::size_t i = 0; i < map_.links.size(); ++i) {
    const mosaic::Link& link = map_.links[i];
    if (link.tile_a >= map_.tiles.size() || link.tile_b >= map_.tiles.size()) {
      findings_.add("/links names a tile that is not in /tiles", fmt::format("row {}", i));
      continue;
    }
    demand(link.tile_a < link.tile_b, "/links/tile_a", "is not below tile_b", i);
    demand(seen.insert({link.tile_a, link.tile_b}).second, "/links", "ties two tiles twice", i);
    demand(well_of(link.tile_a) == well_of(link.tile_b), "/links", "ties tiles of two wells", i);
    demand(link.pairs > 0, "/links/pairs", "is 0", i);
    demand(link.log10_significance <= 0.0, "/links/log10_significance", "is above 0", i);
    if (!link.used) continue;
    demand(amount(link.residual_um), "/links/residual_um",
           "is no finite number >= 0 of a link that is used", i);
    demand(amount(link.closure_um), "/links/closure_um",
           "is no finite number >= 0 of a link that is used", i);
    ++links_[link.tile_a];
    ++links_[link.tile_b];
  }
}

void MapVerifier::check_nuclei(const MapNuclei& nuclei, mosaic::Side side, const std::string& group,
                               Objects& objects) {
  std::vector<std::uint32_t> labels;  // of one tile
  for (std::size_t i = 0; i < nuclei.size(); ++i) {
    const std::uint32_t t = nuclei.tile[i];
    if (t >= map_.tiles.size()) {
      findings_.add(group + "/tile is not in /tiles", fmt::format("row {}", i));
      continue;
    }
    const MapTile& tile = map_.tiles[t];
    ++detections_[t];
    demand(tile.given.side == side, group, "/tile", "is a tile of the other side", i);
    demand(i == 0 || nuclei.tile[i - 1] <= t, group, "/tile", "does not ascend", i);
    check_detection(nuclei, i, tile, group);
    labels.push_back(nuclei.label[i]);
    if (i + 1 < nuclei.size() && nuclei.tile[i + 1] == t) continue;
    std::ranges::sort(labels);
    demand(std::ranges::adjacent_find(labels) == labels.end(), group, "/label",
           "is there twice in one tile", i);
    labels.clear();
  }
  check_objects(nuclei, group, objects);
}

void MapVerifier::check_detection(const MapNuclei& nuclei, std::size_t row, const MapTile& tile,
                                  const std::string& group) {
  const double x = nuclei.px.x[row], y = nuclei.px.y[row];
  demand(near_tile(x, tile.given.width_px) && near_tile(y, tile.given.height_px), group, "/x_px",
         "or y_px is not within the tile", row);
  const Point um{nuclei.um.x[row], nuclei.um.y[row]};
  const bool known = std::isfinite(um[0]) && std::isfinite(um[1]);
  if (known != placed(tile)) {
    findings_.add(group + "/x_um is not finite exactly if its tile is placed",
                  fmt::format("row {}", row));
  } else if (known) {
    const Point plain = apply(tile.placed.to_well, {x, y});
    const double width_um =
        std::sqrt(std::abs(determinant(tile.placed.to_well))) * tile.given.width_px;
    demand(std::hypot(um[0] - plain[0], um[1] - plain[1]) < 0.1 * width_um, group, "/x_um",
           "is far from where to_well of its tile takes it", row);
  }
}

void MapVerifier::check_objects(const MapNuclei& nuclei, const std::string& group,
                                Objects& objects) {
  const auto report = [&](const char* what, std::uint64_t row) {
    findings_.add(group + what, fmt::format("row {}", row));
  };
  std::vector<std::uint32_t> last_tile;
  for (std::uint32_t i = 0; i < nuclei.size(); ++i) {
    const std::uint32_t o = nuclei.object[i];
    if (o >= nuclei.size()) {
      report("/object is above the number of detections", i);
      continue;
    }
    if (o >= objects.first.size()) {
      objects.first.resize(o + 1, none);
      objects.representative.resize(o + 1, none);
      last_tile.resize(o + 1, none);
    }
    if (objects.first[o] == none) {
      objects.first[o] = i;
    } else {
      const std::uint32_t first = objects.first[o];
      if (nuclei.unpaired[first] != nuclei.unpaired[i])
        report("/unpaired differs within an object", i);
      if (well_of(nuclei.tile[first]) != well_of(nuclei.tile[i]))
        report("/object spans two wells", i);
      // Pieces of a nucleus that another tile shows whole are one object, and flagged.
      const bool flagged = !nuclei.flag.empty() && nuclei.flag[i] != NucleusFlag::none;
      if (last_tile[o] == nuclei.tile[i] && !flagged)
        report("/object is there twice in one tile", i);
    }
    last_tile[o] = nuclei.tile[i];
    if (nuclei.representative[i] == 0) continue;
    if (objects.representative[o] != none) report("/representative: an object has two", i);
    objects.representative[o] = i;
  }
  for (std::uint32_t o = 0; o < objects.first.size(); ++o) {
    if (objects.first[o] == none)
      findings_.add(group + "/object does not count from 0 without a gap",
                    fmt::format("object {}", o));
    else if (objects.representative[o] == none)
      report("/representative: an object has none", objects.first[o]);
  }
  objects.in_pair.resize(objects.first.size());
}

bool MapVerifier::check_end(const MapNuclei& nuclei, Objects& objects, std::uint32_t end,
                            std::size_t row, const char* column) {
  if (end >= nuclei.size()) {
    demand(false, column, "is not in the table of nuclei", row);
    return false;
  }
  demand(nuclei.representative[end] != 0, column, "is no representative", row);
  const std::uint32_t object = nuclei.object[end];
  if (object >= objects.in_pair.size()) return false;
  demand(objects.in_pair[object] == 0, column, "is paired twice", row);
  objects.in_pair[object] = 1;
  demand(nuclei.unpaired[end] == Unpaired::paired, column, "is called unpaired in its own table",
         row);
  return true;
}

void MapVerifier::check_pairs() {
  for (std::size_t i = 0; i < map_.pairs.size(); ++i) {
    const MapPair& pair = map_.pairs[i];
    const bool ten = check_end(map_.ten, ten_, pair.ten, i, "/pairs/ten");
    const bool forty = check_end(map_.forty, forty_, pair.forty, i, "/pairs/forty");
    if (ten && forty) {
      const int well = well_of(map_.ten.tile[pair.ten]);
      demand(well == well_of(map_.forty.tile[pair.forty]), "/pairs", "joins two wells", i);
      demand(well < 0 || map_.models[static_cast<std::size_t>(well)].matched, "/pairs",
             "is of a well without a match", i);
    }
    demand(amount(pair.distance_um), "/pairs/distance_um", "is no finite number >= 0", i);
    demand(std::isnan(pair.heldout_distance_um) || amount(pair.heldout_distance_um),
           "/pairs/heldout_distance_um", "is no finite number >= 0", i);
    demand(part(pair.probability), "/pairs/probability", "is not within 0 and 1", i);
    demand(part(pair.q_value), "/pairs/q_value", "is not within 0 and 1", i);
    demand(!std::isnan(pair.margin), "/pairs/margin", "is no number", i);
  }
}

void MapVerifier::check_partners(const MapNuclei& nuclei, const std::string& group,
                                 const Objects& objects) {
  for (std::uint32_t o = 0; o < objects.first.size(); ++o)
    if (objects.first[o] != none && objects.in_pair[o] == 0 &&
        nuclei.unpaired[objects.first[o]] == Unpaired::paired)
      findings_.add(group + "/unpaired is paired, but no pair names the nucleus",
                    fmt::format("row {}", objects.first[o]));
}

void MapVerifier::check_q_values() {
  std::map<int, std::vector<std::uint32_t>> wells;
  for (std::uint32_t i = 0; i < map_.pairs.size(); ++i)
    if (map_.pairs[i].ten < map_.ten.size() && !std::isnan(map_.pairs[i].probability))
      wells[well_of(map_.ten.tile[map_.pairs[i].ten])].push_back(i);
  for (auto& [well, order] : wells) {
    std::ranges::sort(order, std::greater(), [&](auto i) { return map_.pairs[i].probability; });
    double highest = 0.0;  // of all with a higher probability
    for (std::size_t i = 0; i < order.size();) {
      double here = highest;
      const double probability = map_.pairs[order[i]].probability;
      for (; i < order.size() && map_.pairs[order[i]].probability == probability; ++i) {
        const double q = map_.pairs[order[i]].q_value;
        demand(!(q < highest), "/pairs/q_value", "falls as the probability falls", order[i]);
        here = std::max(here, q);
      }
      highest = here;
    }
  }
}

void MapVerifier::check_tile_counts() {
  std::vector<std::uint64_t> in_both(map_.tiles.size()), paired(map_.tiles.size());
  for (const MapNuclei* nuclei : {&map_.ten, &map_.forty})
    for (std::size_t i = 0; i < nuclei->size(); ++i) {
      if (nuclei->tile[i] >= map_.tiles.size()) continue;
      in_both[nuclei->tile[i]] += nuclei->unpaired[i] != Unpaired::outside;
      paired[nuclei->tile[i]] += nuclei->unpaired[i] == Unpaired::paired;
    }
  for (std::size_t t = 0; t < map_.tiles.size(); ++t) {
    const MapTile& tile = map_.tiles[t];
    demand(tile.nuclei == detections_[t], "/tiles/nuclei",
           "is not the number of its rows in the table of nuclei", t);
    demand(tile.placed.links == links_[t], "/tiles/links",
           "is not the number of its links that are used", t);
    const double rate = static_cast<double>(paired[t]) / static_cast<double>(in_both[t]);
    demand(std::isnan(tile.match_rate) ? paired[t] == 0 : std::abs(tile.match_rate - rate) < 1e-9,
           "/tiles/match_rate", "is not what the table of nuclei gives", t);
  }
}

void MapVerifier::check_knots_and_decoys() {
  for (std::size_t i = 0; i < map_.knots.size(); ++i) {
    const MapKnot& knot = map_.knots[i];
    demand(knot.model < map_.models.size(), "/deformation/model", "is not in /model", i);
    demand(std::isfinite(knot.x_um + knot.y_um + knot.dx_um + knot.dy_um), "/deformation",
           "holds a number that is not finite", i);
  }
  for (std::size_t i = 0; i < map_.decoys.size(); ++i) {
    const MapDecoy& decoy = map_.decoys[i];
    demand(decoy.model < map_.models.size(), "/decoys/model", "is not in /model", i);
    demand(part(decoy.q_value), "/decoys/q_value", "is not within 0 and 1", i);
    demand(amount(decoy.decoy_pairs), "/decoys/decoy_pairs", "is no finite number >= 0", i);
    std::uint64_t below = 0, up_to = 0;  // q-values may tie; then only some have the probability
    for (const MapPair& pair : map_.pairs) {
      if (pair.ten >= map_.ten.size() ||
          well_of(map_.ten.tile[pair.ten]) != static_cast<int>(decoy.model))
        continue;
      below += pair.q_value < decoy.q_value;
      up_to += pair.q_value <= decoy.q_value;
    }
    demand(below <= decoy.pairs && decoy.pairs <= up_to, "/decoys/pairs",
           "is not the number of pairs up to the q-value", i);
  }
}

void MapVerifier::check_solvers() {
  if (map_.trials.empty()) return;
  const Column* name = map_.solvers.find("name");
  if (!name) findings_.add("/solvers/name is missing");
  for (std::size_t i = 0; i < map_.trials.size(); ++i) {
    const Record& record = map_.trials[i];
    demand(record.configuration < map_.models.size(), "/trials/configuration", "is not in /model",
           i);
    demand(!name || record.solver < name->rows(), "/trials/solver", "is not in /solvers", i);
    if (record.status == SolveStatus::failed || record.status == SolveStatus::not_applicable)
      continue;
    demand(amount(record.objective), "/trials/objective",
           "is no finite number >= 0 in a row that did not fail", i);
    demand(amount(record.wall_seconds), "/trials/wall_s",
           "is no finite number >= 0 in a row that did not fail", i);
  }
}

}  // namespace

MapVerification verify_map(const WellMap& map) {
  return MapVerifier(map).run();
}

}  // namespace nucreg
