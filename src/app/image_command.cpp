// The command that looks into an image file.
#include <fmt/format.h>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/image/image.hpp"
#include "nucreg/image/write_tiff.hpp"
#include "nucreg/report/image_overview.hpp"
#include "nucreg/store/publish_file.hpp"

namespace nucreg {
namespace {

void write_plane(ImageReader& reader, const ImageCommand& command) {
  // Asked before pixels are decoded; publish_file asks again.
  if (!command.force && std::filesystem::exists(command.to))
    throw OutputError("exists", {.file = command.to.string(), .allowed = "--force overwrites it"});
  const Plane plane = reader.read(command.frame, command.channel);
  const std::filesystem::path temporary = temporary_beside(command.to);
  write_tiff(temporary, plane.view(), {.pixel_size_um = reader.info().pixel_size_um});
  try {
    publish_file(temporary, command.to, command.force);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw;
  }
}

}  // namespace

ExitStatus image_command(const ImageCommand& command) {
  const std::unique_ptr<ImageReader> reader = open_image(command.file);
  const std::string file = command.file.string();
  if (!command.to.empty()) {
    write_plane(*reader, command);
    if (!command.json) {
      print_result(command.to.string() + "\n");
      return ExitStatus::done;
    }
  }
  print_result(command.json ? to_json(reader->info(), file) + "\n" : to_text(reader->info(), file));
  return ExitStatus::done;
}

}  // namespace nucreg
