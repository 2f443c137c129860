// A mapped well that nobody mapped: nuclei, tiles, objects, pairs and a model that agree with each
// other, so that readers of the file have something to read. Not a result of nucreg.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "nucreg/store/map_file.hpp"

namespace nucreg::sample {

/// Nuclei on a jittered grid of `side_um`; 2 x 2 tiles at 10x, 6 x 6 at 40x.
class MapMaker {
 public:
  explicit MapMaker(double side_um = 1200.0) : side_um_(side_um) {}

  WellMap make() {
    place_nuclei();
    place_tiles(map_.tiles, mosaic::Side::ten, 2, 1.0);
    place_tiles(map_.tiles, mosaic::Side::forty, 6, 0.25);
    spoil_tiles();
    const auto ten = detect(mosaic::Side::ten, map_.ten);
    const auto forty = detect(mosaic::Side::forty, map_.forty);
    pair(ten, forty);
    link();
    rate_tiles();
    describe();
    return std::move(map_);
  }

 private:
  static constexpr double infinite = std::numeric_limits<double>::infinity();

  double uniform() { return static_cast<double>(random_()) / 4294967296.0; }
  double normal() {  // enough of one
    double sum = -6.0;
    for (int i = 0; i < 12; ++i) sum += uniform();
    return sum;
  }

  void place_nuclei() {
    for (double y = 8.0; y < side_um_; y += 16.0)
      for (double x = 8.0; x < side_um_; x += 16.0)
        nuclei_.push_back({x + 4.0 * uniform(), y + 4.0 * uniform()});
  }

  void place_tiles(std::vector<MapTile>& tiles, mosaic::Side side, int count, double pixel_um) {
    const double step = side_um_ / count;
    const double size_px = std::floor(1.1 * step / pixel_um);
    for (int i = 0; i < count * count; ++i) {
      MapTile tile;
      tile.given = {.side = side,
                    .name = std::to_string(i),
                    .width_px = size_px,
                    .height_px = size_px,
                    .pixel_um = pixel_um};
      const Point centre{(i % count + 0.5) * step, (i / count + 0.5) * step};
      tile.given.stage_um = Point{centre[0] + normal(), centre[1] + normal()};
      tile.placed.centre_um = centre;
      tile.placed.centre_sd_um = 0.05;
      const double half = 0.5 * (size_px - 1.0) * pixel_um;
      tile.placed.to_well = {pixel_um, 0.0, centre[0] - half, 0.0, pixel_um, centre[1] - half};
      tile.file = std::string(side == mosaic::Side::ten ? "10x" : "40x") + "/tile_" +
                  std::to_string(i) + ".csv";
      tile.well = "A1";
      tiles.push_back(tile);
    }
  }

  void spoil_tiles() {
    const auto spoil = [&](std::size_t tile, mosaic::TileStatus status, std::string message) {
      map_.tiles[tile].placed.status = status;
      map_.tiles[tile].placed.message = std::move(message);
    };
    spoil(4 + 7, mosaic::TileStatus::empty, "No nucleus was found.");
    spoil(4 + 20, mosaic::TileStatus::position_wrong,
          "The stage position is 812 um from where its nuclei place it.");
    map_.tiles[4 + 20].given.stage_um = Point{40.0, 40.0};
    spoil(4 + 35, mosaic::TileStatus::not_placed, "No link ties it to the well.");
    mosaic::PlacedTile& lost = map_.tiles[4 + 35].placed;
    lost.centre_um = {std::nan(""), std::nan("")};
    lost.centre_sd_um = std::nan("");
    lost.to_well.fill(std::nan(""));
    lost.island = 1;
  }

  /// Row of the representative of each nucleus that is detected.
  std::map<std::size_t, std::uint32_t> detect(mosaic::Side side, MapNuclei& out) {
    std::map<std::size_t, std::uint32_t> object, row;
    std::map<std::size_t, double> depth;
    const double noise_um = side == mosaic::Side::ten ? 0.3 : 0.2;
    const std::size_t first = side == mosaic::Side::ten ? 0 : 4;
    const std::size_t last = side == mosaic::Side::ten ? 4 : map_.tiles.size();
    for (std::size_t t = first; t < last; ++t) {
      MapTile& tile = map_.tiles[t];
      const bool placed = tile.placed.status != mosaic::TileStatus::not_placed;
      if (tile.placed.status == mosaic::TileStatus::empty) continue;
      const double pixel = *tile.given.pixel_um;
      const double half = 0.5 * (tile.given.width_px - 1.0);
      const Point centre = placed ? tile.placed.centre_um : Point{side_um_, side_um_};
      for (std::size_t n = 0; n < nuclei_.size(); ++n) {
        const Point um{nuclei_[n][0] + noise_um * normal(), nuclei_[n][1] + noise_um * normal()};
        const Point px{(um[0] - centre[0]) / pixel + half, (um[1] - centre[1]) / pixel + half};
        const double edge = std::min({px[0], px[1], 2 * half - px[0], 2 * half - px[1]});
        if (edge < 0.0 || uniform() < 0.05) continue;
        const auto at = static_cast<std::uint32_t>(out.size());
        // What is not placed is nobody's second detection.
        const std::size_t who = placed ? n : nuclei_.size() + n;
        const auto [entry, is_new] =
            object.try_emplace(who, static_cast<std::uint32_t>(object.size()));
        out.tile.push_back(static_cast<std::uint32_t>(t));
        out.label.push_back(++tile.nuclei);
        out.px.x.push_back(px[0]);
        out.px.y.push_back(px[1]);
        out.um.x.push_back(placed ? um[0] : std::nan(""));
        out.um.y.push_back(placed ? um[1] : std::nan(""));
        out.object.push_back(entry->second);
        out.representative.push_back(0);
        out.unpaired.push_back(placed ? Unpaired::no_candidate : Unpaired::outside);
        out.flag.push_back(n % 97 == 0 ? NucleusFlag::split : NucleusFlag::none);
        if (is_new || edge > depth[who]) {
          row[who] = at;
          depth[who] = edge;
        }
      }
    }
    for (const auto& [who, at] : row) out.representative[at] = 1;
    return row;
  }

  void pair(const std::map<std::size_t, std::uint32_t>& ten,
            const std::map<std::size_t, std::uint32_t>& forty) {
    std::vector<bool> ten_paired(map_.ten.size()), forty_paired(map_.forty.size());
    for (const auto& [who, a] : ten) {
      const auto b = forty.find(who);
      if (b == forty.end()) continue;
      const double distance = std::hypot(map_.ten.um.x[a] - map_.forty.um.x[b->second],
                                         map_.ten.um.y[a] - map_.forty.um.y[b->second]);
      MapPair made{.ten = a, .forty = b->second, .distance_um = distance};
      made.heldout_distance_um = distance * 1.01;
      made.probability = 1.0 / (1.0 + 1e-3 * std::exp(2.0 * distance));
      made.margin = who % 5 == 0 ? infinite : 12.0 - distance;
      map_.pairs.push_back(made);
      ten_paired[map_.ten.object[a]] = forty_paired[map_.forty.object[b->second]] = true;
    }
    give_q_values();
    mark(map_.ten, ten_paired);
    mark(map_.forty, forty_paired);
  }

  void give_q_values() {
    std::vector<std::size_t> order(map_.pairs.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::sort(order, std::greater(), [&](auto i) { return map_.pairs[i].probability; });
    double wrong = 0.0, count = 0.0;
    for (const std::size_t i : order) {
      wrong += 1.0 - map_.pairs[i].probability;
      map_.pairs[i].q_value = wrong / ++count;
    }
  }

  static void mark(MapNuclei& nuclei, const std::vector<bool>& paired) {
    for (std::size_t i = 0; i < nuclei.size(); ++i)
      if (paired[nuclei.object[i]]) nuclei.unpaired[i] = Unpaired::paired;
  }

  void link() {
    for (std::uint32_t a = 0; a < map_.tiles.size(); ++a)
      for (std::uint32_t b = a + 1; b < map_.tiles.size(); ++b) {
        const MapTile &s = map_.tiles[a], &t = map_.tiles[b];
        if (s.nuclei == 0 || t.nuclei == 0) continue;
        const double reach =
            0.5 * (s.given.width_px * *s.given.pixel_um + t.given.width_px * *t.given.pixel_um);
        const double apart = std::max(std::abs(s.placed.centre_um[0] - t.placed.centre_um[0]),
                                      std::abs(s.placed.centre_um[1] - t.placed.centre_um[1]));
        if (!(apart < 0.95 * reach)) continue;  // nor what is not placed
        const bool used = (a + b) % 19 != 0;
        map_.links.push_back({.tile_a = a,
                              .tile_b = b,
                              .pairs = 20 + (a * b) % 60,
                              .log10_significance = -12.0 - 0.5 * ((a * b) % 60),
                              .residual_um = 0.3 + 0.05 * normal(),
                              .closure_um = used ? 0.1 + 0.1 * uniform() : 9.0,
                              .used = used});
        for (const std::uint32_t tile : {a, b}) map_.tiles[tile].placed.links += used;
      }
  }

  void rate_tiles() {
    std::vector<double> seen(map_.tiles.size()), paired(map_.tiles.size());
    for (const MapNuclei* nuclei : {&map_.ten, &map_.forty})
      for (std::size_t i = 0; i < nuclei->size(); ++i) {
        seen[nuclei->tile[i]] += nuclei->unpaired[i] != Unpaired::outside;
        paired[nuclei->tile[i]] += nuclei->unpaired[i] == Unpaired::paired;
      }
    for (std::size_t t = 0; t < seen.size(); ++t)
      if (seen[t] > 0) map_.tiles[t].match_rate = paired[t] / seen[t];
  }

  void describe() {
    MapModel model;
    model.well = "A1";
    model.ten = {.camera = {.um_per_px = {1.0, 0.0, 0.0, 1.0}, .k1 = 2e-4, .noise_um = 0.3},
                 .pixel_um = 1.0,
                 .turn_deg = 0.0};
    model.forty = {.camera = {.um_per_px = {0.25, 0.0, 0.0, 0.25}, .k1 = -1e-4, .noise_um = 0.2},
                   .pixel_um = 0.25,
                   .turn_deg = 0.0};
    model.forty_to_well = identity_map;
    model.turn_deg = model.shift_x_um = model.shift_y_um = 0.0;
    model.magnification = 4.0;
    model.deformation = "spline";
    model.solver = "LM";
    model.loss = "cauchy";
    model.evaluations = 7;
    model.wall_seconds = 0.01;
    model.objective = 512.0;
    model.heldout_rms_um = 0.52;
    map_.models = {model};
    for (int i = 0; i < 9; ++i)
      map_.knots.push_back({.x_um = i % 3 * 0.5 * side_um_,
                            .y_um = i / 3 * 0.5 * side_um_,
                            .dx_um = 0.1 * i,
                            .dy_um = -0.1 * i});
    for (const double q : {0.001, 0.01, 0.05}) {
      const auto pairs =
          std::ranges::count_if(map_.pairs, [&](const MapPair& p) { return p.q_value <= q; });
      map_.decoys.push_back({.q_value = q,
                             .pairs = static_cast<std::uint64_t>(pairs),
                             .decoy_pairs = 0.9 * q * static_cast<double>(pairs),
                             .decoys = 4});
    }
    map_.solvers = {"solvers",
                    {{"name", "1", std::vector<std::string>{"L-BFGS", "LM"}},
                     {"kind", "1", std::vector<std::string>{"nlopt", "lm"}},
                     {"algorithm", "1", std::vector<std::string>{"LD_LBFGS", ""}},
                     {"options", "1", std::vector<std::string>{"", ""}}}};
    for (std::uint32_t s = 0; s < 2; ++s) {
      Record record;
      record.solver = s;
      record.status = SolveStatus::converged;
      record.pairs = static_cast<std::int64_t>(map_.pairs.size());
      record.rmsd_px = 0.52;
      record.objective = 512.0;
      record.wall_seconds = record.cpu_seconds = s == 0 ? 0.08 : 0.01;
      record.function_evaluations = s == 0 ? 240 : 7;
      record.timing_valid = true;
      map_.trials.push_back(record);
    }
    map_.attributes = {{"status", std::string("complete")},
                       {"map_toml", std::string("[map]\nten = \"ten.csv\"\n")},
                       {"inputs", std::string("ten.csv\nforty.csv\n")},
                       {"created_utc", std::string("2026-01-01T00:00:00Z")},
                       {"mpi_ranks", std::int64_t{1}},
                       {"mpi_library", std::string("none")},
                       {"nucreg_version", std::string("0")},
                       {"git_revision", std::string("none")},
                       {"compiler", std::string("none")},
                       {"cpu_model", std::string("none")}};
  }

  double side_um_;
  std::mt19937 random_{1};
  std::vector<Point> nuclei_;
  WellMap map_;
};

}  // namespace nucreg::sample
