// Nuclei that one side shows in two pieces: either piece is the right partner, but only one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "evidence.hpp"
#include "nucreg/mosaic/objects.hpp"

namespace nucreg::mosaic {

/// Where two candidates of an object lie to either side of it, with their middle on it, they are
/// taken for its pieces: they get split_flag, the object merged_flag, and each of the two pairs is
/// right with the probability of both together. `narrow_um`: of Spread. Works both ways.
void join_pieces(Candidates& candidates, const SideView& ten, const SideView& forty,
                 double narrow_um, std::span<std::uint8_t> ten_flags,
                 std::span<std::uint8_t> forty_flags);

/// A pair of objects, by index, as chosen.
struct ObjectPair {
  std::uint32_t ten = 0, forty = 0;
  float probability = 0.0F;
};

/// Per pair 1 if it joins two pieces of a nucleus that a better pair joins already. Two nuclei lie
/// to each other at 10x as they do at 40x; pieces do not. If both sides' ends are flagged as split
/// and within half a spacing, that suffices; else both pairs have to be off to opposite sides, and
/// none of their ends merged_flag: another piece would explain that.
[[nodiscard]] std::vector<std::uint8_t> second_pieces(std::span<const ObjectPair> pairs,
                                                      const SideView& ten, const SideView& forty,
                                                      std::span<const std::uint8_t> ten_flags,
                                                      std::span<const std::uint8_t> forty_flags,
                                                      double reach, double narrow_um);

}  // namespace nucreg::mosaic
