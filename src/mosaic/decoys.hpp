// Chance pairs, counted: what the same machinery pairs when one side is shifted.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "evidence.hpp"
#include "nucreg/mosaic/assignment.hpp"

namespace nucreg::mosaic {

/// Rows by falling probability: pairs and what their posteriors expect to be wrong of them.
[[nodiscard]] std::vector<DecoyPoint> posterior_curve(std::span<const float> probability,
                                                      double min_probability);

/// Adds what decoys say. Only objects without a partner take part, since only they can form a
/// chance pair: those of the 40x side are shifted by 3 to 5 spacings in `directions` directions and
/// paired with those of the 10x side under the same evidence. ten_free, forty_free: per object, 1:
/// without a partner.
void add_decoys(std::vector<DecoyPoint>& curve, const Evidence& evidence, const SideView& ten,
                const SideView& forty, std::span<const std::uint8_t> ten_free,
                std::span<const std::uint8_t> forty_free, double spacing_um, std::size_t directions,
                std::size_t max_component);

}  // namespace nucreg::mosaic
