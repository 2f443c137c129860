// When, where and in which order the frames of an ND2 were taken.
#include <doctest/doctest.h>

#include <fstream>
#include <limits>

#include "nucreg/image/image.hpp"
#include "unit/image/made_nd2.hpp"

using namespace nucreg;

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
  // Bools may come as numbers.
  loop.children.back() =
      level("pItemValid",
            {{"", std::int32_t{0}, {}}, {"", std::uint32_t{116}, {}}, {"", std::int32_t{-1}, {}}});
  CHECK(open_made(scratch, {.frames = 2, .experiment = loop})->info().position_names ==
        std::vector<std::string>{"B", "C"});
}

TEST_CASE("a place that is no number is unknown, not the origin and not that of another frame") {
  const Scratch scratch;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Meta bare = level("", {{"dPosY", 6.0, {}}});
  const Meta loop =
      points_loop({point(1, 2, 3, "A"), point(nan, 5, nan, "B"), bare},
                  {{"bUseZ", true, {}}, {"bRelativeXY", true, {}}, {"dReferenceX", 100.0, {}}});
  const auto reader = open_made(scratch, {.frames = 4, .experiment = loop});
  const auto& frames = reader->info().frames;
  REQUIRE(frames.size() == 4);  // one more than there are points
  CHECK(frames[0].x_um == 101.0);
  CHECK_FALSE(frames[1].x_um.has_value());
  CHECK(frames[1].y_um == 5.0);
  CHECK(frames[1].z_um == 300.0);
  CHECK_FALSE(frames[2].x_um.has_value());
  CHECK(frames[2].y_um == 6.0);
  CHECK_FALSE(frames[3].p.has_value());
  CHECK_FALSE(frames[3].x_um.has_value());
  CHECK_FALSE(frames[3].y_um.has_value());
}

TEST_CASE("loops may be nested in any order; the innermost is the fastest") {
  const Scratch scratch;
  const std::vector<Meta> places{point(1, 0, 0, "A"), point(2, 0, 0, "B"), point(3, 0, 0, "C")};
  const auto focus_first = open_made(
      scratch, {.frames = 12, .experiment = nd2_focus(2, 0.5, nd2_time(2, points_loop(places)))});
  REQUIRE(focus_first->info().frames.size() == 12);
  for (std::uint32_t n = 0; n < 12; ++n) {
    const ImageFrame& frame = focus_first->info().frames[n];
    CHECK(frame.z == n / 6);
    CHECK(frame.t == n / 3 % 2);
    CHECK(frame.p == n % 3);
    CHECK(frame.x_um == 1.0 + n % 3);
  }
  const auto place_first = open_made(
      scratch, {.frames = 12, .experiment = points_loop(places, {}, nd2_time(2, nd2_focus(2, 1)))});
  for (std::uint32_t n = 0; n < 12; ++n) {
    const ImageFrame& frame = place_first->info().frames[n];
    CHECK(frame.p == n / 4);
    CHECK(frame.t == n / 2 % 2);
    CHECK(frame.z == n % 2);
  }
}

TEST_CASE("the map may list frames in any order, and chunks that only look like frames") {
  const Scratch scratch;
  const auto file = [](bool counted) {
    Nd2Chunks chunks;
    Meta attributes = level("SLxImageAttributes", {{"uiWidth", std::uint32_t{2}, {}},
                                                   {"uiHeight", std::uint32_t{1}, {}},
                                                   {"uiComp", std::uint32_t{1}, {}},
                                                   {"uiWidthBytes", std::uint32_t{4}, {}},
                                                   {"uiBpcInMemory", std::uint32_t{8}, {}}});
    if (counted) attributes.children.push_back({"uiSequenceCount", std::uint32_t{12}, {}});
    for (const char* number : {"9", "2", "11", "10", "1", "0", "02", "+3", "4x", ""})
      chunks.add("ImageDataSeq|" + std::string(number) + "!",
                 std::string(8, '\0') + (std::string(number) + "..").substr(0, 2) + "..");
    chunks.add("ImageAttributesLV!", to_lite(attributes));
    return chunks.finish();
  };
  for (const bool counted : {true, false}) {  // the map tells how many there are as well
    const auto reader = open_bytes(scratch, file(counted));
    REQUIRE(reader->info().frames.size() == 12);
    for (const std::size_t n : {0, 1, 2, 9, 10, 11})
      check_plane(reader->read(n, 0), reader->info(),
                  [&](std::size_t x, std::size_t) { return (std::to_string(n) + "..")[x]; });
    for (const std::size_t n : {3, 4, 5, 6, 7, 8}) CHECK(reader->info().frames[n].missing);
  }
}

TEST_CASE("frames and the map beyond 4 GiB are found") {
  const Scratch scratch;
  Nd2Chunks chunks;
  chunks.add("ImageAttributesLV!",
             to_lite(level("SLxImageAttributes", {{"uiWidth", std::uint32_t{3}, {}},
                                                  {"uiHeight", std::uint32_t{1}, {}},
                                                  {"uiComp", std::uint32_t{1}, {}},
                                                  {"uiWidthBytes", std::uint32_t{4}, {}},
                                                  {"uiBpcInMemory", std::uint32_t{8}, {}},
                                                  {"uiSequenceCount", std::uint32_t{2}, {}}})));
  chunks.add("ImageDataSeq|0!", std::string(8, '\0') + "abc.");
  chunks.jump(std::uint64_t{5} << 30);
  chunks.add("ImageDataSeq|1!", std::string(8, '\0') + "xyz.");
  chunks.write(scratch / "large.nd2");
  const auto reader = open_image(scratch / "large.nd2");
  REQUIRE(reader->info().frames.size() == 2);
  for (const std::size_t n : {0, 1})
    check_plane(reader->read(n, 0), reader->info(),
                [&](std::size_t x, std::size_t) { return (n == 0 ? "abc" : "xyz")[x]; });
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
