// usage: make_corpus FOLDER: writes small files of every kind into FOLDER/nd2 and FOLDER/tiff.
#include <tiffio.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "support/nd2_builder.hpp"
#include "support/tiff_builder.hpp"

using namespace nucreg;

namespace {

void put(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream stream(file, std::ios::binary);
  stream << bytes;
  if (!stream.flush()) {
    std::fprintf(stderr, "make_corpus: cannot write %s\n", file.c_str());
    std::exit(1);
  }
}

void make_nd2(const std::filesystem::path& folder) {
  const Meta positions = nd2_loop(
      2,
      {level("Points", {level("", {{"dPosX", 1.0, {}}, {"dPosName", std::string("A1"), {}}}),
                        level("", {{"dPosX", 2.0, {}}, {"dPosZ", 7.0, {}}})}),
       {"bUseZ", true, {}}},
      nd2_focus(2, 0.5));
  const Nd2Spec loops{.frames = 8, .experiment = nd2_time(2, positions)};
  Nd2Spec xml = loops;
  xml.version = "2.1";
  xml.encoding = Nd2Spec::Encoding::xml;
  Nd2Spec packed = loops;
  packed.encoding = Nd2Spec::Encoding::lv0z;
  packed.compression = 0;
  put(folder / "one.nd2", nd2_file({}));
  put(folder / "loops.nd2", nd2_file(loops));
  put(folder / "xml.nd2", nd2_file(xml));
  put(folder / "packed.nd2", nd2_file(packed));
  put(folder / "colour.nd2",
      nd2_file({.bits = 8, .padding = 1, .planes = {"RGB"}, .colour = true}));
  Nd2Spec lens{.picture = {{"wsObjectiveName", std::string()}}};
  lens.samples = {level("a0", {level("pObjectiveSetting", {{"dObjectiveMag", 40.0, {}}})})};
  put(folder / "lens.nd2", nd2_file(lens));
  put(folder / "float.nd2", nd2_file({.bits = 32,
                                      .frames = 3,
                                      .missing = {1},
                                      .experiment = nd2_time(3),
                                      .custom = {{"X", {1, 2, 3}}, {"AcqTimesCache", {0, 1, 2}}}}));
}

void make_tiff(const std::filesystem::path& folder) {
  int number = 0;
  const auto add = [&](const TiffSpec& spec) {
    write_test_tiff(folder / (std::to_string(number++) + ".tif"), spec);
  };
  for (const int compression :
       {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_PACKBITS})
    for (const bool tiled : {false, true})
      add({.compression = static_cast<std::uint16_t>(compression), .tiled = tiled});
  for (const char* mode : {"wb", "w8"}) add({.mode = mode});
  for (const int bits : {8, 32}) add({.bits = static_cast<std::uint16_t>(bits)});
  add({.bits = 32, .format = SAMPLEFORMAT_IEEEFP, .pages = 3});
  add({.bits = 8, .samples = 3});
  add({.bits = 8, .samples = 3, .planar = true});
  add({.bits = 8, .samples = 3, .compression = COMPRESSION_JPEG});
  add({.pages = 12,
       .description = imagej_description(2, 3, 2, "unit=\\u00B5m\nyunit=nm\nspacing=1\n"),
       .resolution = 2.0F});
  // A count of images away from a stack with one directory.
  add({.width = 4,
       .height = 4,
       .bits = 8,
       .samples = 3,
       .description = imagej_description(1, 1, 1)});
  add({.bits = 8, .format = SAMPLEFORMAT_INT, .white_is_zero = true});
  add({.pages = 4, .description = ome_description({.channels = 2, .planes = 2})});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_corpus FOLDER\n");
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  for (const char* kind : {"nd2", "tiff"}) std::filesystem::create_directories(folder / kind);
  make_nd2(folder / "nd2");
  make_tiff(folder / "tiff");
  return 0;
}
