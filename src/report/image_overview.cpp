#include "nucreg/report/image_overview.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace nucreg {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

// Text of a file must not steer a terminal; JSON escapes such characters anyway.
std::string printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text;
}

std::string channel_label(const ImageChannel& channel) {
  if (channel.component.empty()) return channel.name;
  return channel.name.empty() ? channel.component : channel.name + " " + channel.component;
}

Json sizes_of(const ImageInfo& info) {
  Json sizes = Json::object();
  for (const ImageLoop& loop : info.loops) {
    if (loop.count < 2) continue;
    const std::string axis(1, loop.axis);
    sizes[axis] = sizes.value(axis, std::size_t{1}) * loop.count;
  }
  if (info.channels.size() > 1) sizes["C"] = info.channels.size();
  sizes["Y"] = info.height_px;
  sizes["X"] = info.width_px;
  return sizes;
}

Json frame_json(ImageReader& reader, std::size_t number) {
  const ImageFrame& frame = reader.info().frames[number];
  Json json{{"frame", number}};
  if (frame.t) json["T"] = *frame.t;
  if (frame.p) json["P"] = *frame.p;
  if (frame.z) json["Z"] = *frame.z;
  json["missing"] = frame.missing;
  json["x_um"] = or_null(frame.x_um);
  json["y_um"] = or_null(frame.y_um);
  json["z_um"] = or_null(frame.z_um);
  json["time_ms"] = or_null(reader.time_ms(number));
  return json;
}

std::string or_unknown(const std::optional<double>& value, const char* unit) {
  return value ? fmt::format("{:.6g}{}", *value, unit) : "unknown";
}

std::string or_dash(const std::optional<double>& value) {
  return value ? fmt::format("{:.2f}", *value) : "-";
}

std::string frame_line(const ImageFrame& frame, std::size_t number) {
  const auto index = [](const std::optional<std::uint32_t>& value) {
    return value ? fmt::format("{}", *value) : std::string("-");
  };
  return fmt::format("{:>7} {:>5} {:>5} {:>5} {:>12} {:>12} {:>11}{}\n", number, index(frame.t),
                     index(frame.p), index(frame.z), or_dash(frame.x_um), or_dash(frame.y_um),
                     or_dash(frame.z_um), frame.missing ? "  missing" : "");
}

}  // namespace

std::string to_json(ImageReader& reader, const std::string& file) {
  const ImageInfo& info = reader.info();
  Json json{{"file", file},
            {"format", info.format},
            {"sizes", sizes_of(info)},
            {"width_px", info.width_px},
            {"height_px", info.height_px},
            {"pixel_type", name_of(info.type)},
            {"significant_bits", info.significant_bits},
            {"white_is_zero", info.inverted}};
  json["channel_names"] = json["channels"] = json["loops"] = Json::array();
  for (const ImageChannel& channel : info.channels) {
    json["channel_names"].push_back(channel.name);
    json["channels"].push_back({{"name", channel.name}, {"component", channel.component}});
  }
  for (const ImageLoop& loop : info.loops)
    json["loops"].push_back({{"axis", std::string(1, loop.axis)}, {"count", loop.count}});
  json["pixel_size_um"] = {{"x", or_null(info.pixel_size_um)},
                           {"y", or_null(info.pixel_height_um)},
                           {"z_step", or_null(info.z_step_um)}};
  json["objective"] = {{"name", info.objective.name},
                       {"magnification", or_null(info.objective.magnification)},
                       {"numerical_aperture", or_null(info.objective.numerical_aperture)}};
  json["position_names"] = info.position_names;
  json["frames"] = Json::array();
  for (std::size_t n = 0; n < info.frames.size(); ++n)
    json["frames"].push_back(frame_json(reader, n));
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string to_text(const ImageInfo& info, const std::string& file) {
  constexpr std::size_t most_frames_shown = 20;
  std::string sizes;
  const Json all_sizes = sizes_of(info);
  for (const auto& [axis, size] : all_sizes.items())
    sizes += fmt::format(" {}{}", axis, size.get<std::size_t>());
  std::string text =
      fmt::format("{}: {}, {} x {} px, {} ({} bits)\n", file, info.format, info.width_px,
                  info.height_px, name_of(info.type), info.significant_bits);
  if (info.inverted)
    text += "  white is zero in the file: values are inverted, larger is brighter\n";
  text += fmt::format("  sizes     {}\n", sizes);
  for (std::size_t c = 0; c < info.channels.size(); ++c)
    text += fmt::format("  channel {:<2} {}\n", c, printable(channel_label(info.channels[c])));
  text += fmt::format("  pixel      {} x {}, z step {}\n", or_unknown(info.pixel_size_um, " um"),
                      or_unknown(info.pixel_height_um, " um"), or_unknown(info.z_step_um, " um"));
  text += fmt::format("  objective  {}, magnification {}, NA {}\n",
                      info.objective.name.empty() ? "unknown" : printable(info.objective.name),
                      or_unknown(info.objective.magnification, "x"),
                      or_unknown(info.objective.numerical_aperture, ""));
  const auto missing = std::count_if(info.frames.begin(), info.frames.end(),
                                     [](const ImageFrame& frame) { return frame.missing; });
  text += fmt::format("  frames     {}, {} of them missing\n\n", info.frames.size(), missing);
  text += fmt::format("{:>7} {:>5} {:>5} {:>5} {:>12} {:>12} {:>11}\n", "frame", "T", "P", "Z",
                      "x um", "y um", "z um");
  const std::size_t shown = std::min(info.frames.size(), most_frames_shown);
  for (std::size_t n = 0; n < shown; ++n) text += frame_line(info.frames[n], n);
  if (shown < info.frames.size())
    text += fmt::format("... and {} more; --json lists them all\n", info.frames.size() - shown);
  return text;
}

}  // namespace nucreg
