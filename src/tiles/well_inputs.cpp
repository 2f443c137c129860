#include "nucreg/tiles/well_inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "nucreg/core/error.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/disk/files.hpp"
#include "nucreg/image/image.hpp"
#include "nucreg/nuclei/nuclei_table.hpp"
#include "nucreg/tiles/sheet.hpp"
#include "nucreg/tiles/tiles.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;
using mosaic::Side;

bool is_text_table(const std::string& file) {
  return is_nuclei_table(file) && !is_npy(file);
}

// What nucreg segment says of the image in the description of its label image.
void take_segment_facts(const fs::path& labels, TileInput& tile) {
  const std::string text = read_tiff_description(labels);
  const auto number = [&](std::string_view key) -> std::optional<double> {
    const std::size_t at = text.find(fmt::format(" {}=", key));
    if (at == std::string::npos) return std::nullopt;
    return leading_number<double>(std::string_view(text).substr(at + key.size() + 2));
  };
  tile.x_um = number("stage_x_um");
  tile.y_um = number("stage_y_um");
  tile.pixel_um = number("pixel_um");
}

class SideLister {
 public:
  SideLister(const MapJob& map, Side side, std::vector<std::string>& notes)
      : map_(map), side_(side), notes_(notes) {}

  std::vector<TileInput> list() {
    const auto& inputs = side_ == Side::ten ? map_.map.ten : map_.map.forty;
    for (const std::string& input : inputs) add(input);
    if (tiles_.empty())
      throw InputError(fmt::format("no tiles at {}", magnification_of(side_)),
                       place("tiles at both sides"));
    return std::move(tiles_);
  }

 private:
  [[nodiscard]] ErrorFields place(const std::string& allowed) const {
    return where(map_, side_ == Side::ten ? "map.ten" : "map.forty", allowed);
  }
  [[nodiscard]] TileInput empty_tile(const std::string& file) const {
    const bool ten = side_ == Side::ten;
    TileInput tile{.side = side_,
                   .file = file,
                   .channel = ten ? map_.images.channel_10x : map_.images.channel_40x,
                   .diameter_px = ten ? map_.images.diameter_10x_px : map_.images.diameter_40x_px};
    const double pixel_um = ten ? map_.place.pixel_10x_um : map_.place.pixel_40x_um;
    if (pixel_um > 0.0) tile.pixel_um = pixel_um;
    return tile;
  }

  void add(const std::string& input) {
    std::error_code unreadable;
    if (fs::is_directory(input, unreadable)) return add_folder(input);
    if (fs::exists(input, unreadable)) {
      if (!fs::is_regular_file(input, unreadable))
        throw InputError("is not a regular file",
                         {.file = input,
                          .allowed = "a sheet, a folder, a file, or a glob; save to a file what "
                                     "comes through a pipe"});
      if (is_text_table(input) && is_sheet(input)) return add_sheet(input);
      return add_file(input, true);
    }
    const std::vector<std::string> found = files_matching(input);
    if (found.empty())
      throw InputError(fmt::format("\"{}\" matches no file", input),
                       place("a sheet, a folder, a file, or a glob that matches files"));
    const bool alone = found.size() == 1;
    for (const std::string& file : found) {
      if (fs::is_directory(file, unreadable))
        throw InputError("is a folder", {.file = file, .allowed = "files in a glob"});
      if (alone && is_text_table(file) && is_sheet(file))
        add_sheet(file);
      else
        add_file(file, alone);
    }
  }

  void add_sheet(const std::string& file) {
    Sheet sheet = read_sheet(file);
    for (std::string& note : sheet.notes) notes_.push_back(std::move(note));
    std::map<std::string, std::size_t> times;
    for (const SheetTile& row : sheet.tiles) ++times[row.file];
    for (const SheetTile& row : sheet.tiles) {
      TileInput tile = empty_tile(row.file);
      tile.frame = row.frame;
      tile.tile = row.tile.empty() ? fs::path(row.file).stem().string() : row.tile;
      tile.well = row.well;
      tile.part_of_table = times[row.file] > 1 && !row.frame;
      tile.sheet = file;
      tile.line = row.line;
      if (is_nuclei_table(row.file))
        take_row(tile, row);
      else
        look_into_image(tile, row);
    }
  }
  // What the sheet says comes before what the file says.
  void take_row(TileInput tile, const SheetTile& row) {
    if (row.x_um) tile.x_um = row.x_um, tile.y_um = row.y_um;
    if (row.pixel_um && !(pixel_of_map() > 0.0)) tile.pixel_um = row.pixel_um;
    if (row.width_px) tile.width_px = row.width_px;
    if (row.height_px) tile.height_px = row.height_px;
    tile.row = row.row;
    tile.column = row.column;
    tiles_.push_back(std::move(tile));
  }
  [[nodiscard]] double pixel_of_map() const {
    return side_ == Side::ten ? map_.place.pixel_10x_um : map_.place.pixel_40x_um;
  }

  void look_into_image(TileInput tile, const SheetTile& row) {
    std::shared_ptr<ImageReader> reader;
    try {
      reader = opened_image(tile.file);
    } catch (const InputError& e) {
      tile.unreadable = e.what();
      return take_row(std::move(tile), row);
    }
    const ImageInfo& info = reader->info();
    const std::size_t frames = info.frames.size();
    const auto refuse = [&](const std::string& problem) {
      throw InputError(problem, {.file = tile.sheet,
                                 .line = tile.line,
                                 .key = "column file",
                                 .allowed = "file#frame, frames counted from 0"});
    };
    if (row.frame && *row.frame >= frames)
      refuse(fmt::format("{} has {}, none has the number {}", tile.file, counted(frames, "frame"),
                         *row.frame));
    if (!row.frame && frames > 1)
      refuse(fmt::format("{} has {}", tile.file, counted(frames, "frame")));
    take_image_facts(tile, info, row.frame.value_or(0));
    take_row(std::move(tile), row);
  }

  void take_image_facts(TileInput& tile, const ImageInfo& info, std::size_t frame) const {
    tile.width_px = static_cast<double>(info.width_px);
    tile.height_px = static_cast<double>(info.height_px);
    if (!tile.pixel_um) tile.pixel_um = info.pixel_size_um;
    const ImageFrame& at = info.frames[frame];
    if (at.x_um && at.y_um) tile.x_um = at.x_um, tile.y_um = at.y_um;
  }

  // Tables that nucreg segment wrote, each beside its label image.
  void add_folder(const std::string& folder) {
    std::vector<fs::path> tables;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error))
      if (entry.path().extension() == ".csv" && fs::exists(labels_of(entry.path())))
        tables.push_back(entry.path());
    if (error) throw InputError(error.message(), {.file = folder});
    if (tables.empty())
      throw InputError("holds no tables with their label images",
                       {.file = folder,
                        .allowed = "a folder that nucreg segment wrote (NAME.csv and "
                                   "NAME_labels.tif); else a sheet or a glob"});
    std::ranges::sort(tables);
    for (const fs::path& table : tables) {
      TileInput tile = empty_tile(table.string());
      tile.tile = table.stem().string();
      tile.well = well_in_name(tile.file);
      try {
        const ImageInfo info = open_image(labels_of(table))->info();
        tile.width_px = static_cast<double>(info.width_px);
        tile.height_px = static_cast<double>(info.height_px);
        const auto pixel_um = tile.pixel_um;
        take_segment_facts(labels_of(table), tile);
        if (pixel_um) tile.pixel_um = pixel_um;
      } catch (const InputError& e) {  // the table alone serves as well
        notes_.push_back(fmt::format("{}: size and position are not known", e.what()));
      }
      tiles_.push_back(std::move(tile));
    }
  }
  static fs::path labels_of(const fs::path& table) {
    return table.parent_path() / (table.stem().string() + "_labels.tif");
  }

  void add_file(const std::string& file, bool alone) {
    if (is_text_table(file) && alone && add_long_table(file)) return;
    TileInput tile = empty_tile(file);
    tile.tile = fs::path(file).stem().string();
    tile.well = well_in_name(file);
    if (is_nuclei_table(file)) {
      tiles_.push_back(std::move(tile));
      return;
    }
    try {
      const std::unique_ptr<ImageReader> reader = open_image(file);
      const ImageInfo& info = reader->info();
      const std::size_t channel = channel_or_first(info, tile.channel, file);
      for (std::size_t frame = 0; frame < info.frames.size(); ++frame) {
        if (!reader->holds(frame, channel)) continue;
        TileInput one = tile;
        if (info.frames.size() > 1) {
          one.frame = frame;
          one.tile += fmt::format("#{}", frame);
        }
        take_image_facts(one, info, frame);
        tiles_.push_back(std::move(one));
      }
    } catch (const InputError& e) {
      tile.unreadable = e.what();
      tiles_.push_back(std::move(tile));
    }
  }

  // A channel that is not there is reported when it is read.
  static std::size_t channel_or_first(const ImageInfo& info, const std::string& channel,
                                      const std::string& file) {
    try {
      return find_channel(info, channel, file);
    } catch (const InputError&) {
      return 0;
    }
  }

  // A table of the nuclei of several tiles.
  bool add_long_table(const std::string& file) {
    TableOptions options{.tiles = true};
    options.pixel_um = empty_tile(file).pixel_um;
    const NucleiTable table = read_nuclei_table(file, options);
    if (table.tiles.empty()) return false;
    std::set<std::pair<std::string, std::string>> known;
    for (std::size_t i = 0; i < table.tiles.size(); ++i) {
      const std::string well = table.wells.empty() ? std::string() : table.wells[i];
      if (!known.emplace(well, table.tiles[i]).second) continue;
      TileInput tile = empty_tile(file);
      tile.tile = table.tiles[i];
      tile.well = well;
      tile.part_of_table = true;
      tiles_.push_back(std::move(tile));
    }
    return true;
  }

  const MapJob& map_;
  const Side side_;
  std::vector<std::string>& notes_;
  std::vector<TileInput> tiles_;
};

// Names that are unique only within their folders become paths.
void tell_apart(std::vector<TileInput>& tiles) {
  std::map<std::pair<std::string, std::string>, std::vector<TileInput*>> names;
  for (TileInput& tile : tiles) names[{tile.well, tile.tile}].push_back(&tile);
  for (auto& [name, same] : names) {
    if (same.size() == 1) continue;
    for (TileInput* tile : same)
      if (tile->sheet.empty() && !tile->part_of_table) {
        const std::string frame = tile->frame ? fmt::format("#{}", *tile->frame) : "";
        tile->tile = tile->file + frame;
      }
  }
  std::map<std::pair<std::string, std::string>, const TileInput*> known;
  for (const TileInput& tile : tiles) {
    const auto [at, is_new] = known.emplace(std::pair(tile.well, tile.tile), &tile);
    if (is_new) continue;
    const TileInput& first = *at->second;
    throw InputError(
        fmt::format(
            "tile \"{}\" is named twice at {}, first by {}", tile.tile, magnification_of(tile.side),
            first.sheet.empty() ? first.file : fmt::format("{} line {}", first.sheet, first.line)),
        {.file = tile.sheet.empty() ? tile.file : tile.sheet,
         .line = tile.line,
         .allowed = "each tile once"});
  }
}

std::vector<std::string> wells_of(const std::vector<TileInput>& tiles) {
  std::vector<std::string> wells;
  for (const TileInput& tile : tiles)
    if (std::ranges::find(wells, tile.well) == wells.end()) wells.push_back(tile.well);
  return wells;
}

std::string list_text(const std::vector<std::string>& wells) {
  std::vector<std::string> named;
  for (const std::string& well : wells) named.push_back(well.empty() ? "(no name)" : well);
  return fmt::format("{}", fmt::join(named, ", "));
}

// A side that names no well belongs to the one that the other side names.
void name_alike(std::vector<TileInput>& ten, std::vector<TileInput>& forty) {
  const auto one = wells_of(ten), other = wells_of(forty);
  const auto name = [](std::vector<TileInput>& tiles, const std::string& well) {
    for (TileInput& tile : tiles) tile.well = well;
  };
  if (one.size() != 1 || other.size() != 1) return;
  if (one.front().empty()) name(ten, other.front());
  if (other.front().empty()) name(forty, one.front());
}

}  // namespace

const char* magnification_of(Side side) {
  return side == Side::ten ? "10x" : "40x";
}

std::string TileInput::title() const {
  return fmt::format("{}{} tile {}", well.empty() ? "" : fmt::format("well {}, ", well),
                     magnification_of(side), tile);
}

ListedWells list_wells(const MapJob& map) {
  ListedWells listed;
  std::vector<TileInput> ten = SideLister(map, Side::ten, listed.notes).list();
  std::vector<TileInput> forty = SideLister(map, Side::forty, listed.notes).list();
  name_alike(ten, forty);
  tell_apart(ten);
  tell_apart(forty);
  const std::vector<std::string> at_ten = wells_of(ten), at_forty = wells_of(forty);
  for (const std::string& well : map.map.wells)
    if (std::ranges::find(at_ten, well) == at_ten.end() ||
        std::ranges::find(at_forty, well) == at_forty.end())
      throw JobError(fmt::format("there is no well \"{}\" at {}", well,
                                 std::ranges::find(at_ten, well) == at_ten.end() ? "10x" : "40x"),
                     where(map, "map.wells",
                           std::ranges::find(at_ten, well) == at_ten.end() ? list_text(at_ten)
                                                                           : list_text(at_forty)));
  std::vector<std::string> alone;
  for (const std::string& well : at_ten) {
    if (!map.map.wells.empty() && std::ranges::find(map.map.wells, well) == map.map.wells.end())
      continue;
    if (std::ranges::find(at_forty, well) == at_forty.end()) {
      alone.push_back(well);
      continue;
    }
    WellInputs inputs{.well = well, .tiles = {}};
    for (const auto* side : {&ten, &forty})
      for (const TileInput& tile : *side)
        if (tile.well == well) inputs.tiles.push_back(tile);
    listed.wells.push_back(std::move(inputs));
  }
  if (listed.wells.empty())
    throw InputError(fmt::format("no well has tiles at both sides: 10x has {}, 40x has {}",
                                 list_text(at_ten), list_text(at_forty)),
                     where(map, "map.forty", "the same wells at both sides"));
  if (map.map.wells.empty())
    for (const std::string& well : at_forty)
      if (std::ranges::find(at_ten, well) == at_ten.end()) alone.push_back(well);
  if (!alone.empty())
    listed.notes.push_back(
        fmt::format("wells with tiles at one side only are left out: {}", list_text(alone)));
  return listed;
}

}  // namespace nucreg
