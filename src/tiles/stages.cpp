#include "nucreg/tiles/stages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "nucreg/core/build_info.hpp"
#include "nucreg/core/sha256.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/disk/publish.hpp"
#include "nucreg/image/image.hpp"
#include "task_outcome.hpp"

namespace nucreg {

void fields(auto& archive, MaybeConst<StagePrior> auto& stage) {
  archive(stage.forty_px, stage.ten_px, stage.uncertainty_px);
}

void fields(auto& archive, MaybeConst<MatchResult> auto& match) {
  archive(match.no_match, match.reason, match.affine, match.trs, match.mirrored, match.ten,
          match.forty, match.residual_px, match.heldout_residual_px, match.ten_in_overlap,
          match.forty_in_overlap, match.match_rate, match.chance_rate, match.match_radius_px,
          match.noise_px, match.heldout_rmsd_px, match.log10_significance, match.stage_error_px,
          match.hypotheses);
}

void fields(auto& archive, MaybeConst<MatchTask> auto& task) {
  archive(task.tiles, task.name, task.stage);
}

void fields(auto& archive, MaybeConst<Points> auto& points) {
  archive(points.x, points.y);
}

void fields(auto& archive, MaybeConst<SegmentSummary> auto& summary) {
  archive(summary.nuclei, summary.diameter_px, summary.one_value, summary.kept, summary.replaced,
          summary.labels);
}

namespace {

/// The cache is a convenience: if it cannot be written the result stands, with a warning.
template <class Make>
TaskOutcome cached(const ImageCache& cache, const std::string& key, Make&& make) {
  if (std::optional<Bytes> known = cache.load(key))
    return {.from_cache = true, .result = std::move(*known)};
  TaskOutcome outcome{.result = make()};
  try {
    cache.store(key, outcome.result);
  } catch (const OutputError& e) {
    outcome.warning = fmt::format("what is found in images cannot be kept: {}", e.what());
  }
  return outcome;
}

// Messages name the file as the user does.
Nuclei nuclei_in(const TileTask& task, double& diameter_px) {
  const std::shared_ptr<ImageReader> reader = opened_image(task.file);
  SegmentOptions options;
  if (task.diameter_px > 0.0) options.diameter_px = task.diameter_px;
  Segmentation found = within_memory(reader->info(), task.name, [&] {
    const Plane plane = reader->read(task.frame, task.channel);
    return segment(plane.view(), options);
  });
  diameter_px = found.diameter_px;
  return std::move(found.nuclei);
}

}  // namespace

void Failures::add(ExitStatus status, const std::string& message) {
  text_ += (text_.empty() ? "" : "\nnucreg: ") + message;
  // An output that cannot be written is worse than one input among many; a bug is worst.
  if (status_ == ExitStatus::done || status == ExitStatus::bug ||
      (status == ExitStatus::output && status_ != ExitStatus::bug))
    status_ = status;
}

StageOutcomes run_to_outcomes(Stages& stages, std::shared_ptr<const Stage> stage) {
  StageOutcomes found;
  for (const TaskList::Block& block : stage->tasks().blocks)
    found.outcomes.resize(std::max<std::size_t>(found.outcomes.size(), block.first + block.count));
  std::string warning;  // given only later: the ranks must not wait until it is written
  found.report =
      stages.run(std::move(stage), [&](std::uint64_t task, int, std::span<const std::byte> bytes) {
        TaskOutcome& outcome = found.outcomes.at(task);
        outcome = from_bytes<TaskOutcome>(bytes);
        if (warning.empty()) warning = outcome.warning;
      });
  if (!warning.empty() && stages.view().warn) stages.view().warn(warning);
  return found;
}

void demand_all(const StageOutcomes& found) {
  Failures failures;
  for (const TaskOutcome& outcome : found.outcomes)
    if (outcome.status != ExitStatus::done) failures.add(outcome.status, outcome.message);
  if (failures.status() != ExitStatus::done) throw Error(failures.status(), failures.text());
  const StageName name = found.report.stage->name();
  if (found.report.dispatch.stopped)
    throw Error(ExitStatus::stopped,
                fmt::format("stopped while {}, with {} of {} done and kept", name.doing,
                            count_text(found.report.dispatch.tasks_done),
                            counted(found.report.total, name.task)));
}

std::filesystem::path ImageCache::file(const std::string& key) const {
  return folder_ / (key + ".cache");
}

std::optional<Bytes> ImageCache::load(const std::string& key) const {
  std::string text;
  try {
    text = read_file(file(key), Owner::trusted);
  } catch (const InputError&) {
    return std::nullopt;
  }
  const auto content = unsealed(text);
  if (!content) return std::nullopt;
  const auto bytes = std::as_bytes(std::span(*content));
  return Bytes(bytes.begin(), bytes.end());
}

void ImageCache::store(const std::string& key, const Bytes& bytes) const {
  make_folder(folder_);
  TextFile entry(file(key));
  entry.write(sealed({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  entry.publish(true);
}

std::shared_ptr<const Stage> NucleiStage::read(ByteReader& reader, int) {
  auto tasks = reader.read<std::vector<TileTask>>();
  return std::make_shared<const NucleiStage>(std::move(tasks),
                                             reader.read<std::filesystem::path>());
}

void NucleiStage::run(std::uint64_t number, Bytes& result) const {
  const TileTask& task = tasks_.at(number);
  append_outcome(task.name, result, [&] {
    TileNuclei found{.sha256 = sums_.of(task.file)};
    Sha256 key;
    key.add(fmt::format("nuclei\n{}\n{}\nframe {} channel {} diameter {}\n", build_identity(),
                        found.sha256, task.frame, task.channel, task.diameter_px));
    return cached(cache_, key.hex(), [&] {
      found.nuclei = nuclei_in(task, found.diameter_px);
      return to_bytes(found);
    });
  });
}

void NucleiStage::give_up(std::uint64_t task, Bytes& result) const {
  append_given_up(tasks_.at(task).name, result);
}

std::shared_ptr<const Stage> MatchStage::read(ByteReader& reader, int) {
  std::vector<Points> points;
  std::vector<MatchTask> tasks;
  MatchOptions options;
  std::filesystem::path cache;
  reader(points, tasks, options.magnification, options.model, options.significance, options.seed,
         cache);
  return std::make_shared<const MatchStage>(std::move(points), std::move(tasks), options, cache);
}

void MatchStage::write(ByteWriter& writer) const {
  writer(points_, tasks_, options_.magnification, options_.model, options_.significance,
         options_.seed, cache_.folder());
}

void MatchStage::run(std::uint64_t number, Bytes& result) const {
  const MatchTask& task = tasks_.at(number);
  append_outcome(task.name, result, [&] {
    const Points &ten = points_[task.tiles.ten], &forty = points_[task.tiles.forty];
    MatchOptions options = options_;
    options.stage = task.stage;
    Sha256 key;
    key.add(fmt::format("match\n{}\n{} {} to {}, {}, {}, seed {}\n", build_identity(),
                        name_of(options_.model), options_.magnification[0],
                        options_.magnification[1], name_of(options_.loss), options_.significance,
                        options_.seed));
    key.add(to_bytes(task.stage, ten, forty));
    return cached(cache_, key.hex(), [&] { return to_bytes(match_nuclei(ten, forty, options)); });
  });
}

void MatchStage::give_up(std::uint64_t task, Bytes& result) const {
  append_given_up(tasks_.at(task).name, result);
}

MatchResult match_from(std::span<const std::byte> bytes) {
  return from_bytes<MatchResult>(bytes);
}

SegmentSummary segment_summary_from(std::span<const std::byte> bytes) {
  return from_bytes<SegmentSummary>(bytes);
}

std::shared_ptr<const Stage> SegmentStage::read(ByteReader& reader, int) {
  auto tasks = reader.read<std::vector<SegmentTask>>();
  return std::make_shared<const SegmentStage>(std::move(tasks), reader.read<Existing>());
}

void SegmentStage::run(std::uint64_t number, Bytes& result) const {
  const SegmentTask& task = tasks_.at(number);
  append_outcome(task.image.string(), result, [&]() -> TaskOutcome {
    return {.result = to_bytes(segment_image(task, existing_))};
  });
}

void SegmentStage::give_up(std::uint64_t task, Bytes& result) const {
  append_given_up(tasks_.at(task).image.string(), result);
}

}  // namespace nucreg
