// All rows of /trials, a block at a time.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "nucreg/store/result_file.hpp"

namespace nucreg {

inline constexpr std::uint64_t stream_rows = 16384;

/// Calls `visit(rows)` with consecutive rows; where `columns` names any, with these alone.
template <class Visit>
void stream_trials(const ResultReader& reader, Visit&& visit,
                   std::span<const std::string_view> columns = {}) {
  std::vector<Record> block;
  for (std::uint64_t first = 0; first < reader.trial_rows(); first += block.size()) {
    block.resize(std::min(stream_rows, reader.trial_rows() - first));
    reader.read_trials(first, block, columns);
    visit(std::span<const Record>(block));
  }
}

}  // namespace nucreg
