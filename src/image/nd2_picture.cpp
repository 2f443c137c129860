#include "nd2_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

namespace nucreg {
namespace {

constexpr std::int64_t longest_side = std::int64_t{1} << 20, most_components = 1024;
constexpr std::uint64_t most_padding = 4096;

std::uint64_t attribute(const Nd2Node& root, const char* name, std::int64_t low,
                        std::int64_t high) {
  const auto value = root.integer(name);
  if (!value) throw Nd2AttributeError{"missing-attributes", fmt::format("{} is missing", name)};
  if (*value < low || *value > high)
    throw Nd2AttributeError{"bad-attribute",
                            fmt::format("{} is {}; allowed: {} to {}", name, *value, low, high)};
  return static_cast<std::uint64_t>(*value);
}

void check_whole(const Nd2Node& root, const char* name, std::uint64_t side) {
  const std::int64_t tile = root.integer(name).value_or(0);
  if (tile != 0 && static_cast<std::uint64_t>(tile) != side)
    throw Nd2AttributeError{"unsupported-tiles", fmt::format("{} is {}: tiles", name, tile)};
}

// "Plan Apo 60x": the number in front of the first x that has one.
std::optional<double> magnification_in(const std::string& name) {
  for (std::size_t x = 1; x < name.size(); ++x) {
    if (name[x] != 'x' && name[x] != 'X') continue;
    std::size_t end = x;
    while (end > 0 && name[end - 1] == ' ') --end;
    std::size_t begin = end;
    while (begin > 0 &&
           (name[begin - 1] == '.' || (name[begin - 1] >= '0' && name[begin - 1] <= '9')))
      --begin;
    double value = 0.0;
    const auto [stop, error] = std::from_chars(&name[begin], &name[end], value);
    if (error == std::errc() && stop == &name[end] && value > 0.0) return value;
  }
  return {};
}

const Nd2Node* planes_of(const Nd2Node& picture) {
  const Nd2Node* planes = picture.find({"sPicturePlanes", "sPlaneNew"});
  return planes != nullptr && !planes->children.empty()
             ? planes
             : picture.find({"sPicturePlanes", "sPlane"});
}

// Of a list of a0, a1, ... by number: a10 comes after a9, and numbers may be left out.
std::vector<const Nd2Node*> in_order(const Nd2Node* planes) {
  std::map<std::uint32_t, const Nd2Node*> by_number;
  if (planes != nullptr)
    for (const Nd2Node& plane : planes->children) {
      std::uint32_t number = 0;
      const char* const last = plane.name.data() + plane.name.size();
      if (!plane.name.starts_with('a')) continue;
      const auto [end, error] = std::from_chars(plane.name.data() + 1, last, number);
      if (error == std::errc() && end == last) by_number.emplace(number, &plane);
    }
  std::vector<const Nd2Node*> ordered;
  for (const auto& [number, plane] : by_number) ordered.push_back(plane);
  return ordered;
}

std::vector<ImageChannel> channels_of(const std::vector<const Nd2Node*>& planes,
                                      std::uint64_t components) {
  constexpr std::array<const char*, 3> colours{"R", "G", "B"};
  std::vector<ImageChannel> channels;
  for (const Nd2Node* plane : planes) {
    const auto width = plane->integer("uiCompCount").value_or(1);
    // Every plane has a component, so more than what is left means that the list is wrong.
    if (width < 1 || static_cast<std::uint64_t>(width) > components - channels.size()) return {};
    for (std::int64_t c = 0; c < width; ++c)
      channels.push_back(
          {plane->text("sDescription"), width == 3 ? colours[static_cast<std::size_t>(c)] : ""});
  }
  return channels;
}

ObjectiveLens lens_in(const Nd2Node& node) {
  return {.name = node.text("wsObjectiveName"),
          .magnification = node.positive("dObjectiveMag"),
          .numerical_aperture = node.positive("dObjectiveNA")};
}

// Of the first plane that tells a magnification, else of the first that names its objective.
ObjectiveLens lens_of_planes(const Nd2Node& picture, const std::vector<const Nd2Node*>& planes) {
  ObjectiveLens named;
  const Nd2Node* samples = picture.find({"sPicturePlanes", "sSampleSetting"});
  if (samples == nullptr) return named;
  for (const Nd2Node* plane : planes) {
    const std::int64_t sample = plane->integer("uiSampleIndex").value_or(0);
    const Nd2Node* setting = samples->find({fmt::format("a{}", sample), "pObjectiveSetting"});
    if (setting == nullptr) continue;
    ObjectiveLens lens = lens_in(*setting);
    if (!lens.magnification) lens.magnification = magnification_in(lens.name);
    if (lens.magnification) return lens;
    if (named.name.empty()) named = std::move(lens);
  }
  return named;
}

ObjectiveLens objective_of(const Nd2Node& picture, const std::vector<const Nd2Node*>& planes,
                           const Nd2Node* calibration) {
  ObjectiveLens objective = lens_in(picture);
  const ObjectiveLens of_planes = lens_of_planes(picture, planes);
  if (objective.name.empty()) objective.name = of_planes.name;
  if (objective.name.empty() && calibration != nullptr)
    objective.name = calibration->text("sObjective");
  if (!objective.magnification) objective.magnification = of_planes.magnification;
  if (!objective.magnification) objective.magnification = magnification_in(objective.name);
  if (!objective.numerical_aperture) objective.numerical_aperture = of_planes.numerical_aperture;
  return objective;
}

}  // namespace

Nd2Attributes read_nd2_attributes(const Nd2Node& root) {
  Nd2Attributes a;
  a.width_px = attribute(root, "uiWidth", 1, longest_side);
  a.height_px = attribute(root, "uiHeight", 1, longest_side);
  a.components = attribute(root, "uiComp", 1, most_components);
  a.bits = static_cast<unsigned>(attribute(root, "uiBpcInMemory", 8, 32));
  if (a.bits != 8 && a.bits != 16 && a.bits != 32)
    throw Nd2AttributeError{"bad-attribute",
                            fmt::format("uiBpcInMemory is {}; allowed: 8, 16, 32", a.bits)};
  a.significant_bits = static_cast<unsigned>(
      std::clamp<std::int64_t>(root.integer("uiBpcSignificant").value_or(a.bits), 1, a.bits));
  const std::uint64_t least = a.width_px * a.components * a.value_bytes();
  a.row_bytes = attribute(root, "uiWidthBytes", static_cast<std::int64_t>(least),
                          static_cast<std::int64_t>(least + most_padding - 1));
  if (root.find("uiSequenceCount") != nullptr)
    a.sequence_count = attribute(root, "uiSequenceCount", 0, std::int64_t{1} << 20);
  const std::int64_t compression = root.integer("eCompression").value_or(2);
  if (compression == 1)
    throw Nd2AttributeError{"unsupported-lossy", "lossy compression is not supported"};
  if (compression != 0 && compression != 2)
    throw Nd2AttributeError{"unsupported-compression",
                            fmt::format("eCompression is {}; understood: 0, 2", compression)};
  a.compressed = compression == 0;
  check_whole(root, "uiTileWidth", a.width_px);
  check_whole(root, "uiTileHeight", a.height_px);
  return a;
}

Nd2Picture read_nd2_picture(const Nd2Node* picture, const Nd2Node* calibration,
                            std::uint64_t components) {
  Nd2Picture result;
  if (picture != nullptr) {
    const std::vector<const Nd2Node*> planes = in_order(planes_of(*picture));
    result.channels = channels_of(planes, components);
    result.objective = objective_of(*picture, planes, calibration);
    if (picture->flag("bCalibrated")) result.pixel_size_um = picture->positive("dCalibration");
    if (result.pixel_size_um)
      result.pixel_height_um = *result.pixel_size_um * picture->positive("dAspect").value_or(1.0);
    result.x_um = picture->number("dXPos");
    result.y_um = picture->number("dYPos");
    result.z_um = picture->number("dZPos");
  }
  if (!result.pixel_size_um && calibration != nullptr && calibration->flag("bValid")) {
    result.pixel_size_um = calibration->positive("dCalibration");
    if (result.pixel_size_um)
      result.pixel_height_um =
          *result.pixel_size_um * calibration->positive("dAspect").value_or(1.0);
  }
  // Names that do not fit the components belong to none of them.
  if (result.channels.size() != components) result.channels.assign(components, {});
  return result;
}

}  // namespace nucreg
