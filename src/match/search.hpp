// From two clouds to the map that explains both, or to none.
#pragma once

#include <cstdint>
#include <optional>

#include "growth.hpp"
#include "nucreg/match/match.hpp"

namespace nucreg::matching {

struct Found {
  std::optional<Grown> best;        ///< significant over all hypotheses tried
  bool ambiguous = false;           ///< another map explains about as much
  double log10_significance = 0.0;  ///< of the best, or of the best that is not significant
  std::uint64_t hypotheses = 0;
};

/// Distance of the stage's point, mapped by `map`, from the nearest place that the stage names,
/// 10x px.
[[nodiscard]] double distance_px(const StagePrior& stage, const BackMap& map);

/// Tries hypotheses in random order until one is significant, then some more that may rival it.
[[nodiscard]] Found search(const Cloud& ten, const Cloud& forty, Growth& growth,
                           const MatchOptions& options);

}  // namespace nucreg::matching
