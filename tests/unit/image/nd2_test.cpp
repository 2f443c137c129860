// ND2 files of every kind that the reader claims, made by the test's own writer.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "nucreg/image/image.hpp"
#include "support/nd2_builder.hpp"
#include "support/scratch.hpp"
#include "unit/image/plane_check.hpp"

using namespace nucreg;

namespace {

std::unique_ptr<ImageReader> open_bytes(const Scratch& scratch, const std::string& bytes) {
  write_bytes(scratch / "made.nd2", bytes);
  return open_image(scratch / "made.nd2");
}

std::unique_ptr<ImageReader> open_made(const Scratch& scratch, const Nd2Spec& spec) {
  return open_bytes(scratch, nd2_file(spec));
}

void check_pixels(ImageReader& reader, const Nd2Spec& spec) {
  const std::uint32_t mask = spec.bits == 8 ? 0xff : 0xffff;
  for (std::uint32_t frame = 0; frame < spec.frames; ++frame)
    for (std::uint32_t c = 0; c < spec.components(); ++c)
      check_plane(reader.read(frame, c), reader.info(), [&](std::size_t x, std::size_t y) {
        const std::uint32_t value =
            nd2_value(frame, c, static_cast<std::uint32_t>(y), static_cast<std::uint32_t>(x));
        return static_cast<double>(spec.bits == 32 ? value : value & mask);
      });
}

Meta points_loop(std::vector<Meta> points, std::vector<Meta> more = {},
                 std::optional<Meta> next = {}) {
  more.push_back(level("Points", std::move(points)));
  return nd2_loop(2, std::move(more), std::move(next));
}

Meta point(double x, double y, double z, const std::string& name) {
  return level("", {{"dPosX", x, {}}, {"dPosY", y, {}}, {"dPosZ", z, {}}, {"dPosName", name, {}}});
}

}  // namespace

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
  Nd2Chunks chunks("2.0");
  chunks.add("ImageAttributes!", text + std::string(5, '\0'));
  chunks.add("ImageMetadataSeq|0!", xml_document(level("", {level("sPicturePlanes", {planes})})));
  chunks.add("ImageDataSeq|0!", std::string(8, '\0') + "abc.def.");
  const auto reader = open_bytes(scratch, chunks.finish());
  CHECK(reader->info().format == "ND2 2.0");
  REQUIRE(reader->info().frames.size() == 1);
  CHECK(reader->info().channels[0].name == "DAPI");
  check_plane(reader->read(0, 0), reader->info(),
              [](std::size_t x, std::size_t y) { return "abcdef"[3 * y + x]; });
}

TEST_CASE("a frame that was never taken is missing and the others are there") {
  const Scratch scratch;
  const auto reader = open_made(scratch, {.frames = 4, .missing = {2}, .experiment = nd2_time(4)});
  const ImageInfo& info = reader->info();
  REQUIRE(info.frames.size() == 4);
  for (std::size_t n = 0; n < 4; ++n) CHECK(info.frames[n].missing == (n == 2));
  image_error("missing-frame", [&] { static_cast<void>(reader->read(2, 0)); });
  check_plane(reader->read(3, 1), info, [](std::size_t x, std::size_t y) {
    return nd2_value(3, 1, static_cast<std::uint32_t>(y), static_cast<std::uint32_t>(x)) & 0xffff;
  });
}

TEST_CASE("frames beyond the loops are reached by number, planned ones that lack are missing") {
  const Scratch scratch;
  const auto more = open_made(scratch, {.frames = 5, .experiment = nd2_time(3)});
  REQUIRE(more->info().frames.size() == 5);
  CHECK(more->info().frames[2].t == 2u);
  CHECK_FALSE(more->info().frames[4].t.has_value());
  CHECK_FALSE(more->info().frames[4].missing);
  const auto fewer = open_made(scratch, {.frames = 2, .experiment = nd2_time(3)});
  REQUIRE(fewer->info().frames.size() == 3);
  CHECK(fewer->info().frames[2].missing);
}

TEST_CASE("points that are not valid are no positions; relative ones start from the reference") {
  const Scratch scratch;
  Meta loop = points_loop(
      {point(1, 2, 3, "A"), point(4, 5, 6, "B"), point(7, 8, 9, "C")},
      {{"bRelativeXY", true, {}}, {"dReferenceX", 100.0, {}}, {"dReferenceY", 200.0, {}}});
  loop.children.push_back({"pItemValid", Meta::Bytes{1, 0, 1}, {}});
  for (const auto encoding : {Nd2Spec::Encoding::lite, Nd2Spec::Encoding::xml}) {
    const auto reader = open_made(scratch, {.encoding = encoding, .frames = 2, .experiment = loop});
    const ImageInfo& info = reader->info();
    CHECK(info.position_names == std::vector<std::string>{"A", "C"});
    REQUIRE(info.frames.size() == 2);
    CHECK(info.frames[1].x_um == 107.0);
    CHECK(info.frames[1].y_um == 208.0);
    CHECK(info.frames[1].z_um == 300.0);  // of the file: the points do not set the focus
  }
}

TEST_CASE("recorded positions and times come before planned ones, unless nothing was recorded") {
  const Scratch scratch;
  const auto recorded = open_made(
      scratch,
      {.frames = 2,
       .experiment = nd2_time(2),
       .custom = {
           {"X", {11, 12}}, {"Y", {21, 22}}, {"Z", {31, 32}}, {"AcqTimesCache", {5, 6, 7}}}});
  CHECK(recorded->info().frames[1].x_um == 12.0);
  CHECK(recorded->info().frames[1].y_um == 22.0);
  CHECK(recorded->info().frames[1].z_um == 32.0);
  CHECK(recorded->time_ms(1) == 6.0);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto nothing =
      open_made(scratch, {.frames = 2,
                          .experiment = nd2_time(2),
                          .custom = {{"X", {0, 0}}, {"Y", {21}}, {"Z", {1, nan}}}});
  CHECK(nothing->info().frames[1].x_um == 1000.5);
  CHECK(nothing->info().frames[1].y_um == -2000.25);
  CHECK(nothing->info().frames[1].z_um == 300.0);
}

TEST_CASE("without a list of times each frame tells its own") {
  const Scratch scratch;
  const auto reader = open_made(scratch, {.frames = 3, .missing = {1}, .experiment = nd2_time(3)});
  CHECK(reader->time_ms(0) == 0.0);  // the clock ran: this is its start
  CHECK_FALSE(reader->time_ms(1).has_value());
  CHECK(reader->time_ms(2) == 200.0);
  image_error("no-such-frame", [&] { static_cast<void>(reader->time_ms(3)); });
  // Zeros throughout: nobody has looked at the clock.
  CHECK_FALSE(open_made(scratch, {})->time_ms(0).has_value());
  const auto still =
      open_made(scratch, {.frames = 2, .experiment = nd2_time(2), .times_ms = {{1, 0.0}}});
  for (const std::size_t n : {0, 1}) CHECK_FALSE(still->time_ms(n).has_value());
}

TEST_CASE("a frame is looked at when its time is asked for, not before") {
  const Scratch scratch;
  const auto bytes_at = [](double time_ms) {
    return nd2_file({.frames = 2, .experiment = nd2_time(2), .times_ms = {{1, time_ms}}});
  };
  const auto reader = open_bytes(scratch, bytes_at(5.0));
  CHECK(reader->time_ms(1) == 5.0);
  std::fstream file(scratch / "made.nd2", std::ios::binary | std::ios::in | std::ios::out);
  file << bytes_at(7.0);  // in place: the file stays open
  file.close();
  CHECK(reader->time_ms(1) == 7.0);
}

TEST_CASE("a clock that gives no number gives no time") {
  const Scratch scratch;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  const auto times = [&](const std::vector<double>& list,
                         const std::map<std::uint32_t, double>& own) {
    std::map<std::string, std::vector<double>> custom;
    if (!list.empty()) custom["AcqTimesCache"] = list;
    const auto reader = open_made(
        scratch, {.frames = 3, .experiment = nd2_time(3), .custom = custom, .times_ms = own});
    return std::vector{reader->time_ms(0), reader->time_ms(1), reader->time_ms(2)};
  };
  using Times = std::vector<std::optional<double>>;
  const auto none = std::nullopt;
  CHECK(times({}, {{0, nan}, {1, inf}, {2, -inf}}) == Times{none, none, none});
  CHECK(times({}, {{1, nan}}) == Times{0.0, none, 200.0});
  CHECK(times({}, {{1, nan}, {2, 0.0}}) == Times{none, none, none});
  CHECK(times({nan, 0.0, inf}, {}) == Times{0.0, 100.0, 200.0});  // a list of nothing
  CHECK(times({5.0, nan, 7.0}, {}) == Times{5.0, 100.0, 7.0});
  CHECK(times({5.0, nan, 7.0}, {{1, nan}}) == Times{5.0, none, 7.0});
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

TEST_CASE("spectral loops are no axis, siblings replace each other, uneven time is summed") {
  const Scratch scratch;
  const auto loops_of = [&](const Meta& experiment) {
    return open_made(scratch, {.experiment = experiment})->info().loops;
  };
  const Meta spectral = nd2_loop(6, {{"uiCount", std::uint32_t{2}, {}}}, nd2_focus(3, 1.0));
  REQUIRE(loops_of(nd2_time(2, spectral)).size() == 2);
  CHECK(loops_of(nd2_time(2, spectral))[1].count == 3);

  Meta siblings = nd2_time(2);
  siblings.children.push_back(
      level("ppNextLevelEx", {nd2_focus(1, 1.0), nd2_focus(29, 1.0), nd2_time(99)}));
  REQUIRE(loops_of(siblings).size() == 2);
  CHECK(loops_of(siblings)[1].axis == 'Z');
  CHECK(loops_of(siblings)[1].count == 29);

  const auto period = [](std::uint32_t count) { return level("", {{"uiCount", count, {}}}); };
  const Meta uneven = nd2_loop(8, {level("pPeriod", {period(3), period(5), period(7)}),
                                   {"pPeriodValid", Meta::Bytes{1, 0, 1}, {}}});
  REQUIRE(loops_of(uneven).size() == 1);
  CHECK(loops_of(uneven)[0].count == 10);

  CHECK(loops_of(nd2_time(0, nd2_focus(3, 1.0))).empty());  // skipped with all inside
  for (const std::int32_t type : {3, 5, 9, 10, 77})
    image_error("unsupported-loop", [&] {
      static_cast<void>(loops_of(nd2_loop(type, {{"a", true, {}}})));
    });
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

TEST_CASE("loops of more frames than any file holds are refused before memory is taken") {
  const Scratch scratch;
  for (const std::uint32_t count : {std::uint32_t{1} << 21, std::uint32_t{0xffffffff}})
    image_error("bad-loop-count",
                [&] { static_cast<void>(open_made(scratch, {.experiment = nd2_time(count)})); });
  image_error("too-many-frames", [&] {
    static_cast<void>(
        open_made(scratch, {.experiment = nd2_time(1u << 20, nd2_focus(1u << 20, 1.0))}));
  });
}
