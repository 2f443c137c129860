// What programs for microscopes say of their TIFF: ImageJ and OME-XML.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstring>
#include <fstream>
#include <utility>

#include "nucreg/image/image.hpp"
#include "unit/image/made_tiff.hpp"

using namespace nucreg;

namespace {

TiffSpec ome(const OmeSpec& spec, std::uint32_t pages) {
  return {.pages = pages, .description = ome_description(spec)};
}

}  // namespace

TEST_CASE("an ImageJ hyperstack has channels, focus and time, in its order") {
  const Scratch scratch;
  const TiffSpec spec{.pages = 12,
                      .description = imagej_description(2, 3, 2, "unit=\\u00B5m\nspacing=0.5\n"),
                      .resolution = 2.0F,
                      .unit = RESUNIT_NONE};
  const auto reader = open_made_tiff(scratch, spec);
  const ImageInfo& info = reader->info();
  CHECK(info.format == "ImageJ TIFF");
  REQUIRE(info.channels.size() == 2);
  REQUIRE(info.frames.size() == 6);
  CHECK(info.pixel_size_um == 0.5);
  CHECK(info.z_step_um == 0.5);
  CHECK(info.frames[4].t == 1u);
  CHECK(info.frames[4].z == 1u);
  for (std::uint32_t f = 0; f < 6; ++f)
    for (std::uint32_t c = 0; c < 2; ++c) check_pixels(*reader, spec, f, c, 2 * f + c);
}

TEST_CASE("an ImageJ stack with one directory is read past it, in either byte order") {
  for (const char* mode : {"w", "wb"}) {
    const Scratch scratch;
    TiffSpec spec{.rows_per_strip = 29, .mode = mode, .description = imagej_description(1, 3, 1)};
    write_test_tiff(scratch / "made.tif", spec);
    image_error("truncated", [&] { static_cast<void>(open_image(scratch / "made.tif")); });
    // libtiff puts the directory behind the pixels: planes to follow are made by a longer strip.
    spec.height = 3 * 29;
    spec.rows_per_strip = spec.height;
    write_test_tiff(scratch / "made.tif", spec);
    std::string bytes = bytes_of_file(scratch / "made.tif");
    const bool big = mode[1] == 'b';
    for (const char tag : {'\x01', '\x16'}) {  // 257 and 278: rows, rows per strip
      const std::string entry = big ? std::string{'\x01', tag, 0, 3} : std::string{tag, 1, 3, 0};
      const auto at = bytes.rfind(entry);
      REQUIRE(at != std::string::npos);
      bytes[at + (big ? 9 : 8)] = 29;
    }
    write_bytes(scratch / "made.tif", bytes);
    const auto reader = open_image(scratch / "made.tif");
    REQUIRE(reader->info().frames.size() == 3);
    CHECK(reader->info().frames[2].z == 2u);
    check_plane(reader->read(2, 0), reader->info(), [](std::size_t x, std::size_t y) {
      return tiff_value(0, 0, static_cast<std::uint32_t>(y) + 58, static_cast<std::uint32_t>(x));
    });
  }
}

namespace {

// A stack as ImageJ writes it: the directory first, then all pixels, which only the first image
// of it is told of. The last pixels are in the file, a hole in front of them.
void write_imagej_stack(const std::filesystem::path& file, std::uint32_t side,
                        std::uint16_t samples, const std::string& description, std::uint64_t size,
                        const std::string& last) {
  constexpr std::uint32_t pixels_at = 1024;
  const std::uint32_t page_bytes = side * side * samples;
  const auto append = [](std::string& to, auto value) {
    to.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  std::string entries;
  std::uint16_t count = 0;
  const auto add = [&](std::uint16_t tag, std::uint16_t type, std::uint32_t n,
                       std::uint32_t value) {
    append(entries, tag);
    append(entries, type);
    append(entries, n);
    append(entries, value);
    ++count;
  };
  const auto text = static_cast<std::uint32_t>(description.size() + 1);
  add(TIFFTAG_IMAGEWIDTH, TIFF_LONG, 1, side);
  add(TIFFTAG_IMAGELENGTH, TIFF_LONG, 1, side);
  add(TIFFTAG_BITSPERSAMPLE, TIFF_SHORT, 1, 8);
  add(TIFFTAG_PHOTOMETRIC, TIFF_SHORT, 1, samples == 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
  add(TIFFTAG_IMAGEDESCRIPTION, TIFF_ASCII, text, 512);
  add(TIFFTAG_STRIPOFFSETS, TIFF_LONG, 1, pixels_at);
  add(TIFFTAG_SAMPLESPERPIXEL, TIFF_SHORT, 1, samples);
  add(TIFFTAG_ROWSPERSTRIP, TIFF_LONG, 1, side);
  add(TIFFTAG_STRIPBYTECOUNTS, TIFF_LONG, 1, page_bytes);
  std::string head("II*\0\x08\0\0\0", 8);
  append(head, count);
  head += entries + std::string(4, '\0');
  head.resize(512);
  head += description;
  std::ofstream stream(file, std::ios::binary);
  stream << head;
  stream.seekp(static_cast<std::streamoff>(pixels_at + size - last.size()));
  stream << last;
  REQUIRE(stream.flush());
}

}  // namespace

TEST_CASE("an ImageJ stack of more than 4 GiB is read to its end") {
  const Scratch scratch;
  constexpr std::uint32_t side = 2048, images = 1100;
  write_imagej_stack(scratch / "large.tif", side, 1, imagej_description(1, images, 1),
                     std::uint64_t{side} * side * images, "end");
  const auto reader = open_image(scratch / "large.tif");
  REQUIRE(reader->info().frames.size() == images);
  const Plane plane = reader->read(images - 1, 0);
  CHECK(value_of(plane.view(), side - 1, side - 1) == 'd');
  CHECK(value_of(plane.view(), side - 3, side - 1) == 'e');
  CHECK(value_of(plane.view(), side - 4, side - 1) == 0);
}

TEST_CASE("an ImageJ stack of colours with one directory has them side by side") {
  const Scratch scratch;
  std::string pixels;
  for (int i = 0; i < 2 * 2 * 2 * 3; ++i) pixels += static_cast<char>(i);
  const auto write = [&](std::uint64_t size) {
    write_imagej_stack(scratch / "rgb.tif", 2, 3, imagej_description(1, 2, 1), size, pixels);
  };
  write(pixels.size());
  const auto reader = open_image(scratch / "rgb.tif");
  REQUIRE(reader->info().frames.size() == 2);
  REQUIRE(reader->info().channels.size() == 3);
  CHECK(reader->info().channels[2].component == "B");
  for (std::size_t frame = 0; frame < 2; ++frame)
    for (std::size_t c = 0; c < 3; ++c)
      check_plane(reader->read(frame, c), reader->info(), [&](std::size_t x, std::size_t y) {
        return static_cast<double>(12 * frame + 6 * y + 3 * x + c);
      });
  pixels.pop_back();
  write(pixels.size());
  image_error("truncated", [&] { static_cast<void>(open_image(scratch / "rgb.tif")); });
}

TEST_CASE("images behind strips that lie apart are refused, not guessed") {
  const Scratch scratch;
  TiffSpec spec{.rows_per_strip = 8, .description = imagej_description(1, 3, 1)};
  spec.height = 3 * 29;
  write_test_tiff(scratch / "made.tif", spec);
  std::string bytes = bytes_of_file(scratch / "made.tif");
  const auto at = bytes.rfind(std::string("\x01\x01\x03\0", 4));  // rows
  REQUIRE(at != std::string::npos);
  bytes[at + 8] = 29;
  write_bytes(scratch / "made.tif", bytes);
  CHECK(open_image(scratch / "made.tif")->info().frames.size() == 3);
  const auto offsets = bytes.rfind(std::string("\x11\x01\x04\0", 4));  // of the strips
  REQUIRE(offsets != std::string::npos);
  std::uint32_t list = 0;
  std::memcpy(&list, &bytes[offsets + 8], 4);
  bytes[list + 4] = static_cast<char>(bytes[list + 4] + 2);
  write_bytes(scratch / "made.tif", bytes);
  image_error("unsupported-layout", [&] { static_cast<void>(open_image(scratch / "made.tif")); });
}

TEST_CASE("MetaMorph's stacks are refused, a single plane of it is read") {
  const Scratch scratch;
  write_test_tiff(scratch / "one.stk", {.metamorph_planes = 1});
  CHECK(open_image(scratch / "one.stk")->info().frames.size() == 1);
  write_test_tiff(scratch / "three.stk", {.metamorph_planes = 3});
  image_error("unsupported-layout", [&] { static_cast<void>(open_image(scratch / "three.stk")); });
}

TEST_CASE("ImageJ's units, however they are spelt, and one of their own for each axis") {
  const Scratch scratch;
  const auto info_of = [&](const std::string& more) {
    return open_made_tiff(scratch, {.pages = 2,
                                    .description = imagej_description(1, 2, 1, more),
                                    .resolution = 2.0F,
                                    .unit = RESUNIT_NONE})
        ->info();
  };
  for (const char* unit : {"\\u00B5m", "\\u00b5m", "\\u03BCm", "\u00b5m", "\u03bcm", "\xb5m", "um",
                           "micron", "microns", "micrometer"}) {
    CAPTURE(unit);
    CHECK(info_of("unit=" + std::string(unit) + "\n").pixel_size_um == 0.5);
  }
  for (const char* unit : {"\\u00B5", "\\u00Bm", "\\u", "\\", "pixel", "inch", ""}) {
    CAPTURE(unit);
    CHECK_FALSE(info_of("unit=" + std::string(unit) + "\n").pixel_size_um.has_value());
  }
  const ImageInfo own = info_of("unit=um\nyunit=nm\nzunit=mm\nspacing=0.25\n");
  CHECK(own.pixel_size_um == 0.5);
  CHECK(own.pixel_height_um == 0.0005);
  CHECK(own.z_step_um == 250.0);
}

TEST_CASE("an ImageJ description that does not count its images leaves that to the pages") {
  const Scratch scratch;
  const TiffSpec spec{.pages = 3, .description = "ImageJ=1.53t\nunit=um\n"};
  const auto reader = open_made_tiff(scratch, spec);
  REQUIRE(reader->info().frames.size() == 3);
  check_pixels(*reader, spec, 2, 0, 2);
  refused(scratch, "bad-counts", {.pages = 3, .description = "ImageJ=1.53t\nimages=2\n"});
}

TEST_CASE("OME-XML names channels, calibrates and says which page is what") {
  const Scratch scratch;
  const auto pixels =
      R"(PhysicalSizeX="325" PhysicalSizeXUnit="nm" PhysicalSizeY="0.65" PhysicalSizeZ="2")";
  for (const std::string order : {"XYCZT", "XYTZC", "XYZTC"}) {
    const TiffSpec spec =
        ome({.channels = 2, .planes = 3, .times = 2, .order = order, .pixels = pixels}, 12);
    const auto reader = open_made_tiff(scratch, spec);
    const ImageInfo& info = reader->info();
    CHECK(info.format == "OME-TIFF");
    REQUIRE(info.channels.size() == 2);
    CHECK(info.channels[1].name == "channel & 1");
    CHECK(info.pixel_size_um == doctest::Approx(0.325));
    CHECK(info.pixel_height_um == 0.65);
    CHECK(info.z_step_um == 2.0);
    CHECK(info.objective.name == "Plan Apo 20x");
    CHECK(info.objective.magnification == 20.0);
    CHECK(info.objective.numerical_aperture == 0.75);
    REQUIRE(info.frames.size() == 6);
    for (std::uint32_t t = 0; t < 2; ++t)
      for (std::uint32_t z = 0; z < 3; ++z)
        for (std::uint32_t c = 0; c < 2; ++c) {
          const std::uint32_t page = order == "XYCZT"   ? c + 2 * z + 6 * t
                                     : order == "XYTZC" ? t + 2 * z + 6 * c
                                                        : z + 3 * t + 6 * c;
          CHECK(info.frames[3 * t + z].t == t);
          CHECK(info.frames[3 * t + z].z == z);
          check_pixels(*reader, spec, 3 * t + z, c, page);
        }
  }
}

TEST_CASE("OME pages in any order, some in another file, with stage positions") {
  const Scratch scratch;
  const TiffSpec spec = ome(
      {.planes = 3,
       .data = R"(<TiffData FirstZ="0" IFD="1"/><TiffData FirstZ="1" IFD="0" PlaneCount="1">)"
               R"(<UUID FileName="made.tif">urn:uuid:2</UUID></TiffData>)"
               R"(<TiffData FirstZ="2" IFD="0"><UUID FileName="b.tif">urn:uuid:3</UUID></TiffData>)"
               R"(<Plane TheC="0" TheZ="1" TheT="0" PositionX="1" PositionXUnit="mm" )"
               R"(PositionY="-2.5" DeltaT="1.5"/>)"},
      2);
  const auto reader = open_made_tiff(scratch, spec);
  const ImageInfo& info = reader->info();
  REQUIRE(info.frames.size() == 3);
  check_pixels(*reader, spec, 0, 0, 1);
  check_pixels(*reader, spec, 1, 0, 0);
  CHECK(info.frames[2].missing);
  image_error("missing-frame", [&] { static_cast<void>(reader->read(2, 0)); });
  CHECK(info.frames[1].x_um == 1000.0);
  CHECK(info.frames[1].y_um == -2.5);
  CHECK(reader->time_ms(1) == 1500.0);
  CHECK_FALSE(info.frames[0].x_um.has_value());
}

TEST_CASE("of a recording that was stopped is read what is there") {
  const Scratch scratch;
  for (const char* data : {"<TiffData/>", R"(<TiffData IFD="0" PlaneCount="3"/>)",
                           R"(<TiffData FirstZ="0" IFD="0"/><TiffData FirstZ="1" IFD="1"/>)"
                           R"(<TiffData FirstZ="2" IFD="2"/>)"}) {
    const TiffSpec spec = ome({.planes = 3, .data = data}, 2);
    const auto reader = open_made_tiff(scratch, spec);
    REQUIRE(reader->info().frames.size() == 3);
    check_pixels(*reader, spec, 0, 0, 0);
    check_pixels(*reader, spec, 1, 0, 1);
    CHECK_FALSE(reader->info().frames[1].missing);
    CHECK(reader->info().frames[2].missing);
    CHECK_FALSE(reader->holds(2, 0));
    const ImageError error =
        image_error("missing-frame", [&] { static_cast<void>(reader->read(2, 0)); });
    CHECK(std::string(error.what()).find("the file ends before it") != std::string::npos);
  }
}

TEST_CASE("of a channel that stopped early the other one is read") {
  const Scratch scratch;
  const TiffSpec spec = ome({.channels = 2, .planes = 2, .data = "<TiffData/>"}, 3);
  const auto reader = open_made_tiff(scratch, spec);
  check_pixels(*reader, spec, 1, 0, 2);
  CHECK(reader->holds(1, 0));
  CHECK_FALSE(reader->holds(1, 1));
  CHECK(reader->info().frames[1].missing);
}

TEST_CASE("planes of another file of the set are read from it, if it lies beside this one") {
  const Scratch scratch;
  const std::string data =
      R"(<TiffData FirstC="0" IFD="0"><UUID FileName="made.tif">urn:uuid:1</UUID></TiffData>)"
      R"(<TiffData FirstC="1" IFD="1"><UUID FileName="../b.tif">urn:uuid:2</UUID></TiffData>)";
  const TiffSpec spec = ome({.channels = 2, .data = data}, 1);
  CHECK(open_made_tiff(scratch, spec)->info().frames[0].missing);
  const auto reads = [&](const std::string& code) {
    const auto reader = open_made_tiff(scratch, spec);
    CHECK_FALSE(reader->info().frames[0].missing);
    check_pixels(*reader, spec, 0, 0, 0);
    CHECK(reader->holds(0, 0));
    CHECK_FALSE(reader->holds(0, 1));  // of a list of both files, the other one has it
    if (code.empty())
      check_pixels(*reader, spec, 0, 1, 1);
    else
      image_error(code, [&] { static_cast<void>(reader->read(0, 1)); });
  };
  TiffSpec other = ome({.channels = 2, .data = data}, 2);
  const auto uuid = other.description.find("urn:uuid:1");
  write_test_tiff(scratch / "b.tif", other);
  reads("missing-frame");  // a file of that name with another UUID
  other.description[uuid + 9] = '2';
  write_test_tiff(scratch / "b.tif", other);
  reads("");
  other.width = 24;
  write_test_tiff(scratch / "b.tif", other);
  reads("mixed-pages");
  write_test_tiff(scratch / "b.tif", {});
  reads("missing-frame");  // no page 1
}

TEST_CASE("a negative value is said to be in the file of a set that has it") {
  const Scratch scratch;
  const std::string data =
      R"(<TiffData FirstC="0" IFD="0"/>)"
      R"(<TiffData FirstC="1" IFD="2"><UUID FileName="b.tif">urn:uuid:2</UUID></TiffData>)";
  TiffSpec spec = ome({.width = 20, .height = 4, .channels = 2, .data = data}, 1);
  spec.width = 20, spec.height = 4, spec.bits = 8, spec.format = SAMPLEFORMAT_INT;
  TiffSpec other = spec;
  other.pages = 3;
  other.description[other.description.find("urn:uuid:1") + 9] = '2';
  write_test_tiff(scratch / "b.tif", other);
  const auto reader = open_made_tiff(scratch, spec);
  check_pixels(*reader, spec, 0, 0, 0);
  const ImageError error =
      image_error("negative-value", [&] { static_cast<void>(reader->read(0, 1)); });
  CHECK(error.fields().file == (scratch / "b.tif").string());
  CHECK(error.image_fields().part == "page 2");
}

TEST_CASE("IFD of OME counts reduced copies, which are no planes") {
  const Scratch scratch;
  const auto with_copy = [](const std::string& data, std::uint32_t pages) {
    TiffSpec spec = ome({.channels = 2, .data = data}, pages);
    spec.reduced = 1;
    return spec;
  };
  for (const std::uint32_t pages : {3u, 4u}) {
    const TiffSpec spec = with_copy(R"(<TiffData IFD="0"/><TiffData FirstC="1" IFD="2"/>)", pages);
    const auto reader = open_made_tiff(scratch, spec);
    check_pixels(*reader, spec, 0, 0, 0);
    check_pixels(*reader, spec, 0, 1, 2);
  }
  const TiffSpec in_order = with_copy("<TiffData/>", 3);
  check_pixels(*open_made_tiff(scratch, in_order), in_order, 0, 1, 2);
  refused(scratch, "ome-planes", with_copy(R"(<TiffData IFD="1"/>)", 3));
}

TEST_CASE("an OME file of a set is known also where the name has a folder") {
  const Scratch scratch;
  const TiffSpec spec = ome(
      {.data = R"(<TiffData IFD="0"><UUID FileName="set/made.tif">urn:uuid:2</UUID></TiffData>)"},
      1);
  const auto reader = open_made_tiff(scratch, spec);
  CHECK_FALSE(reader->info().frames[0].missing);
}

TEST_CASE("an OME file that was renamed is known by all its planes naming one absent file") {
  const Scratch scratch;
  const auto data = [](const char* first, const char* second) {
    return fmt::format(
        R"(<TiffData FirstZ="0" IFD="0"><UUID FileName="{}">urn:uuid:2</UUID></TiffData>)"
        R"(<TiffData FirstZ="1" IFD="1"><UUID FileName="{}">urn:uuid:2</UUID></TiffData>)",
        first, second);
  };
  const auto without_uuid = [](const std::string& planes, std::uint32_t pages) {
    TiffSpec spec = ome({.planes = 2, .data = planes}, pages);
    const std::string_view uuid = R"( UUID="urn:uuid:1")";
    spec.description.erase(spec.description.find(uuid), uuid.size());
    return spec;
  };
  const auto missing = [&](const std::string& planes, std::uint32_t pages) {
    const auto reader = open_made_tiff(scratch, without_uuid(planes, pages));
    return std::pair{!reader->holds(0, 0), !reader->holds(1, 0)};
  };
  const TiffSpec renamed = without_uuid(data("scan.ome.tif", "scan.ome.tif"), 2);
  const auto reader = open_made_tiff(scratch, renamed);
  check_pixels(*reader, renamed, 0, 0, 0);
  check_pixels(*reader, renamed, 1, 0, 1);
  // Two files are a set; one with fewer pages than planes is not the one that is named.
  CHECK(missing(data("scan.ome.tif", "other.tif"), 2) == std::pair{true, true});
  CHECK(missing(data("scan.ome.tif", "scan.ome.tif"), 1) == std::pair{true, true});
  CHECK(missing(data("made.tif", "other.tif"), 2) == std::pair{false, true});
  // The file that is named is there: this is another one.
  std::ofstream(scratch / "scan.ome.tif") << "x";
  CHECK(missing(data("scan.ome.tif", "scan.ome.tif"), 2) == std::pair{true, true});
}

TEST_CASE("OME channels are where their TiffData say, also those side by side in a page") {
  const Scratch scratch;
  const TiffSpec swapped =
      ome({.channels = 2,
           .times = 2,
           .data = R"(<TiffData FirstT="1" FirstC="1" IFD="0"/><TiffData FirstC="1" IFD="3"/>)"
                   R"(<TiffData IFD="1" FirstT="1"/><TiffData IFD="2"/>)"},
          4);
  const auto reader = open_made_tiff(scratch, swapped);
  const std::uint32_t pages[2][2] = {{2, 3}, {1, 0}};
  for (std::uint32_t t = 0; t < 2; ++t)
    for (std::uint32_t c = 0; c < 2; ++c) check_pixels(*reader, swapped, t, c, pages[t][c]);

  TiffSpec colours =
      ome({.channels = 6, .data = R"(<TiffData FirstC="3" IFD="0"/><TiffData IFD="1"/>)"}, 2);
  colours.samples = 3;
  const auto wide = open_made_tiff(scratch, colours);
  REQUIRE(wide->info().channels.size() == 6);
  CHECK(wide->info().channels[4].component == "G");
  for (std::uint32_t c = 0; c < 6; ++c) check_pixels(*wide, colours, 0, c, c < 3 ? 1 : 0, c % 3);
}

TEST_CASE("lengths and times of OME-XML are in the unit that they say, and unknown in any other") {
  const Scratch scratch;
  const auto told = [&](const std::string& length, const std::string& time) {
    const auto attribute = [](const std::string& name, const std::string& unit) {
      return unit.empty() ? "" : " " + name + "=\"" + unit + "\"";
    };
    const auto reader = open_made_tiff(
        scratch, ome({.data = "<TiffData/><Plane TheC=\"0\" TheZ=\"0\" TheT=\"0\" DeltaT=\"3\"" +
                              attribute("DeltaTUnit", time) + "/>",
                      .pixels = "PhysicalSizeX=\"2\"" + attribute("PhysicalSizeXUnit", length)},
                     1));
    return std::pair(reader->info().pixel_size_um, reader->time_ms(0));
  };
  using Told = std::pair<std::optional<double>, std::optional<double>>;
  CHECK(told("", "") == Told(2.0, 3000.0));
  CHECK(told("\u00b5m", "s") == Told(2.0, 3000.0));
  CHECK(told("&#181;m", "ms") == Told(2.0, 3.0));
  CHECK(told("mm", "min") == Told(2000.0, 180000.0));
  CHECK(told("\u00c5", "h") == Told(2.0 * 1e-4, 3.0 * 3.6e6));
  CHECK(told("m", "\u00b5s") == Told(2e6, 3.0 * 1e-3));
  CHECK(told("pixel", "beats") == Told(std::nullopt, std::nullopt));
}

TEST_CASE("Images of two sizes are refused, with what takes them apart") {
  const Scratch scratch;
  std::string description = ome_description({.data = R"(<TiffData IFD="0"/>)"});
  const std::string second = ome_description({.width = 20, .data = R"(<TiffData IFD="1"/>)"});
  const auto image = [](const std::string& text) {
    return text.substr(text.find("<Image "), text.find("</OME>") - text.find("<Image "));
  };
  description.insert(description.find("</OME>"), image(second));
  const ImageError error = refused(scratch, "ome-size", {.pages = 2, .description = description});
  CHECK(std::string(error.what()).find("bfconvert -series") != std::string::npos);
}

TEST_CASE("OME-XML that contradicts itself or the file is refused") {
  const Scratch scratch;
  refused(scratch, "ome-planes", ome({.data = R"(<TiffData IFD="1"/>)"}, 1));
  refused(scratch, "ome-planes", ome({.data = ""}, 1));
  refused(scratch, "ome-planes", ome({.data = R"(<TiffData FirstZ="7"/>)"}, 1));
  refused(scratch, "ome-planes", ome({.data = R"(<TiffData PlaneCount="9"/>)"}, 1));
  refused(scratch, "ome-count", ome({.data = R"(<TiffData IFD="-1"/>)"}, 1));
  refused(scratch, "ome-size", ome({.width = 36}, 1));
  refused(scratch, "ome-order", ome({.order = "XYCZC"}, 1));
  refused(scratch, "ome-order", ome({.order = ""}, 1));
  refused(scratch, "bad-counts", ome({.planes = 0}, 1));
  refused(scratch, "bad-counts", ome({.channels = 1024, .planes = 1 << 19}, 1));
  refused(scratch, "ome-xml", {.description = "<?xml version=\"1.0\"?><OME><Image>"});
  CHECK(open_made_tiff(scratch, {.description = "<other>OME</other>"})->info().format == "TIFF");
}
