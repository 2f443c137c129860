// ND2 files of every kind that the reader claims, made by the test's own writer: pixels, channels,
// objective.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "nucreg/image/image.hpp"
#include "unit/image/made_nd2.hpp"

using namespace nucreg;

TEST_CASE("pixels of every type, padding and compression come out as they were written") {
  for (const std::uint32_t bits : {8u, 16u, 32u})
    for (const std::uint32_t padding : {0u, 1u, 3u})
      for (const std::int32_t compression : {0, 2})
        for (const std::uint32_t planes : {1u, 2u, 4u}) {
          CAPTURE(bits);
          CAPTURE(padding);
          CAPTURE(compression);
          CAPTURE(planes);
          const Scratch scratch;
          const Nd2Spec spec{.bits = bits,
                             .padding = padding,
                             .planes = std::vector<std::string>(planes, "name"),
                             .compression = compression,
                             .frames = 2,
                             .experiment = nd2_time(2)};
          const auto reader = open_made(scratch, spec);
          check_pixels(*reader, spec);
        }
}

TEST_CASE("both encodings of the metadata, and the compressed one, tell the same") {
  for (const auto encoding :
       {Nd2Spec::Encoding::lite, Nd2Spec::Encoding::lv0z, Nd2Spec::Encoding::xml}) {
    const Scratch scratch;
    const Nd2Spec spec{.version = encoding == Nd2Spec::Encoding::xml ? "2.1" : "3.0",
                       .encoding = encoding,
                       .planes = {"DAPI", "Cy5 & <q>"},
                       .frames = 12,
                       .experiment = nd2_time(
                           2, points_loop({point(1.5, 2.5, 3.5, "A1"), point(4.5, 5.5, 6.5, "A2")},
                                          {{"bUseZ", true, {}}}, nd2_focus(3, 0.5)))};
    const auto reader = open_made(scratch, spec);
    const ImageInfo& info = reader->info();
    CHECK(info.format == "ND2 " + spec.version);
    CHECK(info.type == PixelType::u16);
    REQUIRE(info.loops.size() == 3);
    CHECK(info.loops[0].axis == 'T');
    CHECK(info.loops[1].axis == 'P');
    CHECK(info.loops[2].axis == 'Z');
    REQUIRE(info.frames.size() == 12);
    for (std::uint32_t n = 0; n < 12; ++n) {  // the last loop is the fastest
      CHECK(info.frames[n].t == n / 6);
      CHECK(info.frames[n].p == n / 3 % 2);
      CHECK(info.frames[n].z == n % 3);
      CHECK(info.frames[n].x_um == (n / 3 % 2 == 0 ? 1.5 : 4.5));
      CHECK(info.frames[n].y_um == (n / 3 % 2 == 0 ? 2.5 : 5.5));
      CHECK(info.frames[n].z_um == (n / 3 % 2 == 0 ? 3.5 : 6.5));
      CHECK_FALSE(info.frames[n].missing);
    }
    CHECK(info.position_names == std::vector<std::string>{"A1", "A2"});
    REQUIRE(info.channels.size() == 2);
    CHECK(info.channels[1].name == "Cy5 & <q>");
    CHECK(info.pixel_size_um == 0.65);
    CHECK(info.pixel_height_um == 0.65);
    CHECK(info.z_step_um == 0.5);
    CHECK(info.objective.name == "Plan Apo 10x");
    CHECK(info.objective.magnification == 10.0);  // out of the name: the field says -1
    CHECK(info.objective.numerical_aperture == 0.45);
    check_pixels(*reader, spec);
  }
}

TEST_CASE("zeros behind XML, planes under their older name and an absent count do no harm") {
  const Scratch scratch;
  const std::string text = xml_document(level("", {{"uiWidth", std::uint32_t{3}, {}},
                                                   {"uiHeight", std::uint32_t{2}, {}},
                                                   {"uiComp", std::uint32_t{1}, {}},
                                                   {"uiBpcInMemory", std::uint32_t{8}, {}},
                                                   {"uiWidthBytes", std::uint32_t{4}, {}}}));
  const Meta planes = level("sPlane", {level("a0", {{"sDescription", std::string("DAPI"), {}}})});
  const Meta none = level("sPlaneNew", {});
  Nd2Chunks chunks("2.0");
  chunks.add("ImageAttributes!", text + std::string(5, '\0'));
  chunks.add("ImageMetadataSeq|0!",
             xml_document(level("", {level("sPicturePlanes", {none, planes})})));
  chunks.add("ImageDataSeq|0!", std::string(8, '\0') + "abc.def.");
  const auto reader = open_bytes(scratch, chunks.finish());
  CHECK(reader->info().format == "ND2 2.0");
  REQUIRE(reader->info().frames.size() == 1);
  CHECK(reader->info().channels[0].name == "DAPI");
  check_plane(reader->read(0, 0), reader->info(),
              [](std::size_t x, std::size_t y) { return "abcdef"[3 * y + x]; });
}

TEST_CASE("XML with breaks in its texts, bytes that are no UTF-8, and values of every type") {
  const Scratch scratch;
  const auto document = [](const std::string& inside) {
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<variant version=\"1.0\">\r\n"
           "<!-- a remark --><no_name runtype=\"CLxListVariant\">\r\n" +
           inside + "\r\n</no_name>\r\n</variant>\r\n";
  };
  Nd2Chunks chunks("2.2");
  chunks.add("ImageAttributes!", document(R"(
    <uiWidth runtype="lx_uint64" value="2"/><uiHeight runtype="lx_int64" value="1"/>
    <uiComp runtype="lx_int32" value="1"/><uiWidthBytes runtype="lx_uint32" value="2"/>
    <uiBpcInMemory runtype="lx_uint32" value="8"/><eCompression runtype="lx_int32" value="2"/>
    <uiSequenceCount runtype="lx_uint32" value="1"/>
    <ba runtype="CLxByteArray" value="AAE="/><u runtype="unknown" value="?"/>)"));
  chunks.add("ImageMetadataSeq|0!", document("<bCalibrated runtype=\"bool\" value=\"1\"/>"
                                             "<dCalibration runtype=\"float\" value=\"2.5e-1\"/>"
                                             "<dXPos runtype=\"double\" value=\"1,5\"/>"
                                             "<dYPos runtype=\"double\" value=\"-1.5\"/>"
                                             "<sPicturePlanes runtype=\"CLxListVariant\">"
                                             "<sPlaneNew runtype=\"CLxListVariant\">"
                                             "<a0 runtype=\"RLxPlane\"><sDescription "
                                             "runtype=\"CLxStringW\" value=\"DA\nPI \xff&#181;\"/>"
                                             "</a0></sPlaneNew></sPicturePlanes>"));
  chunks.add("ImageDataSeq|0!", std::string(8, '\0') + "ab");
  const auto reader = open_bytes(scratch, chunks.finish());
  const ImageInfo& info = reader->info();
  CHECK(info.channels[0].name == "DA\nPI \ufffd\u00b5");
  CHECK(info.pixel_size_um == 0.25);
  CHECK_FALSE(info.frames[0].x_um.has_value());  // a comma makes no number
  CHECK(info.frames[0].y_um == -1.5);
  check_plane(reader->read(0, 0), info, [](std::size_t x, std::size_t) { return "ab"[x]; });
}

TEST_CASE("planes are in the order of their numbers, which may have gaps") {
  const Scratch scratch;
  std::vector<Meta> planes;
  for (const char* name : {"a10", "a9", "a0", "count"})
    planes.push_back(level(name, {{"uiCompCount", std::uint32_t{1}, {}},
                                  {"sDescription", std::string("of ") + name, {}}}));
  Nd2Spec spec{.planes = {"x", "y", "z"}};
  spec.listed_planes = planes;
  const auto reader = open_made(scratch, spec);
  REQUIRE(reader->info().channels.size() == 3);
  CHECK(reader->info().channels[0].name == "of a0");
  CHECK(reader->info().channels[1].name == "of a9");
  CHECK(reader->info().channels[2].name == "of a10");
}

TEST_CASE("a colour plane is three channels; names that do not fit are dropped") {
  const Scratch scratch;
  const Nd2Spec spec{.bits = 8, .planes = {"RGB", "DAPI"}, .colour = true};
  const auto reader = open_made(scratch, spec);
  REQUIRE(reader->info().channels.size() == 4);
  CHECK(reader->info().channels[1].name == "RGB");
  CHECK(reader->info().channels[1].component == "G");
  CHECK(reader->info().channels[3].name == "DAPI");
  CHECK(reader->info().channels[3].component.empty());
  check_pixels(*reader, spec);
  Nd2Spec wrong{.planes = {"a", "b", "c"}};
  wrong.attributes["uiComp"] = std::uint32_t{2};
  const auto unnamed = open_made(scratch, wrong);
  REQUIRE(unnamed->info().channels.size() == 2);
  CHECK(unnamed->info().channels[0].name.empty());
}

TEST_CASE("calibration and objective that make no sense are unknown") {
  const Scratch scratch;
  const double inf = std::numeric_limits<double>::infinity();
  for (const double calibration : {0.0, -1.0, inf}) {
    const auto reader = open_made(scratch, {.picture = {{"dCalibration", calibration},
                                                        {"dObjectiveNA", -1.0},
                                                        {"wsObjectiveName", std::string("x")}}});
    CHECK_FALSE(reader->info().pixel_size_um.has_value());
    CHECK_FALSE(reader->info().objective.magnification.has_value());
    CHECK_FALSE(reader->info().objective.numerical_aperture.has_value());
  }
  for (const auto& [name, magnification] : std::map<std::string, double>{
           {"CFI Plan Apo Lambda 20X", 20}, {"Plan 2.5 x", 2.5}, {"Apo 10xC", 10}})
    CHECK(open_made(scratch, {.picture = {{"wsObjectiveName", name}}})
              ->info()
              .objective.magnification == magnification);
}

TEST_CASE("the objective is that of the first plane that names one") {
  const Scratch scratch;
  const auto sample = [](const char* name, const std::string& lens, double magnification,
                         double na) {
    return level(name, {level("pObjectiveSetting", {{"wsObjectiveName", lens, {}},
                                                    {"dObjectiveMag", magnification, {}},
                                                    {"dObjectiveNA", na, {}}})});
  };
  const auto plane = [](const char* name, std::uint32_t index) {
    return level(name, {{"uiSampleIndex", index, {}}});
  };
  const auto objective_of = [&](const std::vector<Meta>& samples) {
    Nd2Spec spec{.planes = {"x", "y", "z"},
                 .picture = {{"wsObjectiveName", std::string()}, {"dObjectiveNA", -1.0}}};
    spec.listed_planes = {plane("a2", 0), plane("a1", 7), plane("a0", 3)};
    spec.samples = samples;
    return open_made(scratch, spec)->info().objective;
  };
  // Planes by number, samples by what the planes say: a0 has none, a1 has number 7.
  const auto second = objective_of({sample("a0", "Apo 10x", 10.0, 0.4),
                                    sample("a3", "", -1.0, -1.0), sample("a7", "Apo", 40.0, 0.9)});
  CHECK(second.name == "Apo");
  CHECK(second.magnification == 40.0);
  CHECK(second.numerical_aperture == 0.9);
  const auto by_name =
      objective_of({sample("a0", "Apo 10x", 10.0, 0.4), sample("a7", "Apo 60x", -1.0, -1.0)});
  CHECK(by_name.name == "Apo 60x");
  CHECK(by_name.magnification == 60.0);
  CHECK_FALSE(by_name.numerical_aperture.has_value());  // not that of another plane
  const auto unknown =
      objective_of({sample("a7", "custom", -1.0, 0.5), sample("a0", "", 0.0, 0.7)});
  CHECK(unknown.name == "custom");
  CHECK_FALSE(unknown.magnification.has_value());
  CHECK(unknown.numerical_aperture == 0.5);
  CHECK(objective_of({sample("a9", "Apo 10x", 10.0, 0.4)}).name.empty());  // of no plane
}

TEST_CASE("attributes out of range or not supported are refused by name") {
  const Scratch scratch;
  const auto code_of = [&](const std::string& name, const Meta::Value& value) {
    Nd2Spec spec;
    spec.attributes[name] = value;
    try {
      static_cast<void>(open_made(scratch, spec));
    } catch (const ImageError& error) {
      CHECK(error.image_fields().part == "ImageAttributesLV!");
      CHECK(error.image_fields().offset.has_value());
      return error.image_fields().code;
    }
    return std::string("read");
  };
  for (const char* name : {"uiWidth", "uiHeight", "uiComp", "uiBpcInMemory", "uiWidthBytes"}) {
    CHECK(code_of(name, std::uint32_t{0}) == "bad-attribute");
    CHECK(code_of(name, std::uint32_t{0xffffffff}) == "bad-attribute");
    CHECK(code_of(name, std::int32_t{-5}) == "bad-attribute");
    CHECK(code_of(name, std::string("5")) == "missing-attributes");
  }
  CHECK(code_of("uiBpcInMemory", std::uint32_t{24}) == "bad-attribute");
  CHECK(code_of("uiSequenceCount", std::uint32_t{0xffffffff}) == "bad-attribute");
  CHECK(code_of("eCompression", std::int32_t{1}) == "unsupported-lossy");
  CHECK(code_of("eCompression", std::int32_t{3}) == "unsupported-compression");
  CHECK(code_of("uiTileWidth", std::uint32_t{2}) == "unsupported-tiles");
  CHECK(code_of("uiTileHeight", std::uint32_t{0}) == "read");
}

TEST_CASE("a channel or frame that is not there is refused with what there is") {
  const Scratch scratch;
  const auto reader = open_made(scratch, {});
  const auto frame = image_error("no-such-frame", [&] { static_cast<void>(reader->read(1, 0)); });
  CHECK(std::string(frame.what()).find("0 to 0") != std::string::npos);
  const auto channel =
      image_error("no-such-channel", [&] { static_cast<void>(reader->read(0, 2)); });
  CHECK(std::string(channel.what()).find("0 to 1") != std::string::npos);
}
