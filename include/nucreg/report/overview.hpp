// What `inspect` and the end of `run` show of a result file, as a value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nucreg/core/table.hpp"
#include "nucreg/report/digest.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {

struct Overview {
  Attributes attributes;
  Table configurations, solvers, summary, ranks;
  Table images, matches;               ///< of images; else without columns
  Table scatter, agreement;            ///< likewise
  std::uint64_t records = 0;           ///< rows of /trials
  std::vector<MessageCount> messages;  ///< the commonest, at most 20
  Comparison comparison;
};

/// Reads the small tables and streams /trials once. Throws InputError.
[[nodiscard]] Overview make_overview(const ResultReader& reader);
/// Reads the small tables alone: who wrote the file knows what its rows say.
[[nodiscard]] Overview make_overview(const ResultReader& reader, RowFindings findings);

}  // namespace nucreg
