// What ranks do for a map: read tiles, then the tasks of its placement.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "nucreg/mosaic/placement.hpp"
#include "nucreg/run/stage.hpp"
#include "nucreg/tiles/tile_nuclei.hpp"
#include "nucreg/tiles/well_inputs.hpp"

namespace nucreg {

/// Where a map keeps the nuclei of its tiles.
struct MapFolders {
  std::filesystem::path store;        ///< of this run: TileStore
  std::filesystem::path image_cache;  ///< of what was found in images, for other runs, too
};
void fields(auto& archive, MaybeConst<MapFolders> auto& folders) {
  archive(folders.store, folders.image_cache);
}

/// Reads tiles, or finds their nuclei, and puts them into the store. A task is a file; its result a
/// TaskOutcome of the TileFacts of the tiles in it. Tiles that the store has are not read again.
class ReadStage final : public Stage {
 public:
  static constexpr const char* kind = "map-tiles";
  ReadStage(std::vector<TileInput> tiles, MapFolders folders);
  [[nodiscard]] static std::shared_ptr<const Stage> read(ByteReader& reader, int rank);

  /// The tiles of each task, by number.
  [[nodiscard]] const std::vector<std::vector<std::uint32_t>>& files() const { return files_; }

  [[nodiscard]] StageName name() const override { return {kind, "reading tiles", "tile"}; }
  [[nodiscard]] TaskList tasks() const override { return {.blocks = {{0, files_.size(), 1.0}}}; }
  void write(ByteWriter& writer) const override { writer(tiles_, folders_); }
  void run(std::uint64_t task, Bytes& result) const override;
  void give_up(std::uint64_t task, Bytes& result) const override;

 private:
  std::vector<TileInput> tiles_;
  MapFolders folders_;
  mutable TileReading reading_;
  std::vector<std::vector<std::uint32_t>> files_;
};

/// The tiles of a well and one round of tasks on them.
struct PlaceRound {
  std::string doing;  ///< such as "linking tiles"
  std::vector<mosaic::WellTile> tiles;
  std::vector<mosaic::PlaceTask> tasks;
  std::uint64_t first_tile = 0;  ///< number of the first of the tiles in the store
  std::string inputs;            ///< identifies what was read of the tiles
};

/// One round of the placement of a well; results are TaskOutcome of PlaceResult. They are kept in
/// the journal.
class PlaceStage final : public Stage {
 public:
  static constexpr const char* kind = "map-links";
  PlaceStage(PlaceRound round, std::shared_ptr<TileShelf> shelf)
      : round_(std::move(round)), shelf_(std::move(shelf)) {}
  [[nodiscard]] static std::shared_ptr<const Stage> read(ByteReader& reader, int rank);

  [[nodiscard]] StageName name() const override { return {kind, round_.doing, "task"}; }
  [[nodiscard]] TaskList tasks() const override;
  void write(ByteWriter& writer) const override;
  void run(std::uint64_t task, Bytes& result) const override;
  void give_up(std::uint64_t task, Bytes& result) const override;
  [[nodiscard]] std::string identity() const override;

 private:
  PlaceRound round_;
  std::shared_ptr<TileShelf> shelf_;
};

}  // namespace nucreg
