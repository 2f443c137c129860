#include "nucreg/report/well.hpp"

#include <fmt/format.h>

#include <map>

#include "export_file.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/disk/publish.hpp"
#include "nucreg/store/anndata_file.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

std::string_view side_number(mosaic::Side side) {
  return side == mosaic::Side::ten ? "10" : "40";
}

/// A pair with what it refers to.
struct Ends {
  std::uint32_t ten, forty;
  const MapTile &tile_10x, &tile_40x;
};

class Lookup {
 public:
  explicit Lookup(const WellMap& map) : map_(map) {}

  [[nodiscard]] const MapTile& tile_of(const MapNuclei& nuclei, std::uint32_t row,
                                       const char* key) const {
    if (nuclei.tile[row] >= map_.tiles.size())
      throw InputError(fmt::format("row {} is of a tile that does not exist", row), {.key = key});
    return map_.tiles[nuclei.tile[row]];
  }
  [[nodiscard]] Ends ends(std::size_t row) const {
    const MapPair& pair = map_.pairs[row];
    if (pair.ten >= map_.ten.size() || pair.forty >= map_.forty.size())
      throw InputError(fmt::format("row {} refers to a nucleus that does not exist", row),
                       {.key = "/pairs"});
    return {pair.ten, pair.forty, tile_of(map_.ten, pair.ten, "/nuclei_10x/tile"),
            tile_of(map_.forty, pair.forty, "/nuclei_40x/tile")};
  }

 private:
  const WellMap& map_;
};

void write_pairs(const WellMap& map, TextFile& file) {
  const Lookup lookup(map);
  CsvLine line;
  file.write(
      "well,tile_10x,label_10x,x_10x_px,y_10x_px,tile_40x,label_40x,x_40x_px,y_40x_px,distance_um,"
      "probability,q_value\n");
  for (std::size_t i = 0; i < map.pairs.size(); ++i) {
    const Ends ends = lookup.ends(i);
    const MapPair& pair = map.pairs[i];
    line << ends.tile_10x.well << ends.tile_10x.given.name << map.ten.label[ends.ten]
         << map.ten.px.x[ends.ten] << map.ten.px.y[ends.ten] << ends.tile_40x.given.name
         << map.forty.label[ends.forty] << map.forty.px.x[ends.forty] << map.forty.px.y[ends.forty]
         << pair.distance_um << pair.probability << pair.q_value;
    file.write(line.take());
  }
}

void write_tiles(const WellMap& map, TextFile& file) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CsvLine line;
  file.write(
      "well,side,tile,file,width_px,height_px,pixel_um,stage_x_um,stage_y_um,centre_x_um,"
      "centre_y_um,centre_sd_um,a,b,tx,c,d,ty,nuclei,links,match_rate,island,status,message\n");
  for (const MapTile& tile : map.tiles) {
    const Point stage = tile.given.stage_um.value_or(Point{nan, nan});
    line << tile.well << side_number(tile.given.side) << tile.given.name << tile.file
         << tile.given.width_px << tile.given.height_px << tile.given.pixel_um.value_or(nan)
         << stage[0] << stage[1] << tile.placed.centre_um[0] << tile.placed.centre_um[1]
         << tile.placed.centre_sd_um;
    for (const double number : tile.placed.to_well) line << number;
    line << tile.nuclei << tile.placed.links << tile.match_rate << tile.placed.island
         << name_of(tile.placed.status) << tile.placed.message;
    file.write(line.take());
  }
}

void write_unpaired(const WellMap& map, TextFile& file) {
  const Lookup lookup(map);
  CsvLine line;
  file.write("well,side,tile,label,x_px,y_px,x_um,y_um,reason\n");
  for (const MapNuclei* nuclei : {&map.ten, &map.forty})
    for (std::uint32_t i = 0; i < nuclei->size(); ++i) {
      if (nuclei->representative[i] == 0 || nuclei->unpaired[i] == Unpaired::paired) continue;
      const MapTile& tile =
          lookup.tile_of(*nuclei, i, nuclei == &map.ten ? "/nuclei_10x/tile" : "/nuclei_40x/tile");
      line << tile.well << side_number(tile.given.side) << tile.given.name << nuclei->label[i]
           << nuclei->px.x[i] << nuclei->px.y[i] << nuclei->um.x[i] << nuclei->um.y[i]
           << name_of(nuclei->unpaired[i]);
      file.write(line.take());
    }
}

/// Pixel size at 10x as found; as given if the well was not matched.
double pixel_10x_um(const WellMap& map, const MapTile& tile) {
  for (const MapModel& model : map.models)
    if (model.well == tile.well && model.ten.pixel_um > 0.0) return model.ten.pixel_um;
  return tile.given.pixel_um.value_or(std::numeric_limits<double>::quiet_NaN());
}

/// Words of one column, numbered as they appear.
class Words {
 public:
  explicit Words(std::string name) : name_(std::move(name)) {}
  void add(const std::string& word) {
    const auto [at, is_new] =
        known_.try_emplace(word, static_cast<std::int32_t>(words_.names.size()));
    if (is_new) words_.names.push_back(word);
    words_.codes.push_back(at->second);
  }
  [[nodiscard]] AnnColumn take() { return {std::move(name_), std::move(words_)}; }

 private:
  std::string name_;
  std::map<std::string, std::int32_t> known_;
  Categories words_;
};

void write_points(const WellMap& map, const MapNuclei& nuclei, const char* key, TextFile& file) {
  const Lookup lookup(map);
  CsvLine line;
  file.write("index,axis-0,axis-1,well,tile,label,object,unpaired\n");
  std::size_t index = 0;
  for (std::uint32_t i = 0; i < nuclei.size(); ++i) {
    if (nuclei.representative[i] == 0 || !std::isfinite(nuclei.um.x[i] + nuclei.um.y[i])) continue;
    const MapTile& tile = lookup.tile_of(nuclei, i, key);
    line << index++ << nuclei.um.y[i] << nuclei.um.x[i] << tile.well << tile.given.name
         << nuclei.label[i] << nuclei.object[i] << name_of(nuclei.unpaired[i]);
    file.write(line.take());
  }
}

}  // namespace

std::vector<fs::path> export_well_csv(const WellMap& map, const fs::path& folder, bool overwrite) {
  const auto paths = export_paths(folder, {"pairs.csv", "tiles.csv", "unpaired.csv"}, overwrite);
  TextFile pairs(paths[0]), tiles(paths[1]), unpaired(paths[2]);
  write_pairs(map, pairs);
  write_tiles(map, tiles);
  write_unpaired(map, unpaired);
  for (TextFile* file : {&pairs, &tiles, &unpaired}) file->publish(overwrite);
  return paths;
}

std::vector<fs::path> export_brieflow(const WellMap& map, const fs::path& folder, bool overwrite) {
  const auto paths = export_paths(folder, {"merge.csv"}, overwrite);
  const Lookup lookup(map);
  TextFile file(paths[0]);
  CsvLine line;
  file.write("plate,well,tile,cell_0,i_0,j_0,site,cell_1,i_1,j_1,distance\n");
  for (std::size_t i = 0; i < map.pairs.size(); ++i) {
    const Ends ends = lookup.ends(i);
    line << 1 << ends.tile_10x.well << ends.tile_40x.given.name << map.forty.label[ends.forty]
         << map.forty.px.y[ends.forty] << map.forty.px.x[ends.forty] << ends.tile_10x.given.name
         << map.ten.label[ends.ten] << map.ten.px.y[ends.ten] << map.ten.px.x[ends.ten]
         << map.pairs[i].distance_um / pixel_10x_um(map, ends.tile_10x);
    file.write(line.take());
  }
  file.publish(overwrite);
  return paths;
}

std::vector<fs::path> export_anndata(const WellMap& map, const fs::path& folder, bool overwrite) {
  const auto paths = export_paths(folder, {"pairs.h5ad"}, overwrite);
  const Lookup lookup(map);
  AnnTable table;
  Words well("well"), tile_10x("tile_10x"), tile_40x("tile_40x");
  std::vector<std::int64_t> label_10x, label_40x;
  std::vector<double> numbers[9];
  for (std::size_t i = 0; i < map.pairs.size(); ++i) {
    const Ends ends = lookup.ends(i);
    const MapPair& pair = map.pairs[i];
    const std::uint32_t a = ends.ten, b = ends.forty;
    const std::string name = fmt::format("{}_{}", ends.tile_10x.given.name, map.ten.label[a]);
    table.index.push_back(ends.tile_10x.well.empty() ? name : ends.tile_10x.well + "_" + name);
    well.add(ends.tile_10x.well);
    tile_10x.add(ends.tile_10x.given.name);
    tile_40x.add(ends.tile_40x.given.name);
    label_10x.push_back(map.ten.label[a]);
    label_40x.push_back(map.forty.label[b]);
    const double row[] = {map.ten.px.x[a],   map.ten.px.y[a],  map.forty.px.x[b],
                          map.forty.px.y[b], pair.distance_um, pair.heldout_distance_um,
                          pair.probability,  pair.q_value,     pair.margin};
    for (std::size_t c = 0; c < std::size(row); ++c) numbers[c].push_back(row[c]);
    table.spatial.push_back(map.ten.um.x[a]);
    table.spatial.push_back(map.ten.um.y[a]);
  }
  const char* const names[] = {"x_10x_px",    "y_10x_px",    "x_40x_px",
                               "y_40x_px",    "distance_um", "heldout_distance_um",
                               "probability", "q_value",     "margin"};
  table.columns.push_back(well.take());
  table.columns.push_back(tile_10x.take());
  table.columns.push_back({"label_10x", std::move(label_10x)});
  table.columns.push_back(tile_40x.take());
  table.columns.push_back({"label_40x", std::move(label_40x)});
  for (std::size_t c = 0; c < std::size(names); ++c)
    table.columns.push_back({names[c], std::move(numbers[c])});
  write_anndata(paths[0], table, overwrite);
  return paths;
}

std::vector<fs::path> export_napari(const WellMap& map, const fs::path& folder, bool overwrite) {
  const auto paths = export_paths(folder, {"nuclei_10x.csv", "nuclei_40x.csv"}, overwrite);
  TextFile ten(paths[0]), forty(paths[1]);
  write_points(map, map.ten, "/nuclei_10x/tile", ten);
  write_points(map, map.forty, "/nuclei_40x/tile", forty);
  for (TextFile* file : {&ten, &forty}) file->publish(overwrite);
  return paths;
}

}  // namespace nucreg
