#include "image_tasks.hpp"

#include <fmt/format.h>

#include <optional>

#include "byte_archive.hpp"
#include "nucreg/app/identity.hpp"
#include "nucreg/app/within_memory.hpp"
#include "nucreg/core/sha256.hpp"
#include "nucreg/image/image.hpp"

namespace nucreg {
namespace {

// One list of the fields for both directions.
template <class Archive, class T>
void columns(Archive& archive, T& nuclei) {
  archive.array(nuclei.x_px);
  archive.array(nuclei.y_px);
  archive.array(nuclei.area_px);
  archive.array(nuclei.mean_intensity);
}

template <class Archive, class T>
void fields(Archive& archive, T& match) {
  archive.value(match.no_match);
  archive.array(match.reason);
  archive.value(match.affine);
  archive.value(match.trs);
  archive.value(match.mirrored);
  archive.array(match.ten);
  archive.array(match.forty);
  archive.array(match.residual_px);
  archive.array(match.heldout_residual_px);
  archive.value(match.ten_in_overlap);
  archive.value(match.forty_in_overlap);
  for (auto* number :
       {&match.match_rate, &match.chance_rate, &match.match_radius_px, &match.noise_px,
        &match.heldout_rmsd_px, &match.log10_significance, &match.stage_error_px})
    archive.value(*number);
  archive.value(match.hypotheses);
}

void put_stage(ByteWriter& writer, const std::optional<StagePrior>& stage) {
  writer.array(stage ? stage->ten_px : std::vector<std::array<double, 2>>{});
  if (!stage) return;
  writer.value(stage->forty_px);
  writer.value(stage->uncertainty_px);
}

std::optional<StagePrior> get_stage(ByteReader& reader) {
  StagePrior stage;
  reader.array(stage.ten_px);
  if (stage.ten_px.empty()) return std::nullopt;
  reader.value(stage.forty_px);
  reader.value(stage.uncertainty_px);
  return stage;
}

template <class Find>
TaskOutcome outcome_of(const std::string& name, Find&& find) {
  try {
    return find();
  } catch (const Error& e) {
    return {.status = e.status(), .message = e.what()};
  } catch (const std::bad_alloc&) {
    return {.status = ExitStatus::input, .message = name + ": not enough memory"};
  } catch (const std::exception& e) {
    return {.status = ExitStatus::bug, .message = fmt::format("{}: bug: {}", name, e.what())};
  }
}

template <class Make>
TaskOutcome cached(const ImageCache& cache, const std::string& key, Make&& make) {
  if (std::optional<Bytes> known = cache.load(key))
    return {.from_cache = true, .result = std::move(*known)};
  TaskOutcome outcome{.result = make()};
  cache.store(key, outcome.result);
  return outcome;
}

// Messages name the file as the job does.
Nuclei nuclei_in(const TileTask& task, double& diameter_px) {
  const std::unique_ptr<ImageReader> reader = open_image(task.file);
  SegmentOptions options;
  if (task.diameter_px > 0.0) options.diameter_px = task.diameter_px;
  Segmentation found = within_memory(reader->info(), task.name, [&] {
    const Plane plane = reader->read(task.frame, task.channel);
    return segment(plane.view(), options);
  });
  diameter_px = found.diameter_px;
  if (found.nuclei.size() < 2)
    throw InputError(found.nuclei.size() == 1 ? "one nucleus" : "no nuclei",
                     {.file = task.name, .allowed = "an image of several nuclei"});
  return std::move(found.nuclei);
}

}  // namespace

void TaskOutcome::append_to(Bytes& payload) const {
  ByteWriter writer;
  writer.value(status);
  writer.array(message);
  writer.value(from_cache);
  writer.array(result);
  payload.insert(payload.end(), writer.bytes.begin(), writer.bytes.end());
}

TaskOutcome TaskOutcome::from_bytes(std::span<const std::byte> payload) {
  ByteReader reader(payload);
  TaskOutcome outcome;
  reader.value(outcome.status);
  reader.array(outcome.message);
  reader.value(outcome.from_cache);
  reader.array(outcome.result);
  return outcome;
}

Bytes to_bytes(const TileNuclei& tile) {
  ByteWriter writer;
  writer.array(tile.sha256);
  columns(writer, tile.nuclei);
  writer.number(tile.nuclei.touches_border.size());
  for (const bool touches : tile.nuclei.touches_border) writer.value(touches);
  writer.value(tile.diameter_px);
  return std::move(writer.bytes);
}

TileNuclei tile_nuclei_from(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  TileNuclei tile;
  reader.array(tile.sha256);
  columns(reader, tile.nuclei);
  tile.nuclei.touches_border.resize(reader.number());
  for (auto touches : tile.nuclei.touches_border) touches = reader.value<bool>();
  reader.value(tile.diameter_px);
  return tile;
}

Bytes to_bytes(const MatchResult& match) {
  ByteWriter writer;
  fields(writer, match);
  return std::move(writer.bytes);
}

MatchResult match_from(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  MatchResult match;
  fields(reader, match);
  return match;
}

Bytes TileStage::to_bytes() const {
  ByteWriter writer;
  writer.array(cache_folder_.string());
  writer.number(tasks_.size());
  for (const TileTask& task : tasks_) {
    writer.array(task.file);
    writer.array(task.name);
    writer.number(task.frame);
    writer.number(task.channel);
    writer.value(task.diameter_px);
  }
  return std::move(writer.bytes);
}

TileStage TileStage::from_bytes(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  std::string folder;
  reader.array(folder);
  std::vector<TileTask> tasks(reader.number());
  for (TileTask& task : tasks) {
    reader.array(task.file);
    reader.array(task.name);
    task.frame = reader.number();
    task.channel = reader.number();
    reader.value(task.diameter_px);
  }
  return {std::move(tasks), folder};
}

std::string TileStage::sum_of(const std::string& file) const {
  const std::lock_guard lock(sums_->mutex);
  std::string& sum = sums_->known[file];
  if (sum.empty()) sum = sha256_of_file(file);
  return sum;
}

TaskOutcome TileStage::run(std::size_t number) const {
  const TileTask& task = tasks_.at(number);
  return outcome_of(task.name, [&] {
    TileNuclei found{.sha256 = sum_of(task.file)};
    Sha256 key;
    key.add(fmt::format("nuclei\n{}\n{}\nframe {} channel {} diameter {}\n", build_identity(),
                        found.sha256, task.frame, task.channel, task.diameter_px));
    return cached(cache_, key.hex(), [&] {
      found.nuclei = nuclei_in(task, found.diameter_px);
      return nucreg::to_bytes(found);
    });
  });
}

Bytes MatchStage::to_bytes() const {
  ByteWriter writer;
  writer.array(cache_folder_.string());
  writer.number(points_.size());
  for (const Points& points : points_) {
    writer.array(points.x);
    writer.array(points.y);
  }
  writer.number(tasks_.size());
  for (const MatchTask& task : tasks_) {
    writer.value(task.tiles);
    writer.array(task.name);
    put_stage(writer, task.stage);
  }
  writer.value(options_.magnification);
  writer.value(options_.model);
  writer.value(options_.significance);
  writer.number(options_.seed);
  return std::move(writer.bytes);
}

MatchStage MatchStage::from_bytes(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  std::string folder;
  reader.array(folder);
  std::vector<Points> points(reader.number());
  for (Points& side : points) {
    reader.array(side.x);
    reader.array(side.y);
  }
  std::vector<MatchTask> tasks(reader.number());
  for (MatchTask& task : tasks) {
    reader.value(task.tiles);
    reader.array(task.name);
    task.stage = get_stage(reader);
  }
  MatchOptions options;
  reader.value(options.magnification);
  reader.value(options.model);
  reader.value(options.significance);
  options.seed = reader.number();
  return {std::move(points), std::move(tasks), options, folder};
}

TaskOutcome MatchStage::run(std::size_t number) const {
  const MatchTask& task = tasks_.at(number);
  return outcome_of(task.name, [&] {
    const Points &ten = points_[task.tiles.ten], &forty = points_[task.tiles.forty];
    MatchOptions options = options_;
    options.stage = task.stage;
    Sha256 key;
    key.add(fmt::format("match\n{}\n{} {} to {}, {}, {}, seed {}\n", build_identity(),
                        name_of(options_.model), options_.magnification[0],
                        options_.magnification[1], name_of(options_.loss), options_.significance,
                        options_.seed));
    ByteWriter given;
    put_stage(given, task.stage);
    for (const auto* column : {&ten.x, &ten.y, &forty.x, &forty.y}) given.array(*column);
    key.add(given.bytes);
    return cached(cache_, key.hex(),
                  [&] { return nucreg::to_bytes(match_nuclei(ten, forty, options)); });
  });
}

}  // namespace nucreg
