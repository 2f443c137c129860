// One of N parts of a plan, so that N runs of one job can share its trials.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "nucreg/plan/plan.hpp"

namespace nucreg {

/// Trials of one configuration, consecutive.
struct TrialRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  [[nodiscard]] bool contains(std::uint64_t trial) const {
    return trial >= first && trial - first < count;
  }
};

/// Parts 1 ... count of a plan are disjoint and together the whole. Each has an equal share of the
/// trials of each configuration, and their sizes differ by one trial at most.
struct Part {
  std::uint64_t number = 1;
  std::uint64_t count = 1;

  [[nodiscard]] bool whole() const { return count == 1; }
  /// The share of a configuration that has so many trials; a pure function of its arguments.
  [[nodiscard]] TrialRange of(std::uint64_t configuration, std::uint64_t trials) const;
  /// Number of trials in this part of a plan.
  [[nodiscard]] std::uint64_t tasks(std::uint64_t configurations, std::uint64_t trials) const;
  [[nodiscard]] std::uint64_t tasks(const Plan& plan) const {
    return tasks(plan.configurations.size(), plan.trials);
  }
  /// "2/8", as --part takes it.
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Part&, const Part&) = default;
};

inline constexpr std::uint64_t max_parts = 1'000'000;

/// From "K/N". Throws JobError (key --part).
[[nodiscard]] Part parse_part(std::string_view text);
/// Throws JobError where there are more parts than trials: some would have nothing to do.
void check_part(const Part& part, const Plan& plan);

}  // namespace nucreg
