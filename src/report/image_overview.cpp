#include "nucreg/report/image_overview.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "nucreg/core/text.hpp"
#include "nucreg/disk/publish.hpp"

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

std::string to_json(ImageReader& reader, const std::string& file, const std::string& reading) {
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
  json["reading"] = reading.empty() ? Json(nullptr) : Json(reading);
  json["frames"] = Json::array();
  for (std::size_t n = 0; n < info.frames.size(); ++n)
    json["frames"].push_back(frame_json(reader, n));
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string to_json(const std::string& file, const std::string& reading,
                    const std::vector<std::string>& notes,
                    const std::vector<std::string>& warnings) {
  const Json json{{"file", file}, {"reading", reading}, {"notes", notes}, {"warnings", warnings}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string to_text(const ImageInfo& info, const std::string& file, const std::string& reading) {
  constexpr std::size_t max_frames_shown = 20;
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
  if (!reading.empty()) text += fmt::format("  read as    {} (--as changes it)\n", reading);
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
  const std::size_t shown = std::min(info.frames.size(), max_frames_shown);
  for (std::size_t n = 0; n < shown; ++n) text += frame_line(info.frames[n], n);
  if (shown < info.frames.size())
    text += fmt::format("... and {} more; --json lists them all\n", info.frames.size() - shown);
  return text;
}

namespace {

using Json = nlohmann::ordered_json;

double rmsd_px(const MatchResult& result) {
  double sum = 0.0;
  for (const double r : result.residual_px) sum += r * r;
  return std::sqrt(sum / static_cast<double>(result.residual_px.size()));  // NaN without pairs
}

}  // namespace

std::string to_json(const MatchResult& result, const NucleusCounts& nuclei) {
  const bool matched = result.matched();
  const auto if_known = [](const auto& value) { return value ? Json(*value) : Json(nullptr); };
  const auto if_matched = [&](auto value) { return matched ? Json(value) : Json(nullptr); };
  const auto& [a, b, tx, c, d, ty] = result.affine;
  Json json;
  json["status"] = matched ? "matched" : "no match";
  json["reason"] = matched ? Json(nullptr) : Json(result.reason);
  json["affine_10x_to_40x"] = matched ? Json{{a, b, tx}, {c, d, ty}} : Json(nullptr);
  json["trs"] = matched ? Json{{"dx_px", result.trs[0]},
                               {"dy_px", result.trs[1]},
                               {"angle_deg", result.trs[2]},
                               {"scale_x", result.trs[3]},
                               {"scale_y", result.trs[4]}}
                        : Json(nullptr);
  json["mirrored"] = if_matched(result.mirrored);
  json["matched"] = result.ten.size();
  json["match_rate"] = if_matched(result.match_rate);
  json["chance_rate"] = if_matched(result.chance_rate);
  json["significance"] = std::pow(10.0, result.log10_significance);
  json["log10_significance"] = result.log10_significance;
  json["heldout_rmsd_px"] = if_matched(result.heldout_rmsd_px);
  json["rmsd_px"] = if_matched(rmsd_px(result));
  json["match_radius_px"] = if_matched(result.match_radius_px);
  json["noise_px"] = if_matched(result.noise_px);
  json["nuclei_10x"] = if_known(nuclei.ten);
  json["nuclei_40x"] = if_known(nuclei.forty);
  json["in_overlap_10x"] = if_matched(result.ten_in_overlap);
  json["in_overlap_40x"] = if_matched(result.forty_in_overlap);
  json["hypotheses"] = result.hypotheses;
  json["stage_error_px"] = result.stage_error_px;  // NaN: null
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

namespace {

/// "  pairs         ..." within 80 columns.
std::string fact(const char* word, const std::string& text) {
  constexpr std::size_t indent = 16;
  std::string line = fmt::format("  {:<{}}", word, indent - 2);
  for (const char c : wrapped(text, 80 - indent))
    line += c == '\n' ? "\n" + std::string(indent, ' ') : std::string(1, c);
  return line + "\n";
}

std::string chance_text(double log10) {
  return log10 < -3.0 ? fmt::format("10^{:.1f}", log10)
                      : fmt::format("{:.2g}", std::pow(10.0, log10));
}

}  // namespace

std::string to_text(const MatchResult& result, const NucleusCounts& nuclei) {
  std::string text = result.matched() ? "matched" : "no match";
  const char* before = "; nuclei: ";
  for (const auto& [count, side] : {std::pair{nuclei.ten, "10x"}, {nuclei.forty, "40x"}}) {
    if (!count) continue;
    text += fmt::format("{}{} at {}", before, count_text(*count), side);
    before = ", ";
  }
  text += "\n";
  const std::string chance =
      fmt::format("by chance a map is as good with a probability of {} ({} hypotheses)",
                  chance_text(result.log10_significance), count_text(result.hypotheses));
  if (!result.matched()) {
    text += fact("reason", result.reason);
    return result.hypotheses > 0 ? text + fact("significance", chance) : text;
  }
  const auto& [a, b, tx, c, d, ty] = result.affine;
  const auto& [dx, dy, angle, sx, sy] = result.trs;
  text += fmt::format("  map           X = {:.6f} x {:+.6f} y {:+.3f}   (10x px to 40x px)\n", a, b,
                      tx);
  text += fmt::format("                Y = {:.6f} x {:+.6f} y {:+.3f}{}\n", c, d, ty,
                      result.mirrored ? "   mirrored" : "");
  text += fact("trs",
               fmt::format("dx {:.3f} px, dy {:.3f} px, angle {:.4f} deg, scales {:.5f} and {:.5f}",
                           dx, dy, angle, sx, sy));
  text +=
      fact("pairs", fmt::format("{} of {} nuclei at 10x and {} at 40x in the overlap, each "
                                "used once",
                                count_text(result.ten.size()), count_text(result.ten_in_overlap),
                                count_text(result.forty_in_overlap)));
  text +=
      fmt::format("  match rate    {:.1f} %; by chance {:.1f} % within {:.2f} px\n",
                  100.0 * result.match_rate, 100.0 * result.chance_rate, result.match_radius_px);
  text += fact("significance", chance);
  text += fmt::format("  residuals     {:.3f} px root mean square, {:.3f} px on held-out pairs\n",
                      rmsd_px(result), result.heldout_rmsd_px);
  if (std::isfinite(result.stage_error_px))
    text += fmt::format("  stage         {:.1f} px at 10x from where it was said to be\n",
                        result.stage_error_px);
  return text;
}

void write_pairs_csv(const std::filesystem::path& file, const MatchResult& result,
                     const LabelledPoints& ten, const LabelledPoints& forty, bool overwrite) {
  TextFile csv(file);
  csv.write("x10,y10,x40,y40,label10,label40,residual_px\n");
  for (std::size_t i = 0; i < result.ten.size(); ++i) {
    const std::uint32_t j = result.ten[i], k = result.forty[i];
    csv.write(fmt::format("{},{},{},{},{},{},{}\n", ten.points.x[j], ten.points.y[j],
                          forty.points.x[k], forty.points.y[k], ten.labels[j], forty.labels[k],
                          result.residual_px[i]));
  }
  csv.publish(overwrite);
}

}  // namespace nucreg
