// The command that renders tiles for those who have none.
#include <fmt/format.h>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/publish_with.hpp"
#include "nucreg/app/run_files.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/image/write_tiff.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

// https://www.openmicroscopy.org/Schemas/OME/2016-06
std::string ome_xml(const SynthTile& tile) {
  return fmt::format(
      R"(<?xml version="1.0" encoding="UTF-8"?>)"
      R"(<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">)"
      R"(<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="{0}" SizeY="{0}" )"
      R"(SizeC="1" SizeZ="1" SizeT="1" PhysicalSizeX="{1}" PhysicalSizeXUnit="&#181;m" )"
      R"(PhysicalSizeY="{1}" PhysicalSizeYUnit="&#181;m">)"
      R"(<Channel ID="Channel:0:0" Name="DAPI" SamplesPerPixel="1"/><TiffData/>)"
      R"(<Plane TheC="0" TheZ="0" TheT="0" PositionX="{2}" PositionXUnit="&#181;m" )"
      R"(PositionY="{3}" PositionYUnit="&#181;m"/></Pixels></Image></OME>)",
      tile.size_px, tile.pixel_size_um, tile.stage_um[0], tile.stage_um[1]);
}

}  // namespace

ExitStatus synth_command(const SynthCommand& command) {
  const std::vector<SynthTile> tiles = make_tiles(command.options);
  std::vector<fs::path> files;
  for (const SynthTile& tile : tiles) files.push_back(command.folder / (tile.name + ".tif"));
  files.push_back(command.folder / "truth.json");
  for (const fs::path& file : files)
    if (!command.force && is_there(file))
      throw OutputError("exists", {.file = file.string(), .allowed = "--force overwrites it"});
  make_folder(command.folder);
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const RenderedImage image = render_tile(tiles[i], i, command.options.seed);
    const PlaneView view{.data = reinterpret_cast<const std::byte*>(image.values.data()),
                         .width_px = image.width_px,
                         .height_px = image.height_px,
                         .row_bytes = 2 * image.width_px,
                         .pixel_bytes = 2,
                         .type = PixelType::u16};
    publish_with(files[i], command.force, [&](const fs::path& file) {
      write_tiff(file, view,
                 {.pixel_size_um = tiles[i].pixel_size_um, .description = ome_xml(tiles[i])});
    });
  }
  publish_with(files.back(), command.force,
               [&](const fs::path& file) { write_text(file, truth_json(command.options, tiles)); });
  for (const fs::path& file : files) print_result(file.string() + "\n");
  return ExitStatus::done;
}

}  // namespace nucreg
