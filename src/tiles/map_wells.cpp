#include "nucreg/tiles/map_wells.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "nucreg/core/allocation.hpp"
#include "nucreg/core/bytes.hpp"
#include "nucreg/core/clock.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/disk/publish.hpp"
#include "nucreg/mosaic/placement.hpp"
#include "nucreg/tiles/inputs.hpp"
#include "nucreg/tiles/stages.hpp"
#include "nucreg/tiles/tile_nuclei.hpp"
#include "well_tables.hpp"

namespace nucreg {
namespace {

using mosaic::Side;

// Ranks over all stages of a map: what they did and used is added up.
class RankTotals {
 public:
  void add(const Table& ranks) {
    if (total_.columns.empty()) {
      total_ = ranks;
      return;
    }
    for (std::size_t i = 0; i < ranks.columns.size(); ++i) {
      const Column& more = ranks.columns[i];
      Column::Values& values = total_.columns[i].values;
      if (is_of_the_end(more.name))
        values = more.values;
      else if (auto* counts = std::get_if<std::vector<std::int64_t>>(&values))
        add_to(*counts, std::get<std::vector<std::int64_t>>(more.values));
      else
        add_to(std::get<std::vector<double>>(values), std::get<std::vector<double>>(more.values));
    }
  }
  /// What the root, this process, did after the last stage.
  void add_root(double cpu_seconds) {
    for (Column& column : total_.columns) {
      if (column.name == "cpu_s")
        std::get<std::vector<double>>(column.values).front() += cpu_seconds;
      if (column.name == "max_rss_bytes")
        std::get<std::vector<std::int64_t>>(column.values).front() = max_rss_bytes();
    }
  }
  [[nodiscard]] const Table& table() const { return total_; }

 private:
  // Who they are, and what only grows.
  static bool is_of_the_end(const std::string& column) {
    return column == "rank" || column == "host" || column == "pid" || column == "cpus" ||
           column == "max_rss_bytes";
  }
  template <class T>
  static void add_to(std::vector<T>& sums, const std::vector<T>& more) {
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += more[i];
  }
  Table total_;
};

/// Runs stages, one after the other, to the results of their tasks.
class StageRunner {
 public:
  explicit StageRunner(Stages& stages) : stages_(stages) {}

  std::vector<TaskOutcome> run(std::shared_ptr<const Stage> stage) {
    StageOutcomes found = run_to_outcomes(stages_, std::move(stage));
    ranks_.add(found.report.dispatch.ranks);
    cpu_at_end_ = process_cpu_seconds();
    demand_all(found);
    return std::move(found.outcomes);
  }
  /// With what the root did since the last stage.
  [[nodiscard]] Table ranks() {
    ranks_.add_root(process_cpu_seconds() - cpu_at_end_);
    return ranks_.table();
  }

 private:
  Stages& stages_;
  RankTotals ranks_;
  double cpu_at_end_ = 0.0;
};

std::vector<TileFacts> read_all(const std::vector<TileInput>& tiles, const MapFolders& folders,
                                StageRunner& runner) {
  const auto stage = std::make_shared<const ReadStage>(tiles, folders);
  const std::vector<TaskOutcome> outcomes = runner.run(stage);
  std::vector<TileFacts> facts(tiles.size());
  for (std::size_t file = 0; file < outcomes.size(); ++file) {
    auto found = from_bytes<std::vector<TileFacts>>(outcomes[file].result);
    for (std::size_t i = 0; i < found.size(); ++i)
      facts[stage->files()[file][i]] = std::move(found[i]);
  }
  return facts;
}

// A line per tile: what another run must have read for its results to be of use.
std::string inputs_text(const std::vector<TileInput>& tiles, const std::vector<TileFacts>& facts) {
  std::string text;
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const TileInput& t = tiles[i];
    const auto number = [](const std::optional<double>& value) {
      return value ? fmt::format("{}", *value) : std::string("-");
    };
    text +=
        fmt::format("input {} {}: {}, {} nuclei, stage {} {}, pixel {}, size {} {}, sha256 {}\n",
                    one_line(t.title(), 200), one_line(t.file, 400),
                    facts[i].unreadable.empty() ? "read" : "unreadable", facts[i].nuclei,
                    number(t.x_um), number(t.y_um), number(t.pixel_um), number(t.width_px),
                    number(t.height_px), facts[i].file_sha256.empty() ? "-" : facts[i].file_sha256);
  }
  return text;
}

// One sentence for what is so of many tiles.
class Notes {
 public:
  void add(const std::string& what, const std::string& example) {
    auto known = std::ranges::find(list_, what, &Note::what);
    if (known == list_.end()) known = list_.insert(list_.end(), {what, example, 0});
    ++known->tiles;
  }
  void give(const std::function<void(const std::string&)>& warn) const {
    for (const Note& note : list_)
      warn(fmt::format(
          "{}: {}{}", note.example, note.what,
          note.tiles > 1 ? fmt::format(" (and {} like it)", counted(note.tiles - 1, "tile")) : ""));
  }

 private:
  struct Note {
    std::string what, example;
    std::size_t tiles = 0;
  };
  std::vector<Note> list_;
};

void report_tiles(const std::vector<TileInput>& tiles, const std::vector<TileFacts>& facts,
                  const MapEvents& events) {
  Notes notes;
  bool kept = true;
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const TileFacts& f = facts[i];
    if (!f.not_kept.empty() && std::exchange(kept, false))
      events.warn("what is found in images cannot be kept: " + f.not_kept);
    if (!f.unreadable.empty())
      events.warn(fmt::format("{}: unreadable: {}", tiles[i].title(), f.unreadable));
    if (!f.labelled && f.nuclei > 0)
      notes.add("labels are the numbers of its rows, from 1", tiles[i].file);
    for (const std::string& note : f.notes) events.warn(note);
  }
  notes.give(events.warn);
}

// A size that is too small, or coordinates that are not those of the tile.
void demand_within_tiles(const std::vector<TileInput>& tiles, const std::vector<TileFacts>& facts) {
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const TileInput& tile = tiles[i];
    const auto demand = [&](const char* axis, double min_px, double largest_px,
                            const std::optional<double>& size_px, const char* column) {
      for (const double px : {min_px, largest_px}) {
        if (near_tile(px, size_px.value_or(largest_px))) continue;
        throw InputError(
            fmt::format(
                "{}: its nuclei reach {} = {:.0f} px{}", tile.title(), axis, px,
                size_px ? fmt::format(", its {} is {:g}", column, *size_px) : std::string()),
            {.file = tile.sheet.empty() ? tile.file : tile.sheet,
             .line = tile.line,
             .key = column,
             .allowed = "pixels of the tile itself, counted from its own corner, and "
                        "the size that it has in them"});
      }
    };
    demand("x", facts[i].left_px, facts[i].right_px, tile.width_px, "width_px");
    demand("y", facts[i].top_px, facts[i].bottom_px, tile.height_px, "height_px");
  }
}

// Nothing if the tiles of both sides show any.
std::optional<InputError> lack_of_nuclei(const WellInputs& well, std::span<const TileFacts> facts) {
  for (const Side side : {Side::ten, Side::forty}) {
    std::size_t nuclei = 0, tiles = 0, unreadable = 0;
    const TileInput* first = nullptr;
    for (std::size_t i = 0; i < well.tiles.size(); ++i) {
      if (well.tiles[i].side != side) continue;
      if (first == nullptr) first = &well.tiles[i];
      ++tiles;
      nuclei += facts[i].nuclei;
      unreadable += facts[i].unreadable.empty() ? 0 : 1;
    }
    if (nuclei > 0) continue;
    return InputError(
        fmt::format("{}no nuclei at {}: {} of {} cannot be read, the others are empty",
                    well.well.empty() ? "" : fmt::format("well {}: ", well.well),
                    magnification_of(side), unreadable, counted(tiles, "tile")),
        {.file = first->sheet.empty() ? first->file : first->sheet,
         .line = first->line,
         .allowed = "tiles with nuclei at both sides"});
  }
  return std::nullopt;
}

// Pixels of 10x are the larger ones.
void look_for_exchanged_sides(const WellInputs& well, const MapEvents& events) {
  std::array<double, 2> largest{};
  for (const TileInput& tile : well.tiles) {
    double& um = largest[tile.side == Side::ten ? 0 : 1];
    um = std::max(um, tile.pixel_um.value_or(0.0));
  }
  constexpr double max_ratio = 30.0;  // 2x and 60x; the search for more would take all memory
  if (largest[0] > 0.0 && largest[1] > 0.0 &&
      std::max(largest[0] / largest[1], largest[1] / largest[0]) > max_ratio)
    throw InputError(fmt::format("{}pixels are {:.4g} um at 10x and {:.4g} um at 40x",
                                 well.well.empty() ? "" : fmt::format("well {}: ", well.well),
                                 largest[0], largest[1]),
                     {.allowed = fmt::format(
                          "sizes of pixels that differ by a factor of {} at most", max_ratio)});
  if (largest[0] > 0.0 && largest[1] > 1.5 * largest[0])
    events.warn(fmt::format(
        "{}pixels are {:.4g} um at 10x and {:.4g} um at 40x: are the sides exchanged? The 10x "
        "input comes first",
        well.well.empty() ? "" : fmt::format("well {}: ", well.well), largest[0], largest[1]));
}

mosaic::Placement place(const MapJob& map, StageRunner& runner, const MapEvents& events,
                        const MapFolders& folders, PlaceRound round) {
  mosaic::Placer placer(round.tiles, {.magnification = map.place.magnification,
                                      .seed = map.map.seed,
                                      .fit = map.fit,
                                      .clock = wall_seconds});
  while (!(round.tasks = placer.next_round()).empty()) {
    round.doing = placer.round_name();
    std::vector<mosaic::PlaceResult> results;
    for (TaskOutcome& outcome :
         runner.run(std::make_shared<const PlaceStage>(round, shelf_of(folders.store)))) {
      results.push_back(from_bytes<mosaic::PlaceResult>(outcome.result));
      outcome.result = Bytes();
    }
    round.tasks.clear();
    events.phase("placing tiles");
    shelf_of(folders.store)->clear();  // room for the fit
    placer.take(results);
    results.clear();
    give_back_freed_memory();
  }
  return placer.finish();
}

}  // namespace

MappedWells map_wells(Stages& stages, const MapJob& map, ListedWells wells,
                      const MapFolders& folders, const MapEvents& events) {
  for (const std::string& note : wells.notes) events.warn(note);
  std::vector<TileInput> tiles;
  for (const WellInputs& well : wells.wells)
    tiles.insert(tiles.end(), well.tiles.begin(), well.tiles.end());
  std::vector<std::string> files;
  for (const TileInput& tile : tiles) files.push_back(tile.file);
  remove_old_temporaries(folders.image_cache);
  compare_inputs(stages, std::move(files), folders.store);
  StageRunner runner(stages);
  std::vector<TileFacts> facts = read_all(tiles, folders, runner);
  report_tiles(tiles, facts, events);
  demand_within_tiles(tiles, facts);
  std::size_t first = 0, without = 0;
  for (const WellInputs& well : wells.wells) {
    if (const auto lack =
            lack_of_nuclei(well, std::span(facts).subspan(first, well.tiles.size()))) {
      // Blank wells of a plate keep the others from nothing.
      if (++without == wells.wells.size()) throw InputError(*lack);
      events.warn(lack->what());
    }
    look_for_exchanged_sides(well, events);
    first += well.tiles.size();
  }

  WellMap result;
  std::vector<PlacedWell> placed;
  result.attributes["inputs"] = inputs_text(tiles, facts);
  first = 0;
  for (WellInputs& inputs : wells.wells) {
    const std::size_t count = inputs.tiles.size();
    PlacedWell well{.inputs = std::move(inputs), .first_tile = first};
    const auto begin = facts.begin() + static_cast<std::ptrdiff_t>(first);
    well.facts.assign(std::make_move_iterator(begin),
                      std::make_move_iterator(begin + static_cast<std::ptrdiff_t>(count)));
    std::vector<std::string> notes;
    well.tiles = well_tiles(well.inputs, well.facts, map.place.stage, notes);
    well.placement = place(map, runner, events, folders,
                           {.tiles = well.tiles,
                            .first_tile = first,
                            .inputs = inputs_text(well.inputs.tiles, well.facts)});
    if (map.fit.compare_solvers && well.placement.problem) {
      events.phase("comparing solvers");
      for (Record& row :
           compare_solvers(*well.placement.problem,
                           static_cast<std::uint32_t>(result.models.size()), map.map.seed))
        result.trials.push_back(std::move(row));
      result.solvers = compared_solvers();
    }
    events.phase("pairing nuclei");
    well.placement.problem.reset();
    give_back_freed_memory();
    append_well(result, well, TileStore(folders.store), notes);
    for (const std::string& note : notes) events.warn(note);
    placed.push_back(std::move(well));
    first += count;
  }
  result.others.push_back(runner.ranks());
  return {std::move(result),
          [placed = std::move(placed), store = TileStore(folders.store)](std::uint32_t tile) {
            const auto next = std::ranges::upper_bound(placed, tile, {}, &PlacedWell::first_tile);
            const PlacedWell& well = *std::prev(next);
            return columns_of_tile(well, tile - static_cast<std::uint32_t>(well.first_tile), store);
          }};
}

}  // namespace nucreg
