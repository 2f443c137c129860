// Whether the file of a mapped well is sound.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nucreg/store/map_file.hpp"

namespace nucreg {

struct MapVerification {
  std::vector<std::string> findings;  ///< damage, one line each; empty = sound
  std::vector<std::string> notes;     ///< what is no damage: a partial file, a well without match
  std::uint64_t tiles = 0, detections = 0, pairs = 0;
};

/// Checks that every reference is in range; that tiles, detections, objects, pairs, links and
/// models agree with each other and with the counts of the file; that nobody is paired twice and
/// only what a pair names is called paired; that probabilities are some, q-values rise as
/// probabilities fall, and numbers are finite if they must be.
[[nodiscard]] MapVerification verify_map(const WellMap& map);

}  // namespace nucreg
