#include "nucreg/tiles/tile_nuclei.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <new>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "nucreg/core/build_info.hpp"
#include "nucreg/core/bytes.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/sha256.hpp"
#include "nucreg/core/table_input.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/disk/files.hpp"
#include "nucreg/disk/publish.hpp"
#include "nucreg/nuclei/nuclei_file.hpp"
#include "nucreg/tiles/stages.hpp"

namespace nucreg {

void fields(auto& archive, MaybeConst<ReadTile> auto& read) {
  archive(read.facts, read.nuclei.px.x, read.nuclei.px.y, read.nuclei.label, read.nuclei.area_px);
}

namespace {

namespace fs = std::filesystem;

// What the nuclei of a tile depend on.
std::string origin_of(const TileInput& tile, const std::string& file_sum) {
  return sha256_of(fmt::format(
      "nuclei of a tile\n{}\n{}\nframe {} channel {} diameter {} pixel {} tile {} {} {}\n",
      build_identity(), file_sum, tile.frame ? fmt::format("{}", *tile.frame) : "-", tile.channel,
      tile.diameter_px, tile.pixel_um ? fmt::format("{}", *tile.pixel_um) : "-", tile.part_of_table,
      tile.part_of_table ? tile.well : "", tile.part_of_table ? tile.tile : ""));
}

void fill_extent(ReadTile& read) {
  read.facts.nuclei = static_cast<std::uint32_t>(read.nuclei.size());
  const auto extend = [](const std::vector<double>& px, double& least, double& largest) {
    for (const double p : px) {
      least = std::min(least, p);
      largest = std::max(largest, p);
    }
  };
  extend(read.nuclei.px.x, read.facts.left_px, read.facts.right_px);
  extend(read.nuclei.px.y, read.facts.top_px, read.facts.bottom_px);
}

// Pairs name nuclei by their labels.
[[noreturn]] void refuse_repeat(const TileInput& tile, const NucleiTable& table, std::size_t first,
                                std::size_t again) {
  const int line = table.lines.empty() ? 0 : table.lines[again];
  throw InputError(
      fmt::format("label {} is there twice{}{}", table.labels[again],
                  tile.part_of_table ? fmt::format(" in tile {}", tile.tile) : "",
                  line > 0 ? fmt::format(", first in line {}", table.lines[first]) : ""),
      {.file = tile.file,
       .line = line,
       .allowed = "each label once in a tile, or a table without labels"});
}

// Places of the nuclei of a tile, none at that of another.
class Places {
 public:
  /// Whether the place is free; then it is taken.
  bool take(double x, double y) {
    const double i = std::floor(x / apart_px), j = std::floor(y / apart_px);
    for (const double column : {i - 1.0, i, i + 1.0}) {
      const auto last = cells_.upper_bound({column, j + 1.0});
      for (auto cell = cells_.lower_bound({column, j - 1.0}); cell != last; ++cell)
        if (std::hypot(x - cell->second[0], y - cell->second[1]) <= apart_px) return false;
    }
    cells_.emplace(std::pair(i, j), std::array{x, y});
    return true;
  }

 private:
  static constexpr double apart_px = 0.1;
  std::multimap<std::pair<double, double>, std::array<double, 2>> cells_;
};

// Rows of a table, those of one tile or all.
ReadTile tile_of_rows(const NucleiTable& table, const std::vector<std::size_t>& rows,
                      const TileInput& tile) {
  ReadTile read;
  read.facts.labelled = table.labelled;
  const Nuclei& nuclei = table.nuclei;
  read.facts.areas =
      std::ranges::all_of(rows, [&](std::size_t row) { return nuclei.area_px[row] > 0.0; });
  std::map<std::uint64_t, std::size_t> known;  // rows by label
  Places places;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t row = rows[i];
    const std::uint64_t label = table.labelled ? table.labels[row] : i + 1;
    if (label > std::numeric_limits<std::uint32_t>::max())
      throw InputError(fmt::format("label {}", label),
                       {.file = tile.file, .allowed = "labels below 2^32"});
    if (table.labelled)
      if (const auto [at, is_new] = known.emplace(label, row); !is_new)
        refuse_repeat(tile, table, at->second, row);
    // Tables that were appended to twice, perhaps by another run: no two nuclei are at one place.
    if (!places.take(nuclei.x_px[row], nuclei.y_px[row])) continue;
    read.nuclei.px.x.push_back(nuclei.x_px[row]);
    read.nuclei.px.y.push_back(nuclei.y_px[row]);
    read.nuclei.label.push_back(static_cast<std::uint32_t>(label));
    if (read.facts.areas) read.nuclei.area_px.push_back(static_cast<float>(nuclei.area_px[row]));
  }
  if (const std::size_t repeats = rows.size() - read.nuclei.size(); repeats > 0)
    read.facts.notes.push_back(
        fmt::format("{} at the very place of another nucleus left out",
                    repeats == 1 ? "1 row is" : fmt::format("{} rows are", count_text(repeats))));
  fill_extent(read);
  return read;
}

void add_notes(ReadTile& read, const std::vector<std::string>& notes) {
  read.facts.notes.insert(read.facts.notes.end(), notes.begin(), notes.end());
}

std::vector<std::size_t> all_rows(const NucleiTable& table) {
  std::vector<std::size_t> rows(table.nuclei.size());
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = i;
  return rows;
}

// "3" and "3.0" name one tile, as pandas writes whole numbers beside missing ones.
std::string plain_name(const std::string& name) {
  const auto number = parse_number<double>(name);
  return number ? fmt::format("{}", *number) : name;
}

// Arrays of labels and masks by the rule that `match` has.
NucleiTable table_of(const TileInput& tile, bool parts) {
  TableOptions options{.tiles = parts};
  options.pixel_um = tile.pixel_um;
  if (is_npy(tile.file)) return read_nuclei_file(tile.file, {.table = options}).table;
  return read_nuclei_table(tile.file, options);
}

std::vector<ReadTile> parts_of_table(std::span<const TileInput> tiles) {
  const NucleiTable table = table_of(tiles.front(), true);
  if (table.tiles.empty())
    throw InputError(
        fmt::format("{} is listed for several tiles and has no column of tiles",
                    tiles.front().file),
        {.file = tiles.front().sheet.empty() ? tiles.front().file : tiles.front().sheet,
         .line = tiles.front().line,
         .allowed = "a table of nuclei with a column tile"});
  std::unordered_map<std::string, std::vector<std::size_t>> rows_of;
  for (std::size_t row = 0; row < table.tiles.size(); ++row)
    rows_of[plain_name(table.tiles[row])].push_back(row);
  std::vector<ReadTile> found;
  for (const TileInput& tile : tiles) {
    std::vector<std::size_t> rows;
    for (const std::size_t row : rows_of[plain_name(tile.tile)])
      if (tile.well.empty() || table.wells.empty() || table.wells[row] == tile.well)
        rows.push_back(row);
    found.push_back(tile_of_rows(table, rows, tile));
    for (std::string& note : found.back().facts.notes) note = tile.title() + ": " + note;
    if (rows.empty())
      found.back().facts.notes.push_back(
          fmt::format("{} has no nuclei of tile {}", tile.file, tile.tile));
  }
  for (const std::string& warning : table.warnings)
    found.front().facts.notes.push_back(fmt::format("{}: {}", tiles.front().file, warning));
  return found;
}

ReadTile whole_table(const TileInput& tile) {
  try {
    const NucleiTable table = table_of(tile, false);
    if (table.tile_count > 1)
      throw InputError(
          fmt::format("the table holds nuclei of {} tiles", table.tile_count),
          {.file = tile.file,
           .allowed = "a table of one tile; a long table alone, or in each row of a sheet that "
                      "names one of its tiles"});
    ReadTile read = tile_of_rows(table, all_rows(table), tile);
    add_notes(read, table.warnings);
    return read;
  } catch (const InputError& e) {
    if (!e.problem().starts_with("no nuclei")) throw;
    return {};
  }
}

// By the rule that `match` has.
NucleiTable found_in_image(const TileInput& tile) {
  NucleiFileOptions options;
  options.channel = tile.channel;
  options.frame = tile.frame.value_or(0);
  options.diameter_decides = false;
  if (tile.diameter_px > 0.0) options.diameter_px = tile.diameter_px;
  return read_nuclei_file(tile.file, options).table;
}

ReadTile nuclei_in_image(const TileInput& tile, const std::string& origin,
                         const ImageCache& cache) {
  if (const std::optional<Bytes> known = cache.load(origin)) {
    try {
      return from_bytes<ReadTile>(*known);
    } catch (const BadBytes&) {  // of another version of nucreg
    }
  }
  const NucleiTable table = found_in_image(tile);
  ReadTile read = tile_of_rows(table, all_rows(table), tile);
  add_notes(read, table.warnings);
  read.facts.origin = origin;
  try {
    cache.store(origin, to_bytes(read));
  } catch (const OutputError& e) {  // a convenience: what was found is there all the same
    read.facts.not_kept = e.what();
  }
  return read;
}

std::vector<ReadTile> unreadable(std::size_t tiles, const std::string& reason) {
  ReadTile read;
  read.facts.unreadable = reason;
  return std::vector(tiles, read);
}

ReadTile read_tile(const TileInput& tile, const std::string& file_sum, const ImageCache& cache) {
  const std::string origin = origin_of(tile, file_sum);
  ReadTile read =
      is_nuclei_table(tile.file) ? whole_table(tile) : nuclei_in_image(tile, origin, cache);
  for (std::string& note : read.facts.notes) note = fmt::format("{}: {}", tile.file, note);
  read.facts.origin = origin;
  read.facts.file_sha256 = file_sum;
  return read;
}

// The file cannot be read, or is no file of its kind: this is a fact about one tile. A table whose
// content is not understood has a line at fault, and is a mistake to be mended.
bool tile_is_unreadable(const InputError& e, const TileInput& tile) {
  return !is_nuclei_table(tile.file) || (e.fields().line == 0 && !tile.part_of_table);
}

std::vector<ReadTile> read_tiles(std::span<const TileInput> tiles, TileReading& reading) {
  const TileInput& first = tiles.front();
  if (!first.unreadable.empty()) return unreadable(tiles.size(), first.unreadable);
  try {
    const std::string sum = reading.sums.of(first.file);
    if (!first.part_of_table) return {read_tile(first, sum, ImageCache(reading.image_cache))};
    std::vector<ReadTile> found = parts_of_table(tiles);
    for (std::size_t i = 0; i < found.size(); ++i) {
      found[i].facts.origin = origin_of(tiles[i], sum);
      found[i].facts.file_sha256 = sum;
    }
    return found;
  } catch (const InputError& e) {
    if (!tile_is_unreadable(e, first)) throw;
    return unreadable(tiles.size(), e.what());
  } catch (const std::bad_alloc&) {
    return unreadable(tiles.size(), first.file + ": not enough memory");
  }
}

}  // namespace

void rescale(mosaic::TileNuclei& nuclei, double scale) {
  if (scale == 1.0) return;
  for (std::vector<double>* column : {&nuclei.px.x, &nuclei.px.y})
    for (double& px : *column) px = (px + 0.5) * scale - 0.5;
  for (float& area : nuclei.area_px) area *= static_cast<float>(scale * scale);
}

void TileStore::put(std::size_t tile, const ReadTile& read) const {
  const Bytes bytes = to_bytes(read);
  const std::string_view content(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  make_folder(folder_);
  // Whole, but not durable: what a crash of the machine takes is read again.
  replace_file(folder_ / fmt::format("{}.nuclei", tile), sealed(content));
}

std::optional<ReadTile> TileStore::get(std::size_t tile) const {
  try {
    const std::string text = read_file(folder_ / fmt::format("{}.nuclei", tile), Owner::trusted);
    const auto content = unsealed(text);
    if (!content) return std::nullopt;
    return from_bytes<ReadTile>(std::as_bytes(std::span(*content)));
  } catch (const InputError&) {
    return std::nullopt;
  } catch (const BadBytes&) {
    return std::nullopt;
  }
}

std::vector<TileFacts> read_into_store(std::span<const TileInput> tiles,
                                       std::span<const std::uint32_t> numbers,
                                       const TileStore& store, TileReading& reading) {
  std::vector<TileFacts> facts;
  try {
    const std::string sum =
        tiles.front().unreadable.empty() ? reading.sums.of(tiles.front().file) : std::string();
    for (std::size_t i = 0; i < tiles.size() && !sum.empty(); ++i) {
      const std::optional<ReadTile> known = store.get(numbers[i]);
      if (!known || known->facts.origin != origin_of(tiles[i], sum)) break;
      facts.push_back(known->facts);
    }
    if (facts.size() == tiles.size()) return facts;
  } catch (const InputError&) {  // read_tiles says what it means for the tile
  }
  facts.clear();
  const std::vector<ReadTile> read = read_tiles(tiles, reading);
  for (std::size_t i = 0; i < read.size(); ++i) {
    store.put(numbers[i], read[i]);
    facts.push_back(read[i].facts);
  }
  return facts;
}

std::shared_ptr<const mosaic::TileNuclei> TileShelf::get(std::size_t tile, double scale) {
  const std::lock_guard lock(mutex_);
  const auto known = kept_.find(tile);
  if (known != kept_.end()) {
    known->second.used = ++clock_;
    return known->second.nuclei;
  }
  std::optional<ReadTile> read = store_.get(tile);
  if (!read)
    throw InputError(fmt::format("the nuclei of tile {} are not there any more", tile),
                     {.file = store_.folder().string()});
  rescale(read->nuclei, scale);
  const std::size_t bytes = read->nuclei.size() * 24;
  make_room(bytes);
  bytes_ += bytes;
  auto nuclei = std::make_shared<const mosaic::TileNuclei>(std::move(read->nuclei));
  kept_[tile] = {nuclei, ++clock_};
  return nuclei;
}

void TileShelf::clear() {
  const std::lock_guard lock(mutex_);
  kept_.clear();
  bytes_ = 0;
}

void TileShelf::make_room(std::size_t bytes) {
  while (!kept_.empty() && bytes_ + bytes > max_bytes_) {
    const auto oldest =
        std::ranges::min_element(kept_, {}, [](const auto& entry) { return entry.second.used; });
    bytes_ -= oldest->second.nuclei->size() * 24;
    kept_.erase(oldest);
  }
}

std::shared_ptr<TileShelf> shelf_of(const fs::path& store) {
  constexpr std::size_t max_bytes = std::size_t{64} << 20;
  static std::mutex mutex;
  static std::shared_ptr<TileShelf> last;
  const std::lock_guard lock(mutex);
  if (!last || last->folder() != store)
    last = std::make_shared<TileShelf>(TileStore(store), max_bytes);
  return last;
}

}  // namespace nucreg
