#include "nucreg/tiles/tiles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string_view>

#include "nucreg/core/error.hpp"
#include "nucreg/core/table_input.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/disk/files.hpp"
#include "nucreg/image/image.hpp"
#include "nucreg/plan/plan.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

// A file of that very name comes before what the name matches as a glob.
std::vector<std::string> expand(const std::string& pattern, const ErrorFields& place) {
  std::error_code unreadable;
  if (fs::exists(pattern, unreadable)) return {pattern};
  if (auto found = files_matching(pattern); !found.empty()) return found;
  ErrorFields fields = place;
  fields.allowed = "files that are there, globs that match some";
  throw InputError(fmt::format("\"{}\" matches no file", pattern), fields);
}

// The same for all names of a file, as by links.
std::string identity_of(const std::string& file) {
  std::error_code error;
  const fs::path path = fs::canonical(file, error);
  return error ? file : path.string();
}

// Each file once, under its first name.
class Files {
 public:
  void add(const std::string& name) {
    if (known_.insert(identity_of(name)).second) names_.push_back(name);
  }
  void add_all(const Job& job, const char* key, const std::vector<std::string>& patterns) {
    for (const std::string& pattern : patterns)
      for (const std::string& name :
           expand(pattern, where(job, fmt::format("problem.images.{}", key))))
        add(name);
  }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
  std::set<std::string> known_;
};

std::vector<Tile> tiles_of(const std::string& file, bool is_ten, const std::string& channel) {
  if (clean_utf8(file) != file)
    throw InputError("its name is not UTF-8, as the job in a result must be",
                     {.file = file, .allowed = "names in UTF-8: rename the file"});
  const std::unique_ptr<ImageReader> reader = open_image(file);
  const ImageInfo& info = reader->info();
  const std::size_t number = find_channel(info, channel, file);
  std::vector<Tile> tiles;
  for (std::size_t i = 0; i < info.frames.size(); ++i) {
    if (reader->holds(i, number)) tiles.push_back(tile_of(file, info, i, number, is_ten));
  }
  if (tiles.empty()) throw InputError("has no frame", {.file = file});
  return tiles;
}

void pair_all(Tiles& tiles, double stage_error_um) {
  for (std::size_t ten = 0; ten < tiles.list.size(); ++ten)
    for (std::size_t forty = 0; forty < tiles.list.size(); ++forty) {
      const Tile &a = tiles.list[ten], &b = tiles.list[forty];
      if (!a.is_ten || b.is_ten || (a.well >= 0 && b.well >= 0 && a.well != b.well)) continue;
      (far_apart(a.place, b.place, stage_error_um) ? tiles.others : tiles.likely)
          .push_back({ten, forty});
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

std::vector<SheetRow> read_tile_sheet(const std::filesystem::path& file) {
  const auto fail = [&](const std::string& problem, int line, const char* allowed) {
    throw InputError(problem, {.file = file.string(), .line = line, .allowed = allowed});
  };
  const std::string text = read_file(file);
  std::size_t columns = 0, ten = 0, forty = 0;
  std::vector<SheetRow> rows;
  for (const TextLine& line : lines_of(text)) {
    const std::vector<std::string_view> cells = cells_of(line.text, ',');
    if (columns == 0) {
      const auto column = [&](const char* name) {
        const auto at = std::ranges::find(cells, name);
        if (at == cells.end())
          fail(fmt::format("has no column {}", name), line.number, "a header with ten and forty");
        return static_cast<std::size_t>(at - cells.begin());
      };
      ten = column("ten");
      forty = column("forty");
      columns = cells.size();
      continue;
    }
    if (cells.size() != columns)
      fail(fmt::format("{} under {}", counted(cells.size(), "cell"), counted(columns, "column")),
           line.number, "a 10x and a 40x file in each row; names with commas in double quotes");
    if (cells[ten].empty() || cells[forty].empty())
      fail(fmt::format("a {} file without a {} file", cells[ten].empty() ? "40x" : "10x",
                       cells[ten].empty() ? "10x" : "40x"),
           line.number, "a 10x and a 40x file in each row");
    rows.push_back({text_in(cells[ten]), text_in(cells[forty]), file.string(), line.number});
  }
  if (rows.empty()) fail("names no files", 0, "a header with ten and forty, and rows");
  return rows;
}

std::string well_in_name(const std::string& file) {
  constexpr std::string_view start = "Well";
  const std::string name = fs::path(file).filename();
  if (!name.starts_with(start)) return {};
  const std::size_t end = name.find_first_not_of("0123456789", start.size());
  if (end == start.size() || end == std::string::npos || name[end] != '_') return {};
  return name.substr(start.size(), end - start.size());
}

Tile tile_of(const std::string& file, const ImageInfo& info, std::size_t frame, std::size_t channel,
             bool is_ten) {
  return {.file = file,
          .name = info.frames.size() > 1 ? fmt::format("{}#{}", file, frame) : file,
          .is_ten = is_ten,
          .frame = frame,
          .channel = channel,
          .place = {.width_px = info.width_px,
                    .height_px = info.height_px,
                    .pixel_size_um = info.pixel_size_um,
                    .pixel_height_um = info.pixel_height_um,
                    .stage_x_um = info.frames[frame].x_um,
                    .stage_y_um = info.frames[frame].y_um},
          .well = parse_number<std::int64_t>(well_in_name(file)).value_or(-1)};
}

Tiles list_tiles(const Job& job) {
  // Pairs of tiles are an axis that only the images have.
  static_cast<void>(make_plan(with_pairs(job, {"any"})));
  const ImagesOptions& images = job.problem.images;
  Files ten, forty, sheets;
  ten.add_all(job, "ten", images.ten);
  forty.add_all(job, "forty", images.forty);
  sheets.add_all(job, "sheets", images.sheets);
  std::vector<SheetRow> rows;
  for (const std::string& sheet : sheets.names())
    for (SheetRow& row : read_tile_sheet(sheet)) rows.push_back(std::move(row));
  for (const SheetRow& row : rows) {
    ten.add(row.ten);
    forty.add(row.forty);
  }

  Tiles tiles;
  std::map<std::string, std::vector<std::size_t>> of_file;
  for (const auto& [files, is_ten] : {std::pair{&ten, true}, {&forty, false}})
    for (const std::string& file : files->names()) {
      std::vector<std::size_t>& of_this = of_file[identity_of(file)];
      if (!of_this.empty())
        throw JobError(fmt::format("\"{}\" is among the 10x files, too", file),
                       where(job, "problem.images.forty", "files of one magnification each"));
      for (Tile& tile : tiles_of(file, is_ten, is_ten ? images.channel_10x : images.channel_40x)) {
        of_this.push_back(tiles.list.size());
        tiles.list.push_back(std::move(tile));
      }
    }
  if (rows.empty()) pair_all(tiles, images.stage_error_um);
  std::set<TilePair> once;
  for (const SheetRow& row : rows) {
    const auto& a = of_file.at(identity_of(row.ten));
    const auto& b = of_file.at(identity_of(row.forty));
    if (a.size() != b.size())
      throw InputError(fmt::format("{} has {} and {} has {}", row.ten, counted(a.size(), "tile"),
                                   row.forty, counted(b.size(), "tile")),
                       {.file = row.sheet,
                        .line = row.line,
                        .allowed = "files with as many tiles on both sides"});
    for (std::size_t i = 0; i < a.size(); ++i)
      if (once.insert({a[i], b[i]}).second) tiles.likely.push_back({a[i], b[i]});
  }
  if (!images.pairs.empty()) keep_named(tiles, job);
  if (tiles.likely.empty() && tiles.others.empty())
    throw InputError("no two tiles can overlap",
                     where(job, "problem.images", "tiles of one well at both magnifications"));
  return tiles;
}

Job with_pairs(Job job, std::vector<std::string> pairs) {
  job.problem.images.pairs = std::move(pairs);
  return job;
}

}  // namespace nucreg
