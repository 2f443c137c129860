// What one rank does with one tile, and with one pair of tiles.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "image_cache.hpp"
#include "nucreg/app/tiles.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/match/match.hpp"
#include "nucreg/nuclei/segment.hpp"

namespace nucreg {

/// The nuclei of one tile.
struct TileNuclei {
  std::string sha256;  ///< of the file
  Nuclei nuclei;
  double diameter_px = 0.0;  ///< given or estimated
};

struct TileTask {
  std::string file;  ///< absolute
  std::string name;  ///< as the job names it, for messages
  std::uint64_t frame = 0, channel = 0;
  double diameter_px = 0.0;  ///< 0: estimated
};

/// What came of a task: its result, or why there is none.
struct TaskOutcome {
  ExitStatus status = ExitStatus::done;
  std::string message;
  bool from_cache = false;
  Bytes result;

  void append_to(Bytes& payload) const;
  [[nodiscard]] static TaskOutcome from_bytes(std::span<const std::byte> payload);
};

[[nodiscard]] Bytes to_bytes(const TileNuclei& tile);
[[nodiscard]] TileNuclei tile_nuclei_from(std::span<const std::byte> bytes);
[[nodiscard]] Bytes to_bytes(const MatchResult& match);
[[nodiscard]] MatchResult match_from(std::span<const std::byte> bytes);

/// Segmentation of tiles, the same on every rank.
class TileStage {
 public:
  TileStage(std::vector<TileTask> tasks, const std::filesystem::path& cache)
      : tasks_(std::move(tasks)), cache_folder_(cache), cache_(cache) {}
  [[nodiscard]] Bytes to_bytes() const;
  [[nodiscard]] static TileStage from_bytes(std::span<const std::byte> bytes);

  [[nodiscard]] std::size_t size() const { return tasks_.size(); }
  [[nodiscard]] std::string name(std::size_t task) const { return tasks_.at(task).name; }
  /// From the cache or found; the errors of a tile are an outcome.
  [[nodiscard]] TaskOutcome run(std::size_t task) const;

 private:
  [[nodiscard]] std::string sum_of(const std::string& file) const;

  std::vector<TileTask> tasks_;
  std::filesystem::path cache_folder_;
  ImageCache cache_;
  // A file of many frames is read once for its sum.
  struct Sums {
    std::mutex mutex;
    std::map<std::string, std::string> known;
  };
  std::shared_ptr<Sums> sums_ = std::make_shared<Sums>();
};

struct MatchTask {
  TilePair tiles;
  std::string name;  ///< as the job names it, for messages
  std::optional<StagePrior> stage;
};

/// Matching of pairs of tiles, the same on every rank.
class MatchStage {
 public:
  /// `points` by tile; of the options those of a job, without `stage`.
  MatchStage(std::vector<Points> points, std::vector<MatchTask> tasks, const MatchOptions& options,
             const std::filesystem::path& cache)
      : points_(std::move(points)),
        tasks_(std::move(tasks)),
        options_(options),
        cache_folder_(cache),
        cache_(cache) {}
  [[nodiscard]] Bytes to_bytes() const;
  [[nodiscard]] static MatchStage from_bytes(std::span<const std::byte> bytes);

  [[nodiscard]] std::size_t size() const { return tasks_.size(); }
  [[nodiscard]] std::string name(std::size_t task) const { return tasks_.at(task).name; }
  [[nodiscard]] TaskOutcome run(std::size_t number) const;

 private:
  std::vector<Points> points_;  // by tile
  std::vector<MatchTask> tasks_;
  MatchOptions options_;
  std::filesystem::path cache_folder_;
  ImageCache cache_;
};

}  // namespace nucreg
