#include "nucreg/tiles/stages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "nucreg/core/build_info.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/sha256.hpp"
#include "nucreg/disk/publish.hpp"
#include "nucreg/image/image.hpp"
#include "nucreg/image/write_image.hpp"
#include "nucreg/nuclei/nuclei_file.hpp"
#include "nucreg/nuclei/nuclei_table.hpp"
#include "nucreg/nuclei/segment.hpp"

namespace nucreg {

namespace fs = std::filesystem;

SegmentFiles::SegmentFiles(const fs::path& outputs)
    : table(outputs.string() + ".csv"),
      labels(outputs.string() + "_labels.tif"),
      overlay(outputs.string() + "_overlay.png") {}

namespace {

constexpr std::string_view made_by = "nucreg segment ";  // how the description of our labels begins

// What the outputs depend on: which file the pixels were in, or under what name, they do not.
std::string made_from(const PlaneView& image, std::optional<double> diameter_px,
                      const std::string& place) {
  Sha256 sum;
  for (std::size_t y = 0; y < image.height_px; ++y)
    sum.add(std::span(image.data + y * image.row_bytes, image.width_px * image.pixel_bytes));
  return fmt::format("{}{}: {} x {} {} sha256={} diameter_px={}{}", made_by, build_identity(),
                     image.width_px, image.height_px, name_of(image.type), sum.hex(),
                     diameter_px ? fmt::format("{}", *diameter_px) : "estimated", place);
}

// What `nucreg map` wants to know of the image, as ` key=value` for each that is known.
std::string place_text(const ImageInfo& info, std::size_t frame) {
  std::string text;
  const auto add = [&](const char* key, const std::optional<double>& value) {
    if (value) text += fmt::format(" {}={}", key, *value);
  };
  add("pixel_um", info.pixel_size_um);
  add("stage_x_um", info.frames.at(frame).x_um);
  add("stage_y_um", info.frames.at(frame).y_um);
  return text;
}

// Whether outputs of this very origin exist. What is not known to be ours is not replaced: ours
// begin with the labels. Labels that cannot be read are torn ones.
bool are_of(const SegmentFiles& files, const std::string& origin, bool with_overlay) {
  std::string found;
  if (file_exists(files.labels)) try {
      found = read_tiff_description(files.labels);
      if (!found.starts_with(made_by))
        throw OutputError("exists and was not made by nucreg segment",
                          {.file = files.labels.string(), .allowed = "--force to overwrite it"});
    } catch (const InputError&) {
      found.clear();
    }
  else
    for (const fs::path& file : {files.table, files.overlay})
      if (file_exists(file))
        throw OutputError("exists without the labels that nucreg segment writes before it",
                          {.file = file.string(), .allowed = "--force to overwrite it"});
  return found == origin && file_exists(files.table) &&
         (!with_overlay || file_exists(files.overlay));
}

std::size_t rows_of(const fs::path& table) {
  const auto lines = std::ranges::count(read_file(table), '\n');
  return static_cast<std::size_t>(std::max<std::ptrdiff_t>(lines, 1) - 1);
}

}  // namespace

SegmentSummary segment_image(const SegmentTask& task, Existing existing) {
  const std::shared_ptr<ImageReader> reader = opened_image(task.image);
  const ImageInfo& info = reader->info();
  const SegmentFiles files(task.outputs);
  return within_memory(info, task.image.string(), [&]() -> SegmentSummary {
    const Plane plane = reader->read(task.frame, task.channel);
    const PlaneView& image = plane.view();
    const std::string origin = made_from(image, task.diameter_px, place_text(info, task.frame));
    SegmentSummary summary;
    if (existing == Existing::kept_if_same) {
      if (are_of(files, origin, task.with_overlay))
        return {.nuclei = rows_of(files.table), .kept = true};
      summary.replaced = file_exists(files.table);
    }
    const bool overwrite = existing != Existing::refused;
    const Segmentation found = segment(image, {.diameter_px = task.diameter_px});
    summary.nuclei = found.nuclei.size();
    summary.diameter_px = found.diameter_px;
    summary.one_value = found.one_value;
    summary.labels = kind_of_plane(*reader, image, task.channel, task.image).labels;
    // The table comes last: if it exists, the others do.
    if (overwrite) remove_file(files.table);
    publish_with(files.labels, overwrite, [&](const fs::path& file) {
      write_label_tiff(file, found.labels, {.description = origin});
    });
    if (task.with_overlay)
      publish_with(files.overlay, overwrite,
                   [&](const fs::path& file) { write_png(file, overlay(image, found.labels)); });
    else if (overwrite)
      remove_file(files.overlay);  // it would show other labels
    publish_with(files.table, overwrite,
                 [&](const fs::path& file) { write_file(file, to_csv(found.nuclei)); });
    return summary;
  });
}

}  // namespace nucreg
