// Writes TIFF files of every layout for the tests, by libtiff.
#pragma once

#include <tiffio.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace nucreg {

struct TiffSpec {
  std::uint32_t width = 37, height = 29;
  std::uint16_t bits = 16, format = SAMPLEFORMAT_UINT, samples = 1;
  bool planar = false;
  std::uint16_t compression = COMPRESSION_NONE;
  std::uint32_t rows_per_strip = 8;
  bool tiled = false;
  const char* mode = "w";  ///< "wb" writes big-endian, "w8" BigTIFF
  std::uint32_t pages = 1;
  std::optional<std::uint32_t> reduced;  ///< the page that says of itself that it is a small copy
  std::string description;               ///< of the first page
  float resolution = 0.0F;               ///< pixels per `unit`; 0: none
  std::uint16_t unit = RESUNIT_CENTIMETER;
  bool white_is_zero = false;
  std::uint32_t metamorph_planes = 0;  ///< that MetaMorph's tag tells; 0: no such tag
};

/// Value of one pixel; differs along every axis.
inline std::uint32_t tiff_value(std::uint32_t page, std::uint32_t sample, std::uint32_t y,
                                std::uint32_t x) {
  return page * 31u + sample * 7u + y * 13u + x * 3u + 1u;
}

inline void put_tiff_value(const TiffSpec& spec, std::uint8_t* to, std::uint32_t value) {
  if (spec.format == SAMPLEFORMAT_IEEEFP) {
    const auto number = static_cast<float>(value) + 0.5F;
    std::memcpy(to, &number, 4);
  } else {
    const std::uint64_t wide = value;
    std::memcpy(to, &wide, spec.bits / 8u);  // little-endian host; libtiff swaps
  }
}

inline void write_test_page(TIFF* tiff, const TiffSpec& spec, std::uint32_t page) {
  const std::size_t value_bytes = spec.bits / 8u;
  const std::uint16_t inside = spec.planar ? 1 : spec.samples;  // samples side by side
  const auto check = [](tmsize_t done) {
    if (done < 0) throw std::runtime_error("libtiff cannot write the test's file");
  };
  for (std::uint16_t plane = 0; plane < (spec.planar ? spec.samples : 1); ++plane) {
    const auto fill = [&](std::uint8_t* to, std::uint32_t y, std::uint32_t x) {
      for (std::uint16_t s = 0; s < inside; ++s)
        put_tiff_value(spec, to + s * value_bytes, tiff_value(page, plane + s, y, x));
    };
    const std::size_t pixel = value_bytes * inside;
    if (spec.tiled) {
      constexpr std::uint32_t side = 16;
      std::vector<std::uint8_t> tile(side * side * pixel);
      for (std::uint32_t y0 = 0; y0 < spec.height; y0 += side)
        for (std::uint32_t x0 = 0; x0 < spec.width; x0 += side) {
          for (std::uint32_t i = 0; i < side * side; ++i)
            fill(&tile[i * pixel], y0 + i / side, x0 + i % side);
          check(TIFFWriteTile(tiff, tile.data(), x0, y0, 0, plane));
        }
    } else {
      std::vector<std::uint8_t> row(spec.width * pixel);
      for (std::uint32_t y = 0; y < spec.height; ++y) {
        for (std::uint32_t x = 0; x < spec.width; ++x) fill(&row[x * pixel], y, x);
        check(TIFFWriteScanline(tiff, row.data(), y, plane));
      }
    }
  }
}

inline void write_test_tiff(const std::filesystem::path& file, const TiffSpec& spec) {
  TIFFSetWarningHandler(nullptr);
  TIFF* tiff = TIFFOpen(file.c_str(), spec.mode);
  if (tiff == nullptr) throw std::runtime_error("libtiff cannot open the test's file");
  for (std::uint32_t page = 0; page < spec.pages; ++page) {
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, spec.width);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, spec.height);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, spec.bits);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, spec.samples);
    TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, spec.format);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, spec.compression);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC,
                 spec.white_is_zero  ? PHOTOMETRIC_MINISWHITE
                 : spec.samples == 3 ? PHOTOMETRIC_RGB
                                     : PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG,
                 spec.planar ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
    if (spec.tiled) {
      TIFFSetField(tiff, TIFFTAG_TILEWIDTH, 16);
      TIFFSetField(tiff, TIFFTAG_TILELENGTH, 16);
    } else {
      TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, spec.rows_per_strip);
    }
    if (page == spec.reduced) TIFFSetField(tiff, TIFFTAG_SUBFILETYPE, FILETYPE_REDUCEDIMAGE);
    if (page == 0 && !spec.description.empty())
      TIFFSetField(tiff, TIFFTAG_IMAGEDESCRIPTION, spec.description.c_str());
    if (spec.resolution > 0.0F) {
      TIFFSetField(tiff, TIFFTAG_XRESOLUTION, static_cast<double>(spec.resolution));
      TIFFSetField(tiff, TIFFTAG_YRESOLUTION, static_cast<double>(spec.resolution));
      TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, spec.unit);
    }
    if (spec.metamorph_planes > 0) {
      static char name[] = "UIC2";
      const TIFFFieldInfo uic2{
          33629, TIFF_VARIABLE2, TIFF_VARIABLE2, TIFF_RATIONAL, FIELD_CUSTOM, 1, 1, name};
      TIFFMergeFieldInfo(tiff, &uic2, 1);
      const std::vector<float> times(spec.metamorph_planes, 1.0F);
      TIFFSetField(tiff, 33629, spec.metamorph_planes, times.data());
    }
    write_test_page(tiff, spec, page);
    if (TIFFWriteDirectory(tiff) != 1) throw std::runtime_error("libtiff cannot write a page");
  }
  TIFFClose(tiff);
}

inline std::string imagej_description(int channels, int slices, int frames,
                                      const std::string& more = "") {
  return "ImageJ=1.53t\nimages=" + std::to_string(channels * slices * frames) +
         "\nchannels=" + std::to_string(channels) + "\nslices=" + std::to_string(slices) +
         "\nframes=" + std::to_string(frames) + "\nhyperstack=true\n" + more;
}

struct OmeSpec {
  int width = 37, height = 29, channels = 1, planes = 1, times = 1;
  std::string order = "XYCZT", data = "<TiffData/>";
  std::string pixels = R"(PhysicalSizeX="0.65" PhysicalSizeY="0.65")";
};

inline std::string ome_description(const OmeSpec& spec) {
  const auto size = [](const char* name, int value) {
    return std::string(" ") + name + "=\"" + std::to_string(value) + "\"";
  };
  std::string text =
      R"(<?xml version="1.0" encoding="UTF-8"?>)"
      R"(<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:1">)"
      R"(<Instrument ID="Instrument:0"><Objective ID="Objective:0" Model="Plan Apo 20x" )"
      R"(NominalMagnification="20" LensNA="0.75"/></Instrument>)"
      R"(<Image ID="Image:0" Name="well A1"><ObjectiveSettings ID="Objective:0"/>)"
      R"(<Pixels ID="Pixels:0" Type="uint16" DimensionOrder=")" +
      spec.order + "\" " + spec.pixels + size("SizeX", spec.width) + size("SizeY", spec.height) +
      size("SizeC", spec.channels) + size("SizeZ", spec.planes) + size("SizeT", spec.times) + ">";
  for (int c = 0; c < spec.channels; ++c)
    text += "<Channel ID=\"Channel:0:" + std::to_string(c) + "\" Name=\"channel &amp; " +
            std::to_string(c) + "\"/>";
  return text + spec.data + "</Pixels></Image></OME>";
}

}  // namespace nucreg
