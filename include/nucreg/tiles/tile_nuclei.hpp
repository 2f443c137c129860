// The nuclei of one tile of a well, from whatever file shows them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "nucreg/disk/files.hpp"
#include "nucreg/mosaic/well.hpp"
#include "nucreg/tiles/well_inputs.hpp"

namespace nucreg {

/// What reading a tile gave, without its nuclei.
struct TileFacts {
  std::uint32_t nuclei = 0;
  double left_px = 0.0, top_px = 0.0;      ///< least coordinates, if negative
  double right_px = 0.0, bottom_px = 0.0;  ///< largest coordinates
  bool labelled = true;                    ///< false: labels are the numbers of rows, from 1
  bool areas = true;                       ///< whether areas are known
  std::string origin;              ///< identifies what was read: file, options, build; hexadecimal
  std::string file_sha256;         ///< of the file that holds them, hexadecimal
  std::string unreadable;          ///< why there are no nuclei; empty: the file could be read
  std::string not_kept;            ///< why it is not in the cache; empty: it is, or need not be
  std::vector<std::string> notes;  ///< how it was read, and what was left out; a sentence each
};
void fields(auto& archive, MaybeConst<TileFacts> auto& f) {
  archive(f.nuclei, f.left_px, f.top_px, f.right_px, f.bottom_px, f.labelled, f.areas, f.origin,
          f.file_sha256, f.unreadable, f.not_kept, f.notes);
}

struct ReadTile {
  TileFacts facts;
  mosaic::TileNuclei nuclei;
};

/// Nuclei of tiles that were read once, for all ranks of a run: one small binary file per tile in a
/// folder that they share. A file that is damaged or of another origin counts as absent.
class TileStore {
 public:
  explicit TileStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Throws OutputError.
  void put(std::size_t tile, const ReadTile& read) const;
  [[nodiscard]] std::optional<ReadTile> get(std::size_t tile) const;
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

/// From pixels of a tile to those of its side (see WellTile::scale). Centres of pixels are whole
/// numbers.
void rescale(mosaic::TileNuclei& nuclei, double scale);

/// What tiles are read with: what was found in images is kept in a folder and taken from there.
struct TileReading {
  std::filesystem::path image_cache;
  FileSums sums;
};

/// Reads tiles of one file into the store: several only if they are parts of one table. Tiles that
/// the store has from this very file are taken from there. `numbers` are those of the tiles in the
/// store. Images are segmented. An image that cannot be read is a tile that is unreadable; so is a
/// table that the system does not give. A table without nuclei is a tile without. Throws InputError
/// (file, line, what is allowed) on a table that is not understood; OutputError.
[[nodiscard]] std::vector<TileFacts> read_into_store(std::span<const TileInput> tiles,
                                                     std::span<const std::uint32_t> numbers,
                                                     const TileStore& store, TileReading& reading);

/// Nuclei of tiles at hand on one rank: the last ones used, within a budget of memory, in front of
/// a TileStore. May be used by several threads.
class TileShelf {
 public:
  TileShelf(TileStore store, std::size_t max_bytes)
      : store_(std::move(store)), max_bytes_(max_bytes) {}

  /// In pixels of its side, of which one of its own has `scale`. Throws InputError if the store has
  /// lost the tile.
  [[nodiscard]] std::shared_ptr<const mosaic::TileNuclei> get(std::size_t tile, double scale);
  /// Forgets what is at hand.
  void clear();
  [[nodiscard]] const std::filesystem::path& folder() const { return store_.folder(); }

 private:
  struct Kept {
    std::shared_ptr<const mosaic::TileNuclei> nuclei;
    std::uint64_t used = 0;
  };
  void make_room(std::size_t bytes);

  const TileStore store_;
  const std::size_t max_bytes_;
  std::mutex mutex_;
  std::unordered_map<std::size_t, Kept> kept_;
  std::size_t bytes_ = 0;
  std::uint64_t clock_ = 0;
};

/// The shelf of this process for a store: the same for all stages of a run, so that tiles which are
/// at hand are not read again.
[[nodiscard]] std::shared_ptr<TileShelf> shelf_of(const std::filesystem::path& store);

}  // namespace nucreg
