// What else a result file may hold: traces and the verdict.
#pragma once

#include <cstdint>

#include "findings.hpp"
#include "nucreg/core/table.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {

/// Reads all of /trace in bounded memory; throws InputError where its offsets are no ranges.
void check_traces(const ResultReader& reader, Findings& findings);
/// /verdict and /verdict_ranks, where they are there: each column, and names that are known.
void check_verdict(const ResultReader& reader, std::uint64_t configurations, const Table& solvers,
                   Findings& findings);

}  // namespace nucreg
