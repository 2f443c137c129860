#include "nd2_experiment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace nucreg {
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
  if (count < 0 || static_cast<std::uint64_t>(count) > most_frames)
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
    if (product > most_frames)
      throw Nd2ExperimentError{"too-many-frames",
                               fmt::format("loops of more than {} frames", most_frames)};
    experiment.loops.push_back(loop.loop);
    if (loop.type == LoopType::positions) experiment.points = std::move(loop.points);
    if (loop.type == LoopType::focus) experiment.z_step_um = loop.z_step_um;
  }
  return experiment;
}

}  // namespace nucreg
