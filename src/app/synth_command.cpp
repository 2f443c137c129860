// The command that renders tiles for those who have none.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/disk/publish.hpp"
#include "nucreg/fit/poisson_disk.hpp"
#include "nucreg/image/image.hpp"
#include "nucreg/image/write_image.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

// Also distinguishes our tiles from those of others.
constexpr std::string_view ome_start =
    R"(<?xml version="1.0" encoding="UTF-8"?>)"
    R"(<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">)"
    R"(<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" )";

// https://www.openmicroscopy.org/Schemas/OME/2016-06
std::string ome_xml(const SynthTile& tile) {
  return fmt::format(
      R"({4}SizeX="{0}" SizeY="{0}" )"
      R"(SizeC="1" SizeZ="1" SizeT="1" PhysicalSizeX="{1}" PhysicalSizeXUnit="&#181;m" )"
      R"(PhysicalSizeY="{1}" PhysicalSizeYUnit="&#181;m">)"
      R"(<Channel ID="Channel:0:0" Name="DAPI" SamplesPerPixel="1"/><TiffData/>)"
      R"(<Plane TheC="0" TheZ="0" TheT="0" PositionX="{2}" PositionXUnit="&#181;m" )"
      R"(PositionY="{3}" PositionYUnit="&#181;m"/></Pixels></Image></OME>)",
      tile.size_px, tile.pixel_size_um, tile.stage_um[0], tile.stage_um[1], ome_start);
}

bool is_our_tile(const fs::path& file) {
  try {
    return read_tiff_description(file).starts_with(ome_start);
  } catch (const InputError&) {
    return false;
  }
}

// Tiles that an earlier, larger run names in its truth; all other files are not ours.
std::vector<fs::path> surplus(const fs::path& folder, const std::vector<fs::path>& files) {
  if (!file_exists(folder / "truth.json")) return {};
  const std::string text = read_file(folder / "truth.json");
  constexpr std::string_view before = R"({"file": ")";
  std::vector<fs::path> found;
  for (std::size_t at = 0; (at = text.find(before, at)) != std::string::npos;) {
    at += before.size();
    const std::string name = text.substr(at, text.find('"', at) - at);
    const fs::path file = folder / name;
    const bool is_tile = (name.starts_with("10x_") || name.starts_with("40x_")) &&
                         name.find('/') == std::string::npos;
    if (is_tile && std::ranges::find(files, file) == files.end() && is_our_tile(file))
      found.push_back(file);
  }
  return found;
}

std::vector<SynthTile> make_tiles(const SynthOptions& options) {
  const TissueField tissue = tissue_field(options);
  const DiskField disks{.size_px = tissue.size_px, .min_distance_px = tissue.min_distance_px};
  check_density(disks, tissue.nuclei, {.key = "--nuclei"});
  const Points nuclei = scatter_points(disks, tissue.nuclei, [&](std::uint32_t attempt) {
    return position_stream(options, attempt);
  });
  return make_tiles(options, nuclei.x, nuclei.y);
}

// The tiles of one side of a well, as `nucreg map` takes them.
std::string sheet_of(const std::vector<SynthTile>& tiles, bool ten) {
  std::string text = "file,tile,x_um,y_um,pixel_um,width_px,height_px\n";
  for (const SynthTile& tile : tiles)
    if (tile.is_ten == ten)
      text += fmt::format("{}.tif,{},{:.2f},{:.2f},{},{},{}\n", tile.name, tile.name.substr(4),
                          tile.stage_um[0], tile.stage_um[1], tile.pixel_size_um, tile.size_px,
                          tile.size_px);
  return text;
}

}  // namespace

ExitStatus synth_command(const SynthCommand& command) {
  const std::vector<SynthTile> tiles = make_tiles(command.options);
  std::vector<fs::path> files;
  for (const SynthTile& tile : tiles) files.push_back(command.folder / (tile.name + ".tif"));
  if (command.options.well)
    for (const char* sheet : {"ten.csv", "forty.csv"}) files.push_back(command.folder / sheet);
  files.push_back(command.folder / "truth.json");
  for (const fs::path& file : files) check_output(file, command.force, "--force to overwrite it");
  make_folder(command.folder);
  for (const fs::path& file : surplus(command.folder, files)) remove_file(file);
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
  if (command.options.well)
    for (const bool ten : {true, false})
      publish_with(files[tiles.size() + (ten ? 0 : 1)], command.force,
                   [&](const fs::path& file) { write_file(file, sheet_of(tiles, ten)); });
  publish_with(files.back(), command.force,
               [&](const fs::path& file) { write_file(file, truth_json(command.options, tiles)); });
  for (const fs::path& file : files) print_result(file.string() + "\n");
  if (command.options.well)
    print_error("nucreg: next: mpirun nucreg map {} {}\n", (command.folder / "ten.csv").string(),
                (command.folder / "forty.csv").string());
  return ExitStatus::done;
}

}  // namespace nucreg
