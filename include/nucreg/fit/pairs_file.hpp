// Point pairs from files.
#pragma once

#include <filesystem>

#include "nucreg/fit/points.hpp"

namespace nucreg {

/// Reads pairs: CSV with the header x10,y10,x40,y40 (any order of these four), or by its ending
/// .npy an N x 4 array of float32 or float64. 10x px and 40x px. Throws InputError (path, line or
/// offset, what is allowed): no such file, another header, a row with more or fewer cells, a cell
/// that is no finite number, no rows.
[[nodiscard]] PointPairs read_pairs(const std::filesystem::path& file);

}  // namespace nucreg
