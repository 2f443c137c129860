// What ranks do with tiles: find the nuclei of each, match pairs of them, write the files of
// `segment`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/disk/files.hpp"
#include "nucreg/match/match.hpp"
#include "nucreg/nuclei/segment.hpp"
#include "nucreg/run/stage.hpp"
#include "nucreg/tiles/tiles.hpp"

namespace nucreg {

/// What came of a task: its result, or why there is none.
struct TaskOutcome {
  ExitStatus status = ExitStatus::done;
  std::string message;
  std::string warning;  ///< of what did not keep it from its result
  bool from_cache = false;
  Bytes result;
};
void fields(auto& archive, MaybeConst<TaskOutcome> auto& outcome) {
  archive(outcome.status, outcome.message, outcome.warning, outcome.from_cache, outcome.result);
}

/// The errors of tasks of which each can fail by itself: the worst status, all messages.
class Failures {
 public:
  void add(ExitStatus status, const std::string& message);
  [[nodiscard]] ExitStatus status() const { return status_; }
  /// A line each, the first without the name of the program before it and the last without an end.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  ExitStatus status_ = ExitStatus::done;
  std::string text_;
};

/// The outcomes of a stage whose results are TaskOutcome, by task. Those of tasks that were not run
/// since the user stopped it are empty. Warns of the first warning among them.
struct StageOutcomes {
  StageReport report;
  std::vector<TaskOutcome> outcomes;
};
[[nodiscard]] StageOutcomes run_to_outcomes(Stages& stages, std::shared_ptr<const Stage> stage);
/// Throws Error with all messages if a task failed, and Error with status `stopped` if not all were
/// run.
void demand_all(const StageOutcomes& outcomes);

/// What has been found in images, kept by content: it is found again whatever files are called now.
/// A folder of one file per entry. Several processes may use one folder at a time: an entry appears
/// when it is whole, and all who make it make the same.
class ImageCache {
 public:
  explicit ImageCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  /// An entry that does not exist or is damaged is none. `key`: hexadecimal digits.
  [[nodiscard]] std::optional<Bytes> load(const std::string& key) const;
  /// Throws OutputError.
  void store(const std::string& key, const Bytes& bytes) const;

 private:
  [[nodiscard]] std::filesystem::path file(const std::string& key) const;

  std::filesystem::path folder_;
};

/// The nuclei of one tile.
struct TileNuclei {
  std::string sha256;        ///< of the file
  Nuclei nuclei;             ///< of an image without any: none
  double diameter_px = 0.0;  ///< given or estimated
};
void fields(auto& archive, MaybeConst<Nuclei> auto& nuclei) {
  archive(nuclei.x_px, nuclei.y_px, nuclei.area_px, nuclei.mean_intensity, nuclei.touches_border);
}
void fields(auto& archive, MaybeConst<TileNuclei> auto& tile) {
  archive(tile.sha256, tile.nuclei, tile.diameter_px);
}

struct TileTask {
  std::string file;  ///< absolute
  std::string name;  ///< as the user names it, for messages
  std::uint64_t frame = 0, channel = 0;
  double diameter_px = 0.0;  ///< 0: estimated
};
void fields(auto& archive, MaybeConst<TileTask> auto& task) {
  archive(task.file, task.name, task.frame, task.channel, task.diameter_px);
}

/// Finds the nuclei of tiles; results are TaskOutcome of TileNuclei, kept in the cache and taken
/// from there.
class NucleiStage final : public Stage {
 public:
  static constexpr const char* kind = "nuclei";
  NucleiStage(std::vector<TileTask> tasks, const std::filesystem::path& cache)
      : tasks_(std::move(tasks)), cache_(cache) {}
  [[nodiscard]] static std::shared_ptr<const Stage> read(ByteReader& reader, int rank);

  [[nodiscard]] StageName name() const override { return {kind, "finding nuclei", "tile"}; }
  [[nodiscard]] TaskList tasks() const override { return {.blocks = {{0, tasks_.size(), 1.0}}}; }
  void write(ByteWriter& writer) const override { writer(tasks_, cache_.folder()); }
  void run(std::uint64_t task, Bytes& result) const override;
  void give_up(std::uint64_t task, Bytes& result) const override;

 private:
  std::vector<TileTask> tasks_;
  ImageCache cache_;
  mutable FileSums sums_;
};

struct MatchTask {
  TilePair tiles;
  std::string name;  ///< as the user names it, for messages
  std::optional<StagePrior> stage;
};

/// Matches pairs of tiles; results are TaskOutcome of MatchResult, also kept in the cache.
class MatchStage final : public Stage {
 public:
  static constexpr const char* kind = "matches";
  /// `points` by tile; `options` without `stage`.
  MatchStage(std::vector<Points> points, std::vector<MatchTask> tasks, const MatchOptions& options,
             const std::filesystem::path& cache)
      : points_(std::move(points)), tasks_(std::move(tasks)), options_(options), cache_(cache) {}
  [[nodiscard]] static std::shared_ptr<const Stage> read(ByteReader& reader, int rank);

  [[nodiscard]] StageName name() const override { return {kind, "matching tiles", "pair"}; }
  [[nodiscard]] TaskList tasks() const override { return {.blocks = {{0, tasks_.size(), 1.0}}}; }
  void write(ByteWriter& writer) const override;
  void run(std::uint64_t task, Bytes& result) const override;
  void give_up(std::uint64_t task, Bytes& result) const override;

 private:
  std::vector<Points> points_;  // by tile
  std::vector<MatchTask> tasks_;
  MatchOptions options_;
  ImageCache cache_;
};
[[nodiscard]] MatchResult match_from(std::span<const std::byte> bytes);

/// What a rank must know to segment one frame to files.
struct SegmentTask {
  std::filesystem::path image;
  std::uint64_t frame = 0, channel = 0;
  std::optional<double> diameter_px;
  std::filesystem::path outputs;  ///< the outputs' path up to where they differ
  bool with_overlay = true;
};
void fields(auto& archive, MaybeConst<SegmentTask> auto& task) {
  archive(task.image, task.frame, task.channel, task.diameter_px, task.outputs, task.with_overlay);
}

/// `<outputs>.csv`, `<outputs>_labels.tif`, `<outputs>_overlay.png`.
struct SegmentFiles {
  std::filesystem::path table, labels, overlay;

  explicit SegmentFiles(const std::filesystem::path& outputs);
  [[nodiscard]] std::array<std::filesystem::path, 3> all() const {
    return {table, labels, overlay};
  }
};

struct SegmentSummary {
  std::uint64_t nuclei = 0;
  double diameter_px = 0.0;
  bool one_value = false;    ///< of all pixels
  bool kept = false;         ///< outputs of the same pixels and diameter existed
  bool replaced = false;     ///< outputs of other ones existed
  std::uint64_t labels = 0;  ///< more than 0: the pixels look like a label image of so many nuclei
};
[[nodiscard]] SegmentSummary segment_summary_from(std::span<const std::byte> bytes);

/// What is done about outputs that exist: an error, made again, or made again unless they were made
/// of the same pixels with the same diameter by the same build.
enum class Existing : std::uint8_t { refused, replaced, kept_if_same };

/// Reads, segments, and writes the files; each appears when it is whole. Throws InputError,
/// also if memory does not suffice, and OutputError. No nuclei: an empty table.
[[nodiscard]] SegmentSummary segment_image(const SegmentTask& task, Existing existing);

/// Segments frames to files; results are TaskOutcome of SegmentSummary.
class SegmentStage final : public Stage {
 public:
  static constexpr const char* kind = "segment";
  SegmentStage(std::vector<SegmentTask> tasks, Existing existing)
      : tasks_(std::move(tasks)), existing_(existing) {}
  [[nodiscard]] static std::shared_ptr<const Stage> read(ByteReader& reader, int rank);

  [[nodiscard]] StageName name() const override { return {kind, "finding nuclei", "image"}; }
  [[nodiscard]] TaskList tasks() const override { return {.blocks = {{0, tasks_.size(), 1.0}}}; }
  void write(ByteWriter& writer) const override { writer(tasks_, existing_); }
  void run(std::uint64_t task, Bytes& result) const override;
  void give_up(std::uint64_t task, Bytes& result) const override;

 private:
  std::vector<SegmentTask> tasks_;
  Existing existing_;
};

}  // namespace nucreg
