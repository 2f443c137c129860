#include "nd2_description.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>

#include "nucreg/core/text.hpp"

namespace nucreg {
namespace {

constexpr std::int64_t max_side = std::int64_t{1} << 20, max_components = 1024;
constexpr std::uint64_t max_padding = 4096;

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
    const auto value = parse_number<double>(std::string_view(name).substr(begin, end - begin));
    if (value && *value > 0.0) return value;
  }
  return {};
}

const Nd2Node* planes_of(const Nd2Node& picture) {
  const Nd2Node* planes = picture.find({"sPicturePlanes", "sPlaneNew"});
  return planes != nullptr && !planes->children.empty()
             ? planes
             : picture.find({"sPicturePlanes", "sPlane"});
}

// The items of a list a0, a1, ... by number: a10 comes after a9, and numbers may be left out.
std::vector<const Nd2Node*> in_order(const Nd2Node* planes) {
  std::map<std::uint32_t, const Nd2Node*> by_number;
  if (planes != nullptr)
    for (const Nd2Node& plane : planes->children) {
      if (!plane.name.starts_with('a')) continue;
      const auto number = parse_number<std::uint32_t>(std::string_view(plane.name).substr(1));
      if (number) by_number.emplace(*number, &plane);
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

// From the first plane that gives a magnification, else the first that names its objective.
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
  a.width_px = attribute(root, "uiWidth", 1, max_side);
  a.height_px = attribute(root, "uiHeight", 1, max_side);
  a.components = attribute(root, "uiComp", 1, max_components);
  a.bits = static_cast<unsigned>(attribute(root, "uiBpcInMemory", 8, 32));
  if (a.bits != 8 && a.bits != 16 && a.bits != 32)
    throw Nd2AttributeError{"bad-attribute",
                            fmt::format("uiBpcInMemory is {}; allowed: 8, 16, 32", a.bits)};
  a.significant_bits = static_cast<unsigned>(
      std::clamp<std::int64_t>(root.integer("uiBpcSignificant").value_or(a.bits), 1, a.bits));
  const std::uint64_t least = a.width_px * a.components * a.value_bytes();
  a.row_bytes = attribute(root, "uiWidthBytes", static_cast<std::int64_t>(least),
                          static_cast<std::int64_t>(least + max_padding - 1));
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

namespace {

enum class LoopType : std::int64_t {
  none = 0,
  time = 1,
  positions = 2,
  focus = 4,
  spectral = 6,
  custom = 7,
  uneven_time = 8,
};

struct KeptLoop {
  LoopType type = LoopType::none;
  int level = 0;
  ImageLoop loop;
  std::vector<Nd2Point> points;
  std::optional<double> z_step_um;
};

std::size_t checked(std::int64_t count) {
  if (count < 0 || static_cast<std::uint64_t>(count) > max_frames)
    throw Nd2ExperimentError{"bad-loop-count", fmt::format("a loop of {} steps", count)};
  return static_cast<std::size_t>(count);
}

// Files of 2.x wrap the parameters of a loop once more.
const Nd2Node* parameters_of(const Nd2Node& experiment) {
  const Nd2Node* parameters = experiment.find("uLoopPars");
  if (parameters == nullptr || parameters->children.empty()) return nullptr;
  if (parameters->children.size() == 1) {
    const Nd2Node& only = parameters->children.front();
    if (only.name.empty() || only.name == "i0000000000") parameters = &only;
  }
  return parameters->children.empty() ? nullptr : parameters;
}

/// Whether element `i` of a list counts; an empty filter lets everything pass.
bool passes(const std::vector<bool>& valid, std::size_t i) {
  return valid.empty() || (i < valid.size() && valid[i]);
}

std::vector<Nd2Point> read_points(const Nd2Node& parameters, const std::vector<bool>& valid) {
  const bool relative = parameters.flag("bRelativeXY"), use_z = parameters.flag("bUseZ");
  const double x0 = relative ? parameters.number("dReferenceX").value_or(0.0) : 0.0;
  const double y0 = relative ? parameters.number("dReferenceY").value_or(0.0) : 0.0;
  std::vector<Nd2Point> points;
  const Nd2Node* list = parameters.find("Points");
  if (list == nullptr) {
    if (parameters.integer("uiCount").value_or(0) > 0)
      throw Nd2ExperimentError{"unsupported-loop", "a loop over positions without a list of them"};
    return points;
  }
  for (std::size_t i = 0; i < list->children.size(); ++i) {
    if (!passes(valid, i)) continue;
    const Nd2Node& point = list->children[i];
    std::string name = point.text("dPosName");
    if (name.empty()) name = point.text("pPosName");
    auto x = point.number("dPosX"), y = point.number("dPosY");
    if (x) *x += x0;
    if (y) *y += y0;
    points.push_back({.x_um = x,
                      .y_um = y,
                      .z_um = use_z ? point.number("dPosZ") : std::nullopt,
                      .name = std::move(name)});
  }
  return points;
}

std::int64_t uneven_count(const Nd2Node& parameters) {
  const Nd2Node* periods = parameters.find("pPeriod");
  if (periods == nullptr) return 0;
  const std::vector<bool> valid = parameters.flags("pPeriodValid");
  std::int64_t count = 0;
  for (std::size_t i = 0; i < periods->children.size(); ++i)
    if (passes(valid, i))
      count +=
          static_cast<std::int64_t>(checked(periods->children[i].integer("uiCount").value_or(0)));
  return count;
}

std::optional<double> focus_step(const Nd2Node& parameters, std::size_t count) {
  const double step = std::abs(parameters.number("dZStep").value_or(0.0));
  if (step > 0.0) return step;
  const auto low = parameters.number("dZLow"), high = parameters.number("dZHigh");
  if (!low || !high || count < 2 || *low == *high) return {};
  return std::abs(*high - *low) / static_cast<double>(count - 1);
}

KeptLoop read_loop(const Nd2Node& experiment, const Nd2Node& parameters, int level) {
  const auto number = experiment.integer("eType").value_or(0);
  KeptLoop kept{.type = static_cast<LoopType>(number), .level = level};
  kept.loop.count = checked(parameters.integer("uiCount").value_or(0));
  switch (kept.type) {
    case LoopType::none:
      kept.loop.count = 0;
      break;
    case LoopType::time:
      kept.loop.axis = 'T';
      break;
    case LoopType::spectral:  // its planes lie inside each frame
      if (const Nd2Node* planes = parameters.find("pPlanes"))
        if (const auto count = planes->integer("uiCount")) kept.loop.count = checked(*count);
      break;
    case LoopType::custom:
      kept.loop.axis = 'U';
      break;
    case LoopType::uneven_time:
      kept.loop = {.axis = 'T', .count = checked(uneven_count(parameters))};
      break;
    case LoopType::focus:
      kept.loop.axis = 'Z';
      kept.z_step_um = focus_step(parameters, kept.loop.count);
      break;
    case LoopType::positions:
      kept.points = read_points(parameters, experiment.flags("pItemValid"));
      kept.loop = {.axis = 'P', .count = checked(static_cast<std::int64_t>(kept.points.size()))};
      break;
    default:
      throw Nd2ExperimentError{"unsupported-loop", fmt::format("a loop of type {}", number)};
  }
  return kept;
}

// Depth is bounded by that of the tree.
void collect(const Nd2Node& experiment, int level, std::vector<KeptLoop>& kept) {
  const Nd2Node* parameters = parameters_of(experiment);
  if (parameters == nullptr) return;
  KeptLoop loop = read_loop(experiment, *parameters, level);
  if (loop.loop.count == 0) return;
  if (loop.type == LoopType::spectral)
    --level;
  else if (kept.empty() || kept.back().level < level)
    kept.push_back(std::move(loop));
  else if (kept.back().level == level && kept.back().type == loop.type &&
           kept.back().loop.count < loop.loop.count)
    kept.back() = std::move(loop);  // such as one Z loop per channel
  if (const Nd2Node* next = experiment.find("ppNextLevelEx"))
    for (const Nd2Node& child : next->children) collect(child, level + 1, kept);
}

}  // namespace

std::uint64_t Nd2Experiment::frames() const {
  std::uint64_t product = 1;
  for (const ImageLoop& loop : loops) product *= loop.count;
  return product;
}

Nd2Experiment read_nd2_experiment(const Nd2Node& root) {
  std::vector<KeptLoop> kept;
  collect(root, 0, kept);
  Nd2Experiment experiment;
  std::uint64_t product = 1;
  for (KeptLoop& loop : kept) {
    product *= loop.loop.count;  // both factors are at most 2^20
    if (product > max_frames)
      throw Nd2ExperimentError{"too-many-frames",
                               fmt::format("loops of more than {} frames", max_frames)};
    experiment.loops.push_back(loop.loop);
    if (loop.type == LoopType::positions) experiment.points = std::move(loop.points);
    if (loop.type == LoopType::focus) experiment.z_step_um = loop.z_step_um;
  }
  return experiment;
}

}  // namespace nucreg
