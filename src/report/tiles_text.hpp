// Which tiles of a job of images match, for people.
#pragma once

#include <string>

#include "nucreg/report/overview.hpp"
#include "nucreg/report/text.hpp"

namespace nucreg {

/// Tiles, and a row for each pair that matches, at most `most_configurations`; empty where the job
/// is not of images. Throws InputError where /matches names images that are not there.
[[nodiscard]] std::string tiles_text(const Overview& overview, const TextOptions& options);

}  // namespace nucreg
