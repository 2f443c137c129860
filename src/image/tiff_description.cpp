#include "tiff_description.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <span>

#include "nucreg/core/text.hpp"

namespace nucreg {

std::optional<double> micrometres_in(std::string_view unit) {
  struct Unit {
    std::string_view name;
    double micrometres;
  };
  // The micro sign and the Greek letter look alike; old programs write the former in Latin-1.
  constexpr std::array<Unit, 16> units{{{"\u00b5m", 1.0},
                                        {"\u03bcm", 1.0},
                                        {"\xb5m", 1.0},
                                        {"um", 1.0},
                                        {"micron", 1.0},
                                        {"microns", 1.0},
                                        {"micrometer", 1.0},
                                        {"micrometers", 1.0},
                                        {"micrometre", 1.0},
                                        {"nm", 1e-3},
                                        {"pm", 1e-6},
                                        {"\u00c5", 1e-4},
                                        {"\u212b", 1e-4},
                                        {"mm", 1e3},
                                        {"cm", 1e4},
                                        {"m", 1e6}}};
  for (const Unit& known : units)
    if (known.name == unit) return known.micrometres;
  return {};
}

std::uint64_t checked_planes(std::initializer_list<std::uint64_t> sizes) {
  constexpr std::uint64_t most = std::uint64_t{1} << 20;
  std::uint64_t product = 1;
  for (const std::uint64_t size : sizes) {
    if (size == 0 || size > most / product)
      throw TiffDescriptionError{
          "bad-counts", fmt::format("the description claims 0 or more than {} planes", most)};
    product *= size;
  }
  return product;
}

void lay_out_frames(ImageInfo& info, std::size_t positions, std::size_t times, std::size_t planes) {
  if (positions > 1) info.loops.push_back({'P', positions});
  if (times > 1) info.loops.push_back({'T', times});
  if (planes > 1) info.loops.push_back({'Z', planes});
  for (std::uint32_t p = 0; p < positions; ++p)
    for (std::uint32_t t = 0; t < times; ++t)
      for (std::uint32_t z = 0; z < planes; ++z) {
        ImageFrame& frame = info.frames.emplace_back();
        if (positions > 1) frame.p = p;
        if (times > 1) frame.t = t;
        if (planes > 1) frame.z = z;
      }
}

namespace {

// One `key=value` a line.
std::map<std::string_view, std::string_view> lines_of(std::string_view text) {
  std::map<std::string_view, std::string_view> values;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (const auto equals = line.find('='); equals != std::string_view::npos)
      values.emplace(line.substr(0, equals), line.substr(equals + 1));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return values;
}

// ImageJ writes what is not ASCII as \u and four hexadecimal digits.
std::string unescaped(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    const std::string_view digits = text.starts_with("\\u") ? text.substr(2, 4) : "";
    const auto unit = parse_number<std::uint16_t>(digits, 16);
    if (unit && digits.size() == 4) {
      plain += utf8_of_utf16(std::as_bytes(std::span(&*unit, 1)));
      text.remove_prefix(6);
    } else {
      plain += text.front();
      text.remove_prefix(1);
    }
  }
  return plain;
}

std::optional<double> positive(std::string_view text) {
  const auto value = leading_number<double>(text);
  return value && std::isfinite(*value) && *value > 0.0 ? value : std::nullopt;
}

void name_samples(ImageInfo& info, std::size_t samples) {
  constexpr std::array<const char*, 4> colours{"R", "G", "B", "A"};
  for (std::size_t s = 0; s < samples; ++s)
    info.channels.push_back({"", samples == 3 || samples == 4 ? colours[s] : ""});
}

}  // namespace

std::optional<TiffPlan> plan_of_imagej(const TiffTags& tags, const TiffLayout& first,
                                       std::size_t pages) {
  if (!tags.description.starts_with("ImageJ=")) return {};
  const auto values = lines_of(tags.description);
  const auto count = [&](std::string_view key) -> std::uint64_t {
    const auto found = values.find(key);
    return found == values.end() ? 1 : leading_number<std::uint64_t>(found->second).value_or(0);
  };
  TiffPlan plan;
  plan.info.format = "ImageJ TIFF";
  // Unless it counts its images, they are its pages.
  const std::uint64_t images =
      checked_planes({values.contains("images") ? count("images") : pages});
  std::uint64_t channels = count("channels"), slices = count("slices"), frames = count("frames");
  if (checked_planes({channels, slices, frames}) != images) {
    // A stack that says of its images only how many they are.
    channels = frames = 1;
    slices = images;
  }
  plan.contiguous = images > 1 && pages == 1;
  if (!plan.contiguous && pages != images)
    throw TiffDescriptionError{"bad-counts", fmt::format("{} images in {} pages", images, pages)};
  if (plan.contiguous && (first.compressed || first.planar || first.tiled))
    throw TiffDescriptionError{"bad-counts", fmt::format("{} images in one page", images)};
  plan.samples = first.samples;
  plan.page_channels = channels;
  for (std::uint64_t c = 0; c < channels; ++c) name_samples(plan.info, first.samples);
  lay_out_frames(plan.info, 1, frames, slices);
  for (std::uint32_t i = 0; i < images; ++i) plan.pages.push_back({TiffPlace::In::here, i});

  // y and z have units of their own where they differ from that of x.
  const auto unit_of = [&](std::string_view key) {
    auto unit = values.find(key);
    if (unit == values.end()) unit = values.find("unit");
    return unit == values.end() ? std::nullopt : micrometres_in(unescaped(unit->second));
  };
  if (const auto unit = unit_of("unit"); unit && tags.x_resolution > 0.0)
    plan.info.pixel_size_um = *unit / tags.x_resolution;
  if (const auto unit = unit_of("yunit"); unit && tags.y_resolution > 0.0)
    plan.info.pixel_height_um = *unit / tags.y_resolution;
  if (const auto unit = unit_of("zunit"); unit && values.contains("spacing"))
    if (const auto step = positive(values.at("spacing"))) plan.info.z_step_um = *unit * *step;
  return plan;
}

TiffPlan plan_of_pages(const TiffTags& tags, const TiffLayout& first, std::size_t pages) {
  TiffPlan plan;
  plan.info.format = "TIFF";
  plan.samples = first.samples;
  name_samples(plan.info, first.samples);
  plan.info.frames.resize(pages);
  if (pages > 1) plan.info.loops.push_back({'I', pages});
  for (std::uint32_t i = 0; i < pages; ++i) plan.pages.push_back({TiffPlace::In::here, i});
  // Per inch is what programs write that know of no microscope, and is true of none.
  constexpr double micrometres_per_centimetre = 1e4;
  if (tags.per_centimetre && tags.x_resolution > 0.0 && tags.y_resolution > 0.0) {
    plan.info.pixel_size_um = micrometres_per_centimetre / tags.x_resolution;
    plan.info.pixel_height_um = micrometres_per_centimetre / tags.y_resolution;
  }
  return plan;
}

}  // namespace nucreg
