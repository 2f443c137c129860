#include "nucreg/app/segment_image.hpp"

#include <fmt/format.h>

#include <charconv>

#include "nucreg/app/publish_with.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/image/write_png.hpp"
#include "nucreg/image/write_tiff.hpp"
#include "nucreg/nuclei/nuclei_table.hpp"
#include "nucreg/nuclei/overlay.hpp"
#include "nucreg/nuclei/segment.hpp"

namespace nucreg {

namespace fs = std::filesystem;

SegmentFiles::SegmentFiles(const fs::path& outputs)
    : table(outputs.string() + ".csv"),
      labels(outputs.string() + "_labels.tif"),
      overlay(outputs.string() + "_overlay.png") {}

std::size_t find_channel(const ImageInfo& info, const std::string& channel,
                         const std::string& file) {
  std::string names;
  for (std::size_t i = 0; i < info.channels.size(); ++i) {
    const std::string& name = info.channels[i].name;
    if (!name.empty() && name == channel) return i;
    names += fmt::format("{}{}{}", i > 0 ? ", " : "", i, name.empty() ? "" : " or " + name);
  }
  std::size_t number = 0;
  const char* const last = channel.data() + channel.size();
  const auto [stop, error] = std::from_chars(channel.data(), last, number);
  if (error == std::errc() && stop == last && number < info.channels.size()) return number;
  throw InputError(fmt::format("no channel \"{}\"", channel), {.file = file, .allowed = names});
}

SegmentSummary segment_image(const SegmentTask& task, bool overwrite) {
  const Plane plane = open_image(task.image)->read(task.frame, task.channel);
  const PlaneView& image = plane.view();
  const Segmentation found = segment(image, {.diameter_px = task.diameter_px});
  const SegmentFiles files(task.outputs);
  publish_with(files.labels, overwrite,
               [&](const fs::path& file) { write_label_tiff(file, found.labels); });
  publish_with(files.overlay, overwrite,
               [&](const fs::path& file) { write_png(file, overlay(image, found.labels)); });
  // The table comes last: where it is, the others are.
  publish_with(files.table, overwrite,
               [&](const fs::path& file) { write_text(file, to_csv(found.nuclei)); });
  return {found.nuclei.size(), found.diameter_px};
}

}  // namespace nucreg
