#include "nucreg/app/tiles.hpp"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string_view>

#include "nucreg/app/segment_image.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/image/image.hpp"
#include "tile_sheet.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

// A file of that very name comes before what the name matches as a glob.
std::vector<std::string> expand(const std::string& pattern, const ErrorFields& place) {
  std::error_code unreadable;
  if (fs::exists(pattern, unreadable)) return {pattern};
  glob_t found{};
  const int status = glob(pattern.c_str(), 0, nullptr, &found);
  const std::unique_ptr<glob_t, void (*)(glob_t*)> owner(&found, &globfree);
  if (status == 0) return {found.gl_pathv, found.gl_pathv + found.gl_pathc};
  ErrorFields fields = place;
  fields.allowed = "files that are there, globs that match some";
  throw InputError(fmt::format("\"{}\" matches no file", pattern), fields);
}

std::vector<std::string> expand_all(const Job& job, const char* key,
                                    const std::vector<std::string>& patterns) {
  std::vector<std::string> files;
  for (const std::string& pattern : patterns)
    for (std::string& file : expand(pattern, where(job, fmt::format("problem.images.{}", key))))
      if (std::ranges::find(files, file) == files.end()) files.push_back(std::move(file));
  return files;
}

std::int64_t well_of(const std::string& file) {
  const std::string name = fs::path(file).filename();
  constexpr std::string_view word = "Well";
  std::int64_t number = -1;
  if (!name.starts_with(word)) return number;
  const char* const last = name.data() + name.size();
  const auto [end, error] = std::from_chars(name.data() + word.size(), last, number);
  return error == std::errc() && end != last && *end == '_' ? number : -1;
}

std::vector<Tile> tiles_of(const std::string& file, bool is_ten, const std::string& channel) {
  const std::unique_ptr<ImageReader> reader = open_image(file);
  const ImageInfo& info = reader->info();
  const std::size_t number = find_channel(info, channel, file);
  std::vector<Tile> tiles;
  for (std::size_t i = 0; i < info.frames.size(); ++i) {
    const ImageFrame& frame = info.frames[i];
    if (frame.missing) continue;
    tiles.push_back({.file = file,
                     .name = info.frames.size() > 1 ? fmt::format("{}#{}", file, i) : file,
                     .is_ten = is_ten,
                     .frame = i,
                     .channel = number,
                     .width_px = info.width_px,
                     .height_px = info.height_px,
                     .pixel_size_um = info.pixel_size_um,
                     .stage_x_um = frame.x_um,
                     .stage_y_um = frame.y_um,
                     .well = well_of(file)});
  }
  if (tiles.empty()) throw InputError("has no frame", {.file = file});
  return tiles;
}

std::optional<double> radius_um(const Tile& tile) {
  if (!tile.pixel_size_um) return std::nullopt;
  return 0.5 * *tile.pixel_size_um *
         std::hypot(static_cast<double>(tile.width_px), static_cast<double>(tile.height_px));
}

// Whatever the directions of the stage and of the camera.
bool far_apart(const Tile& ten, const Tile& forty, double stage_error_um) {
  const auto a = radius_um(ten), b = radius_um(forty);
  if (!a || !b || !ten.stage_x_um || !ten.stage_y_um || !forty.stage_x_um || !forty.stage_y_um)
    return false;
  const double distance =
      std::hypot(*ten.stage_x_um - *forty.stage_x_um, *ten.stage_y_um - *forty.stage_y_um);
  return distance > *a + *b + stage_error_um;
}

void pair_all(Tiles& tiles, double stage_error_um) {
  for (std::size_t ten = 0; ten < tiles.list.size(); ++ten)
    for (std::size_t forty = 0; forty < tiles.list.size(); ++forty) {
      const Tile &a = tiles.list[ten], &b = tiles.list[forty];
      if (!a.is_ten || b.is_ten || (a.well >= 0 && b.well >= 0 && a.well != b.well)) continue;
      (far_apart(a, b, stage_error_um) ? tiles.others : tiles.likely).push_back({ten, forty});
    }
}

void keep_named(Tiles& tiles, const Job& job) {
  std::map<std::string, TilePair> known;
  for (const auto* pairs : {&tiles.likely, &tiles.others})
    for (const TilePair& pair : *pairs) known.emplace(tiles.name(pair), pair);
  tiles.likely.clear();
  tiles.others.clear();
  for (const std::string& name : job.problem.images.pairs) {
    const auto pair = known.find(name);
    if (pair == known.end())
      throw JobError(
          fmt::format("there is no pair of tiles \"{}\"", name),
          where(job, "problem.images.pairs",
                known.empty() ? "" : fmt::format("such as \"{}\"", known.begin()->first)));
    tiles.likely.push_back(pair->second);
  }
}

}  // namespace

Tiles list_tiles(const Job& job) {
  const ImagesOptions& images = job.problem.images;
  std::vector<std::string> ten = expand_all(job, "ten", images.ten);
  std::vector<std::string> forty = expand_all(job, "forty", images.forty);
  std::vector<SheetRow> rows;
  for (const std::string& sheet : expand_all(job, "sheets", images.sheets))
    for (SheetRow& row : read_tile_sheet(sheet)) rows.push_back(std::move(row));
  for (const SheetRow& row : rows) {
    if (std::ranges::find(ten, row.ten) == ten.end()) ten.push_back(row.ten);
    if (std::ranges::find(forty, row.forty) == forty.end()) forty.push_back(row.forty);
  }

  Tiles tiles;
  std::map<std::string, std::vector<std::size_t>> of_file;
  for (const auto& [files, is_ten] : {std::pair{&ten, true}, {&forty, false}})
    for (const std::string& file : *files) {
      if (of_file.contains(file))
        throw JobError(fmt::format("\"{}\" is among the 10x files, too", file),
                       where(job, "problem.images.forty", "files of one magnification each"));
      for (Tile& tile : tiles_of(file, is_ten, is_ten ? images.channel_10x : images.channel_40x)) {
        of_file[file].push_back(tiles.list.size());
        tiles.list.push_back(std::move(tile));
      }
    }
  if (rows.empty()) pair_all(tiles, images.stage_error_um);
  std::set<TilePair> once;
  for (const SheetRow& row : rows) {
    const auto& a = of_file.at(row.ten);
    const auto& b = of_file.at(row.forty);
    if (a.size() != b.size())
      throw InputError(
          fmt::format("{} has {} tiles and {} has {}", row.ten, a.size(), row.forty, b.size()),
          {.file = row.sheet,
           .line = row.line,
           .allowed = "files with as many tiles on both sides"});
    for (std::size_t i = 0; i < a.size(); ++i)
      if (once.insert({a[i], b[i]}).second) tiles.likely.push_back({a[i], b[i]});
  }
  if (!images.pairs.empty()) keep_named(tiles, job);
  return tiles;
}

Job with_pairs(Job job, std::vector<std::string> pairs) {
  job.problem.images.pairs = std::move(pairs);
  return job;
}

InputError no_tiles_overlap(const Job& job) {
  return InputError("no two tiles can overlap",
                    where(job, "problem.images", "tiles of one well at both magnifications"));
}

}  // namespace nucreg
