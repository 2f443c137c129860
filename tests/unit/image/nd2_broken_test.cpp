// ND2 files that lie: each must be refused with what and where.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>

#include "nucreg/image/image.hpp"
#include "support/nd2_builder.hpp"
#include "support/scratch.hpp"
#include "unit/image/plane_check.hpp"

using namespace nucreg;

namespace {

void read_bytes(const Scratch& scratch, const std::string& bytes) {
  write_bytes(scratch / "made.nd2", bytes);
  const auto reader = open_image(scratch / "made.nd2");
  for (std::size_t frame = 0; frame < reader->info().frames.size(); ++frame)
    static_cast<void>(reader->read(frame, 0));
}

template <class T>
std::string patched(std::string bytes, std::size_t at, T value) {
  REQUIRE(at + sizeof value <= bytes.size());
  std::memcpy(bytes.data() + at, &value, sizeof value);
  return bytes;
}

// A file of these chunks, with sound ones for all else.
std::string with_chunk(const std::string& name, const std::string& data) {
  Nd2Chunks chunks;
  chunks.add(name, data);
  return chunks.finish();
}

std::string attributes_chunk(const std::string& data) {
  return with_chunk("ImageAttributesLV!", data);
}

}  // namespace

TEST_CASE("an ND2 cut off anywhere is refused") {
  const Scratch scratch;
  const std::string whole = nd2_file({.frames = 2, .experiment = nd2_time(2)});
  write_bytes(scratch / "part.nd2", whole);
  for (std::size_t length = whole.size(); length > 0;) {
    length -= length < 261 ? 1 : 61;
    std::filesystem::resize_file(scratch / "part.nd2", length);
    CAPTURE(length);
    CHECK_THROWS_AS(static_cast<void>(open_image(scratch / "part.nd2")), ImageError);
  }
}

TEST_CASE("a file cut off while it is open is an error, not the end of the program") {
  const Scratch scratch;
  const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  for (const std::int32_t compression : {0, 2}) {
    write_bytes(scratch / "made.nd2",
                nd2_file({.width = 500, .height = 300, .compression = compression}));
    const auto reader = open_image(scratch / "made.nd2");
    static_cast<void>(reader->read(0, 1));
    std::filesystem::resize_file(scratch / "made.nd2", page);
    const auto error = image_error("truncated", [&] { static_cast<void>(reader->read(0, 1)); });
    CHECK(error.image_fields().path == (scratch / "made.nd2").string());
    image_error("truncated", [&] { static_cast<void>(reader->read(0, 0)); });
  }
}

TEST_CASE("what is no modern ND2 says so") {
  const Scratch scratch;
  const auto code_of = [&](const std::string& bytes) {
    write_bytes(scratch / "made.nd2", bytes);
    try {
      static_cast<void>(open_image(scratch / "made.nd2"));
    } catch (const ImageError& error) {
      return error.image_fields().code;
    }
    return std::string("read");
  };
  using namespace std::string_literals;
  CHECK(code_of("") == "empty");
  CHECK(code_of("x") == "unknown-format");
  CHECK(code_of("\0\0\0\x0cjP  \r\n\x87\n"s + std::string(500, 'x')) == "legacy-jpeg2000");
  CHECK(code_of("\xda\xce\xbe\x0a") == "truncated");
  CHECK(code_of("II*\0"s + std::string(200, '\0')) == "wrong-name");
  const std::string whole = nd2_file({});
  CHECK(code_of(whole) == "read");
  CHECK(code_of(patched(whole, 4, std::uint32_t{31})) == "bad-signature-chunk");
  CHECK(code_of(patched(whole, 48, 'X')) == "bad-version");
  CHECK(code_of(patched(whole, 51, '4')) == "unsupported-version");
  CHECK(code_of(patched(whole, 51, '1')) == "unsupported-version");
  CHECK(code_of(whole + std::string(8, '\0')) == "no-chunk-map-footer");
  image_error("directory", [&] { static_cast<void>(open_image(scratch / ".")); });
  image_error("unreadable", [&] { static_cast<void>(open_image(scratch / "none.nd2")); });
  image_error("unreadable", [&] { static_cast<void>(open_image("/dev/null")); });
  write_bytes(scratch / "named.tif", whole);
  image_error("wrong-name", [&] { static_cast<void>(open_image(scratch / "named.tif")); });
  write_bytes(scratch / "named.anything", whole);
  CHECK(open_image(scratch / "named.anything")->info().channels.size() == 2);
}

TEST_CASE("a map that leads astray is refused") {
  const Scratch scratch;
  const std::string whole = nd2_file({});
  const std::size_t footer = whole.size() - 8;
  const auto check = [&](const std::string& code, const std::string& bytes) {
    return image_error(code, [&] { read_bytes(scratch, bytes); });
  };
  check("chunk-name-mismatch", patched(whole, footer, std::uint64_t{0}));
  for (const std::uint64_t wild : {std::uint64_t{whole.size()} - 1, ~std::uint64_t{0},
                                   std::uint64_t{1} << 63, std::uint64_t{footer}}) {
    CAPTURE(wild);
    CHECK_THROWS_AS(read_bytes(scratch, patched(whole, footer, wild)), ImageError);
  }
  Nd2Chunks twice;
  twice.add("CustomData|X!", "12345678");
  twice.add("CustomData|X!", "12345678");
  check("duplicate-chunk", twice.finish());
  Nd2Chunks far;
  far.list("CustomData|X!", std::uint64_t{1} << 40, 8);
  check("chunk-map-offset-out-of-range", far.finish());
  Nd2Chunks odd;
  odd.list("Custom\x01!", 112, 8);
  check("bad-chunk-name", odd.finish());
  Nd2Chunks huge;
  huge.list("ImageDataSeq|99999999999!", 112, 8);
  check("too-many-frames", huge.finish());
  check("chunk-map-unterminated", [] {
    Nd2Chunks none;
    none.list(std::string(5000, 'x'), 112, 8);
    return none.finish();
  }());
  check("missing-attributes", Nd2Chunks().finish());
}

TEST_CASE("map and header must agree on the size, unless the map has the offset in its place") {
  const Scratch scratch;
  const std::string attributes = to_lite(level("SLxImageAttributes", {}));
  Nd2Chunks wrong;
  wrong.add("ImageAttributesLV!", attributes, attributes.size() + 1);
  image_error("chunk-size-mismatch", [&] { read_bytes(scratch, wrong.finish()); });
  Nd2Chunks quirk;
  quirk.add("ImageAttributesLV!", attributes, 4096);  // where it lies
  image_error("missing-attributes", [&] { read_bytes(scratch, quirk.finish()); });
}

TEST_CASE("frames too short, too long or not inflating are refused when they are read") {
  const Scratch scratch;
  const auto with_frame = [](std::int32_t compression, const std::string& data) {
    const Nd2Spec spec;
    Nd2Chunks chunks;
    const Meta attributes = level("SLxImageAttributes", {{"uiWidth", spec.width, {}},
                                                         {"uiHeight", spec.height, {}},
                                                         {"uiComp", spec.components(), {}},
                                                         {"uiWidthBytes", spec.row_bytes(), {}},
                                                         {"uiBpcInMemory", spec.bits, {}},
                                                         {"uiSequenceCount", spec.frames, {}},
                                                         {"eCompression", compression, {}}});
    chunks.add("ImageAttributesLV!", to_lite(attributes));
    chunks.add("ImageDataSeq|0!", data);
    return chunks.finish();
  };
  const std::string time(8, '\0'), pixels(4 * 5 * 2 * 2, 'p');
  const auto check = [&](const char* code, std::int32_t compression, const std::string& data) {
    const auto error =
        image_error(code, [&] { read_bytes(scratch, with_frame(compression, data)); });
    CHECK(error.image_fields().part == "ImageDataSeq|0!");
  };
  check("frame-too-short", 2, "");
  check("frame-too-short", 2, time);
  check("frame-too-short", 2, time + pixels.substr(1));
  read_bytes(scratch, with_frame(2, time + pixels + "more"));
  read_bytes(scratch, with_frame(0, time + deflated(pixels)));
  const std::string packed = deflated(pixels);
  check("frame-inflate", 0, time + deflated(pixels.substr(1)));
  check("frame-inflate", 0, time + deflated(pixels + "x"));
  check("frame-inflate", 0, time + packed.substr(0, packed.size() - 3));
  check("frame-inflate", 0, time + std::string(50, 'x'));
  check("frame-inflate", 0, time);
}

TEST_CASE("binary metadata that lies is refused, at the byte where it does") {
  const Scratch scratch;
  const std::string sound = to_lite(level(
      "SLxImageAttributes", {{"uiWidth", std::uint32_t{5}, {}}, {"s", std::string("text"), {}}}));
  const auto check = [&](const std::string& code, const std::string& data) {
    const auto error = image_error(code, [&] { read_bytes(scratch, attributes_chunk(data)); });
    CHECK(error.image_fields().part == "ImageAttributesLV!");
    REQUIRE(error.image_fields().offset.has_value());
    CHECK(*error.image_fields().offset >= 4096);  // where that chunk begins
  };
  check("missing-attributes", sound);
  for (std::size_t length = 0; length < sound.size(); ++length)
    CHECK_THROWS_AS(read_bytes(scratch, attributes_chunk(sound.substr(0, length))), ImageError);
  const std::size_t head = 2 + 2 * 19;  // of the level: code, length of name, name
  check("lv-trailing", sound + "x");
  check("lv-root", to_lite({"a", true, {}}));
  check("lv-level-count", patched(sound, head, std::uint32_t{0xffffffff}));
  check("lv-level-length", patched(sound, head + 4, ~std::uint64_t{0}));
  check("lv-level-length", patched(sound, head + 4, std::uint64_t{3}));
  check("lv-type", patched(sound, head + 12, std::uint8_t{10}));
  check("lv-name", patched(sound, head - 2, 'x'));
  std::string nested = to_lite(level("", {}));
  for (int depth = 0; depth < 40; ++depth) {  // by hand: a deep tree of Meta copies itself
    std::string outer("\x0b\0\x01\0\0\0", 6);
    append_bytes(outer, std::uint64_t{14 + nested.size()});
    outer += nested;
    append_bytes(outer, std::uint64_t{14});
    nested = outer;
  }
  check("lv-depth", nested);
  std::string bomb = "LV0Z";
  append_bytes(bomb, std::uint64_t{1} << 60);
  check("lv0z-size", bomb + deflated("x"));
  std::string wrong = "LV0Z";
  append_bytes(wrong, std::uint64_t{sound.size() + 1});
  check("lv0z-inflate", wrong + deflated(sound));
  check("lv0z-truncated", "LV0Z1234");
  check("lv-root", lv0z(lv0z(sound)));
}

TEST_CASE("XML that is broken, too deep or has a document type is refused") {
  const Scratch scratch;
  const auto check = [&](const std::string& code, const std::string& text) {
    image_error(code, [&] { read_bytes(scratch, with_chunk("ImageAttributes!", text)); });
  };
  check("xml", "<variant><no_name>");
  check("xml-root", "<other/>");
  check("xml-doctype", "<!DOCTYPE variant [<!ENTITY a \"b\">]><variant/>");
  check("missing-attributes", "<variant/>");
  check("missing-attributes",
        "<variant><no_name><uiWidth runtype=\"lx_uint32\" value=\"5x\"/>"
        "</no_name></variant>");
  for (const int depth : {40, 100000}) {
    std::string open, close;
    for (int i = 0; i < depth; ++i) open += "<a>", close += "</a>";
    check("xml-depth", "<variant>" + open + close + "</variant>");
  }
}

TEST_CASE("one wrong bit anywhere is an error or is read, never a crash") {
  const Scratch scratch;
  const std::string whole = nd2_file({.compression = 0, .frames = 2, .experiment = nd2_time(2)});
  int refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    if (whole[at] == 0) continue;  // what pads names and chunks would take most of the time
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
    try {
      read_bytes(scratch, bytes);
    } catch (const InputError&) {
      ++refused;
    }
  }
  CHECK(refused > 100);
}
