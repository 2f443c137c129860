#include "nucreg/tiles/well_stages.hpp"

#include <fmt/format.h>

#include <map>
#include <new>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "nucreg/core/bytes.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/sha256.hpp"
#include "nucreg/tiles/stages.hpp"

namespace nucreg {

namespace mosaic {

void fields(auto& archive, MaybeConst<WellTile> auto& tile) {
  archive(tile.side, tile.name, tile.width_px, tile.height_px, tile.pixel_um, tile.stage_um);
}
void fields(auto& archive, MaybeConst<PlaceTask> auto& task) {
  archive(task.tiles, task.values, task.cost);
}

}  // namespace mosaic

void fields(auto& archive, MaybeConst<PlaceRound> auto& round) {
  archive(round.doing, round.tiles, round.tasks, round.first_tile, round.inputs);
}

namespace {

template <class Act>
void append_outcome(Bytes& result, const std::string& title, Act&& act) {
  TaskOutcome outcome;
  try {
    outcome.result = act();
  } catch (const Error& e) {
    outcome = {.status = e.status(), .message = e.what()};
  } catch (const std::bad_alloc&) {
    outcome = {.status = ExitStatus::input, .message = title + ": not enough memory"};
  } catch (const std::exception& e) {
    outcome = {.status = ExitStatus::bug, .message = fmt::format("{}: bug: {}", title, e.what())};
  }
  ByteWriter writer(result);
  writer(outcome);
}

void append_given_up(Bytes& result, const std::string& title) {
  ByteWriter writer(result);
  writer(TaskOutcome{.status = ExitStatus::bug,
                     .message = title + ": given up, the ranks that had it hung or died"});
}

}  // namespace

ReadStage::ReadStage(std::vector<TileInput> tiles, MapFolders folders)
    : tiles_(std::move(tiles)), folders_(std::move(folders)) {
  std::map<std::string, std::size_t> tables;  // of several tiles: the task of each
  for (std::uint32_t i = 0; i < tiles_.size(); ++i) {
    if (tiles_[i].part_of_table) {
      const auto [known, is_new] = tables.emplace(tiles_[i].file, files_.size());
      if (!is_new) {
        files_[known->second].push_back(i);
        continue;
      }
    }
    files_.push_back({i});
  }
}

std::shared_ptr<const Stage> ReadStage::read(ByteReader& reader, int) {
  auto tiles = reader.read<std::vector<TileInput>>();
  return std::make_shared<const ReadStage>(std::move(tiles), reader.read<MapFolders>());
}

void ReadStage::run(std::uint64_t task, Bytes& result) const {
  const std::vector<std::uint32_t>& numbers = files_.at(task);
  append_outcome(result, tiles_[numbers.front()].title(), [&] {
    std::vector<TileInput> tiles;
    for (const std::uint32_t number : numbers) tiles.push_back(tiles_[number]);
    return to_bytes(
        read_into_store(tiles, numbers, TileStore(folders_.store), folders_.image_cache));
  });
}

void ReadStage::give_up(std::uint64_t task, Bytes& result) const {
  append_given_up(result, tiles_[files_.at(task).front()].title());
}

std::shared_ptr<const Stage> PlaceStage::read(ByteReader& reader, int) {
  const auto store = reader.read<std::filesystem::path>();
  return std::make_shared<const PlaceStage>(reader.read<PlaceRound>(), shelf_of(store));
}

void PlaceStage::write(ByteWriter& writer) const {
  writer(shelf_->folder(), round_);
}

TaskList PlaceStage::tasks() const {
  TaskList list;
  for (std::uint64_t i = 0; i < round_.tasks.size(); ++i)
    if (!list.blocks.empty() && list.blocks.back().cost_seconds == round_.tasks[i].cost)
      ++list.blocks.back().count;
    else
      list.blocks.push_back({i, 1, round_.tasks[i].cost});
  return list;
}

void PlaceStage::run(std::uint64_t number, Bytes& result) const {
  const mosaic::PlaceTask& task = round_.tasks.at(number);
  append_outcome(result, round_.doing, [&] {
    std::unordered_map<std::uint32_t, std::shared_ptr<const mosaic::TileNuclei>> held;
    return to_bytes(mosaic::run_place_task(
        round_.tiles, task, [&](std::uint32_t tile) -> const mosaic::TileNuclei& {
          std::shared_ptr<const mosaic::TileNuclei>& nuclei = held[tile];
          if (!nuclei) nuclei = shelf_->get(round_.first_tile + tile);
          return *nuclei;
        }));
  });
}

void PlaceStage::give_up(std::uint64_t, Bytes& result) const {
  append_given_up(result, round_.doing);
}

// The tasks tell all that has happened in the rounds before.
std::string PlaceStage::identity() const {
  Sha256 sum;
  const Bytes bytes = to_bytes(round_);
  sum.add(bytes);
  return fmt::format("{} {}", round_.doing, sum.hex());
}

}  // namespace nucreg
