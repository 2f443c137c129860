// The command that looks into an image file.
#include <fmt/format.h>

#include <new>
#include <string>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/disk/publish.hpp"
#include "nucreg/image/image.hpp"
#include "nucreg/image/write_image.hpp"
#include "nucreg/nuclei/nuclei_file.hpp"
#include "nucreg/report/image_overview.hpp"
#include "nucreg/tiles/tiles.hpp"

namespace nucreg {
namespace {

void write_plane(ImageReader& reader, const ImageCommand& command) {
  check_not_input(command.to, {command.file}, "--to");
  // Asked before pixels are decoded; it is asked again when all is written.
  check_output(command.to, command.force, "--force to overwrite it");
  const ImageInfo& info = reader.info();
  const std::size_t channel = find_channel(info, command.channel, command.file.string());
  const Plane plane = within_memory(info, command.file.string(),
                                    [&] { return reader.read(command.frame, channel); });
  publish_with(command.to, command.force, [&](const std::filesystem::path& file) {
    write_tiff(file, plane.view(),
               {.pixel_size_um = info.pixel_size_um, .pixel_height_um = info.pixel_height_um});
  });
}

// What `match` and `map` take the first plane for; empty if its pixels cannot be read.
std::string reading_of(ImageReader& reader, const std::filesystem::path& file) {
  try {
    const PlaneKind plane = kind_of_plane(reader, 0, 0, file);
    if (plane.kind != NucleiKind::labels) return std::string(name_of(plane.kind));
    return to_text(plane.kind, plane.labels);
  } catch (const InputError&) {
    return {};
  } catch (const std::bad_alloc&) {  // reading its pixels reports it
    return {};
  }
}

// No image, but `match` and `map` take it as nuclei.
ExitStatus print_table(const ImageCommand& command) {
  const NucleiFile found = read_nuclei_file(command.file);
  const std::string file = command.file.string();
  print_result(command.json ? to_json(file, to_text(found.kind, found.table.nuclei.size()),
                                      found.table.notes, found.table.warnings) +
                                  "\n"
                            : to_text(found, file));
  return ExitStatus::done;
}

}  // namespace

ExitStatus image_command(const ImageCommand& command) {
  if (command.to.empty() && is_nuclei_table(command.file)) return print_table(command);
  const std::unique_ptr<ImageReader> reader = open_image(command.file);
  const std::string file = command.file.string();
  if (!command.to.empty()) {
    write_plane(*reader, command);
    if (!command.json) {
      print_result(command.to.string() + "\n");
      return ExitStatus::done;
    }
  }
  const std::string reading = reading_of(*reader, command.file);
  print_result(command.json ? to_json(*reader, file, reading) + "\n"
                            : to_text(reader->info(), file, reading));
  return ExitStatus::done;
}

}  // namespace nucreg
