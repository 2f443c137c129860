// usage: make_corpus FOLDER: writes small files of every kind into FOLDER/<reader>.
#include <tiffio.h>

#include <array>
#include <cstdint>
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

void make_tables(const std::filesystem::path& folder) {
  put(folder / "ours.csv", "x,y,area_px,mean_intensity,label\n1.5,2,30,nan,1\n4,5,31,7e2,2\n");
  put(folder / "qupath.tsv",
      "Image\tCentroid X \u00b5m\tCentroid Y \u00b5m\na\t\"1,5\"\t2\na\t3\t4\n");
  put(folder / "imagej.csv", " ,Label,X,Y,Area\n1,a,1.5,2.5,9\n2,b,3,4,8\n");
  put(folder / "utf16.csv", std::string("\xff\xfex\0,\0y\0\n\0001\0,\0002\0\n\0", 18));
  put(folder / "points.csv", "x;y;tile;well\r1,5;2,5;3;A1\r4,5;6;4;A2\r");
  std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }";
  header.resize(117, ' ');
  put(folder / "points.npy",
      std::string("\x93NUMPY\x01\0\x76\0", 10) + header + "\n" + std::string(32, '\x3f'));
}

std::string u32(std::uint32_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// As nucreg/run/journal.hpp lays it out; the fuzz target sets the checksums.
void make_journals(const std::filesystem::path& folder) {
  const auto text = [](const std::string& words) {
    return u32(static_cast<std::uint32_t>(words.size())) + u32(0) + words;
  };
  const auto frame = [](std::uint32_t task, std::uint32_t stage, const std::string& payload) {
    return u32(0xF19CB5E7) + u32(static_cast<std::uint32_t>(payload.size())) + u32(task) +
           u32(task == UINT32_MAX ? UINT32_MAX : 0) + u32(0) + u32(stage) + u32(0) + payload;
  };
  const std::string identity = "build x\n[job]\n";
  const std::string header = "nucjrnl\n" + u32(16) +
                             u32(static_cast<std::uint32_t>(identity.size())) + u32(0) + u32(0) +
                             identity;
  put(folder / "empty", header);
  put(folder / "run", header + frame(UINT32_MAX, 0, text("resume") + text("nucreg run")) +
                          frame(UINT32_MAX, 1, text("trials") + text(identity)) +
                          frame(7, 1, "result") + frame(8, 1, ""));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_corpus FOLDER\n");
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  for (const char* kind :
       {"nd2", "tiff", "table", "job", "map", "journal", "status", "cache", "answer", "result"})
    std::filesystem::create_directories(folder / kind);
  make_nd2(folder / "nd2");
  make_tiff(folder / "tiff");
  make_tables(folder / "table");
  make_journals(folder / "journal");
  put(folder / "job" / "least.toml",
      "[job]\nname = \"a\"\n[problem]\npoints = [3, 5]\n[[solver]]\nname = \"b\"\nkind = \"lm\"\n");
  put(folder / "map" / "least.toml", "[map]\nten = \"a.csv\"\nforty = [\"b\", \"c*.tif\"]\n");
  put(folder / "status" / "run",
      "nucreg-status 1\njob a\npart 1/1\nresume b\ndoing c\ncounting trial\nwritten_s 1\n"
      "elapsed_s 2\ntrials_per_configuration 1\nsolves_per_trial 1\ndone 1\ntotal 2\nearlier 0\n"
      "failed 0\nrank host 1 busy 3 0.5 1 99 98 1000\nend\n");
  put(folder / "result" / "run", std::string(2, '\0'));  // edits of a sound file: none
  put(folder / "result" / "map", std::string("\1\0", 2));
  put(folder / "cache" / "none", std::string(56, '\0'));
  put(folder / "answer" / "converged",
      R"({"solve": 1, "status": "converged", "params": [4, 0.1, 3, -2], "seconds": 1e-4, )"
      R"("iterations": 3, "function_evaluations": 7, "jacobian_evaluations": 4, "message": "a"})");
  return 0;
}
