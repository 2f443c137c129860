// Proves that a result file is whole and consistent.
#pragma once

#include <string>
#include <vector>

#include "nucreg/store/result_file.hpp"

namespace nucreg {

struct Verification {
  std::vector<std::string> findings;  ///< damage, one line each; empty = sound
  std::vector<std::string> notes;     ///< what is no damage: a partial file and what it lacks
  std::uint64_t configurations = 0;
  std::uint64_t trials = 0;  ///< planned, per configuration
  std::uint64_t solvers = 0;
  std::uint64_t records = 0;  ///< rows of /trials
};

/// Checks that configurations x trials x solvers = records, sorted, none twice, none missing; that
/// attributes, tables, summary and rows agree; that enumerations are legal and numbers finite where
/// they must be. A partial file may lack whole trials. Streams /trials, of which no more than one
/// configuration is in memory. What cannot be read is a finding too.
[[nodiscard]] Verification verify(const ResultReader& reader);

}  // namespace nucreg
