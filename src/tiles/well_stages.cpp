#include "nucreg/tiles/well_stages.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "nucreg/core/bytes.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/sha256.hpp"
#include "nucreg/tiles/stages.hpp"
#include "task_outcome.hpp"

namespace nucreg {

namespace mosaic {

void fields(auto& archive, MaybeConst<WellTile> auto& tile) {
  archive(tile.side, tile.name, tile.width_px, tile.height_px, tile.pixel_um, tile.scale,
          tile.stage_um);
}
void fields(auto& archive, MaybeConst<PlaceTask> auto& task) {
  archive(task.tiles, task.values, task.cost);
}

}  // namespace mosaic

void fields(auto& archive, MaybeConst<PlaceRound> auto& round) {
  archive(round.doing, round.tiles, round.tasks, round.first_tile, round.inputs);
}

ReadStage::ReadStage(std::vector<TileInput> tiles, MapFolders folders)
    : tiles_(std::move(tiles)), folders_(std::move(folders)), reading_{folders_.image_cache, {}} {
  // For several tiles, the task of each; what is in um is read with one size of pixels.
  std::map<std::pair<std::string, std::optional<double>>, std::size_t> tables;
  for (std::uint32_t i = 0; i < tiles_.size(); ++i) {
    if (tiles_[i].part_of_table) {
      const auto [known, is_new] =
          tables.emplace(std::pair(tiles_[i].file, tiles_[i].pixel_um), files_.size());
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
  append_outcome(tiles_[numbers.front()].title(), result, [&] {
    std::vector<TileInput> tiles;
    for (const std::uint32_t number : numbers) tiles.push_back(tiles_[number]);
    return TaskOutcome{
        .result = to_bytes(read_into_store(tiles, numbers, TileStore(folders_.store), reading_))};
  });
}

void ReadStage::give_up(std::uint64_t task, Bytes& result) const {
  append_given_up(tiles_[files_.at(task).front()].title(), result);
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
  append_outcome(round_.doing, result, [&] {
    std::unordered_map<std::uint32_t, std::shared_ptr<const mosaic::TileNuclei>> held;
    return TaskOutcome{
        .result = to_bytes(mosaic::run_place_task(
            round_.tiles, task, [&](std::uint32_t tile) -> const mosaic::TileNuclei& {
              std::shared_ptr<const mosaic::TileNuclei>& nuclei = held[tile];
              if (!nuclei) nuclei = shelf_->get(round_.first_tile + tile, round_.tiles[tile].scale);
              return *nuclei;
            }))};
  });
}

void PlaceStage::give_up(std::uint64_t, Bytes& result) const {
  append_given_up(round_.doing, result);
}

// The tasks depend on all that has happened in the rounds before.
std::string PlaceStage::identity() const {
  Sha256 sum;
  const Bytes bytes = to_bytes(round_);
  sum.add(bytes);
  return fmt::format("{} {}", round_.doing, sum.hex());
}

}  // namespace nucreg
