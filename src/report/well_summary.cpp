#include "nucreg/report/well.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "nucreg/core/error.hpp"
#include "nucreg/core/text.hpp"

namespace nucreg {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::uint32_t min_nuclei = 30;  // fewer give no match rate to speak of

double median(std::vector<double> values) {
  std::erase_if(values, [](double v) { return std::isnan(v); });
  if (values.empty()) return nan;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

[[noreturn]] void out_of_range(const std::string& key, std::uint64_t row) {
  throw InputError(fmt::format("row {} refers to a row that does not exist", row), {.key = key});
}

class Summarizer {
 public:
  explicit Summarizer(const WellMap& map) : map_(map) {}

  WellSummary run() {
    summary_.attributes = map_.attributes;
    summary_.solvers = map_.solvers;
    summary_.trials = map_.trials;
    for (const MapModel& model : map_.models) {
      by_name_.emplace(model.well, summary_.wells.size());
      summary_.wells.push_back({.model = model});
    }
    count_tiles();
    count_nuclei(map_.ten, &WellOverview::ten, "/nuclei_10x/tile");
    count_nuclei(map_.forty, &WellOverview::forty, "/nuclei_40x/tile");
    count_pairs();
    count_links();
    look_at_tiles();
    check_solvers();
    return std::move(summary_);
  }

 private:
  WellOverview& well_of(std::uint64_t tile, const std::string& key, std::uint64_t row) {
    if (tile >= wells_.size()) out_of_range(key, row);
    return summary_.wells[wells_[tile]];
  }

  void count_tiles() {
    for (std::size_t t = 0; t < map_.tiles.size(); ++t) {
      const MapTile& tile = map_.tiles[t];
      const auto well = by_name_.find(tile.well);
      if (well == by_name_.end()) out_of_range("/tiles/well", t);
      wells_.push_back(well->second);
      WellOverview& overview = summary_.wells[well->second];
      WellSide& side = tile.given.side == mosaic::Side::ten ? overview.ten : overview.forty;
      ++side.tiles;
      side.placed += std::isfinite(tile.placed.centre_um[0]);
    }
  }

  void count_nuclei(const MapNuclei& nuclei, WellSide WellOverview::*of, const std::string& key) {
    for (std::size_t i = 0; i < nuclei.size(); ++i) {
      WellSide& side = well_of(nuclei.tile[i], key, i).*of;
      ++side.detections;
      if (nuclei.representative[i] == 0) continue;
      ++side.nuclei;
      ++side.reasons[static_cast<std::size_t>(nuclei.unpaired[i])];
      side.in_both += nuclei.unpaired[i] != Unpaired::outside;
      side.paired += nuclei.unpaired[i] == Unpaired::paired;
    }
  }

  void count_pairs() {
    std::vector<std::vector<double>> distances(summary_.wells.size());
    for (std::size_t p = 0; p < map_.pairs.size(); ++p) {
      const MapPair& pair = map_.pairs[p];
      if (pair.ten >= map_.ten.size()) out_of_range("/pairs/ten", p);
      WellOverview& well = well_of(map_.ten.tile[pair.ten], "/nuclei_10x/tile", pair.ten);
      ++well.pairs;
      well.pairs_at_1_percent += pair.q_value <= 0.01;
      well.expected_wrong += 1.0 - pair.probability;
      distances[static_cast<std::size_t>(&well - summary_.wells.data())].push_back(
          pair.distance_um);
    }
    for (std::size_t w = 0; w < summary_.wells.size(); ++w) {
      WellOverview& well = summary_.wells[w];
      well.expected_wrong = well.pairs == 0 ? nan : well.expected_wrong / double(well.pairs);
      well.median_distance_um = median(std::move(distances[w]));
    }
  }

  void count_links() {
    std::vector<std::vector<double>> closures(summary_.wells.size());
    for (std::size_t i = 0; i < map_.links.size(); ++i) {
      const mosaic::Link& link = map_.links[i];
      WellOverview& well = well_of(link.tile_a, "/links/tile_a", i);
      ++well.links;
      well.links_used += link.used;
      if (link.used)
        closures[static_cast<std::size_t>(&well - summary_.wells.data())].push_back(
            std::abs(link.closure_um));
    }
    for (std::size_t w = 0; w < summary_.wells.size(); ++w)
      summary_.wells[w].median_closure_um = median(std::move(closures[w]));
  }

  void look_at_tiles() {
    std::map<std::pair<std::size_t, mosaic::Side>, std::vector<double>> rates;
    for (std::size_t t = 0; t < map_.tiles.size(); ++t)
      if (map_.tiles[t].nuclei >= min_nuclei)
        rates[{wells_[t], map_.tiles[t].given.side}].push_back(map_.tiles[t].match_rate);
    std::map<std::pair<std::size_t, mosaic::Side>, double> medians;
    for (auto& [side, values] : rates) medians[side] = median(std::move(values));
    for (std::size_t t = 0; t < map_.tiles.size(); ++t) {
      const MapTile& tile = map_.tiles[t];
      TileRemark remark{static_cast<std::uint32_t>(t), tile,
                        std::string(name_of(tile.placed.status)), tile.placed.message};
      if (tile.placed.status == mosaic::TileStatus::ok) {
        if (tile.nuclei < min_nuclei) continue;
        const double usual = medians.at({wells_[t], tile.given.side});
        if (!(tile.match_rate < 0.5 * usual)) continue;
        remark.what = "low match rate";
        remark.message =
            fmt::format("{:.1f} % of its nuclei in both fields are paired; the median is {:.1f} %.",
                        100.0 * tile.match_rate, 100.0 * usual);
      }
      summary_.wells[wells_[t]].look_at.push_back(summary_.tiles.size());
      summary_.tiles.push_back(std::move(remark));
    }
  }

  void check_solvers() const {
    if (map_.trials.empty()) return;
    const Column* name = map_.solvers.find("name");
    if (!name || !std::holds_alternative<std::vector<std::string>>(name->values))
      throw InputError("is missing", {.key = "/solvers/name"});
    for (std::size_t i = 0; i < map_.trials.size(); ++i)
      if (map_.trials[i].solver >= name->rows()) out_of_range("/trials/solver", i);
  }

  const WellMap& map_;
  std::map<std::string, std::size_t> by_name_;
  std::vector<std::size_t> wells_;  // of each tile
  WellSummary summary_;
};

}  // namespace

double WellOverview::paired_rate() const {
  const auto in_both = static_cast<double>(ten.in_both + forty.in_both);
  return in_both > 0 ? static_cast<double>(ten.paired + forty.paired) / in_both : nan;
}

WellSummary summarize(const WellMap& map) {
  return Summarizer(map).run();
}

std::string sentence(const WellOverview& well) {
  const std::size_t tiles = well.look_at.size();
  const std::string look =
      tiles == 0 ? "no tile needs a look"
                 : fmt::format("{} need{} a look", counted(tiles, "tile"), tiles == 1 ? "s" : "");
  if (!well.model.matched) {
    std::string why = well.model.message;
    while (why.ends_with('.')) why.pop_back();
    return "no match" + (why.empty() ? "" : ": " + why) + "; " + look;
  }
  if (well.pairs == 0) return "no nucleus is paired; " + look;
  return fmt::format("{:.1f} % of nuclei in both fields paired, expected wrong {:.1f} %, {}",
                     100.0 * well.paired_rate(), 100.0 * well.expected_wrong, look);
}

}  // namespace nucreg
