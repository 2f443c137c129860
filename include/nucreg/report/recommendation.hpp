// A recommendation as text, as JSON, and as the file that `map` and `run` take.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "nucreg/stats/recommendation.hpp"

namespace nucreg {

/// A result that a recommendation was made from.
struct Evidence {
  std::string file, sha256;
};

/// Sentences and a table of the best choice of each solver. Fits into `width` columns.
[[nodiscard]] std::string to_text(const Recommendation& made, std::size_t width);
/// One object; numbers that do not exist are null.
[[nodiscard]] std::string to_json(const Recommendation& made, const std::vector<Evidence>& files);
/// A job of the recommended solver, loss and start (`run --recommendation` and `map
/// --recommendation` take these from it), with the numbers that say so as comments. Throws
/// InputError if nothing is recommended.
[[nodiscard]] std::string to_toml(const Recommendation& made, const std::vector<Evidence>& files);

}  // namespace nucreg
